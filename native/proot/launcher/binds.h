// Where binds lead and where they lie.
#ifndef ANYPROC_BINDS_H
#define ANYPROC_BINDS_H

#include "../src/config.h"
#include "options.h"

// Fills `out` from the options: hosts must exist, guest paths follow the rootfs's own symlinks as far as they exist.
// Of several binds at one guest path the last one stays. Returns their number.
size_t binds_resolve(const struct options *options, int root, const char *root_path, struct bind *out);

#endif
