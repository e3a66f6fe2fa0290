// The two halves of path_resolve(). `path` has `length` bytes and is not empty.
#ifndef ANYPROC_RESOLVE_H
#define ANYPROC_RESOLVE_H

#include <stddef.h>

#include "path.h"

long resolve_absolute(const char *path, size_t length, enum path_follow follow, struct place *out);
long resolve_relative(int dirfd, const char *path, size_t length, enum path_follow follow, struct place *out);

#endif
