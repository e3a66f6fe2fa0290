// Binds whose places the rootfs lacks: what a directory listing and stat(2) then show.
#ifndef ANYPROC_LAUNCHER_PLACEHOLDERS_H
#define ANYPROC_LAUNCHER_PLACEHOLDERS_H

#include <stddef.h>

#include "../src/config.h"

// Marks binds that no directory entry stands for with BIND_MISSING, and adds binds of directories made for the purpose
// where directories above them are missing, too. `host` and `guest` must be set. Returns the new number of binds.
size_t placeholders_add(const char *root, struct bind *binds, size_t count);

#endif
