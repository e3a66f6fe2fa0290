// A run inside a run: the guests share the outer engine's shim and filter, and get a root and mounts of their own from
// it.
#ifndef ANYPROC_LAUNCHER_NESTED_H
#define ANYPROC_LAUNCHER_NESTED_H

#include <stdbool.h>

#include "options.h"

// Whether this process is a guest itself.
bool is_nested(void);

// Becomes the first guest. Fails the run if it cannot.
_Noreturn void become_nested_guest(const struct options *options);

#endif
