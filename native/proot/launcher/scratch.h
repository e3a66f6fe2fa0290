// One directory of the run's own on the host, made when something is to be put there and removed when the run ends.
#ifndef ANYPROC_LAUNCHER_SCRATCH_H
#define ANYPROC_LAUNCHER_SCRATCH_H

#include <stdbool.h>

// Its path, below $TMPDIR or /tmp. Nothing is there yet: launcher or guests make it.
const char *scratch_path(void);

// Makes `name` in it, and what is missing above: a directory or an empty file. Fails the run if it cannot.
void scratch_make(const char *name, bool is_directory);

#endif
