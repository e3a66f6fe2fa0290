// A path taken apart.
#ifndef ANYPROC_PARTS_H
#define ANYPROC_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "path.h"

// A path cut at its last component.
struct parts {
  const char *path;
  size_t length;
  size_t directory; // length of what comes before the last component and the slashes in front of it
  size_t last;      // where the last component starts
  size_t end;       // where it ends: trailing slashes follow
};

struct parts parts_of(const char *path, size_t length);

bool parts_end_in_slash(const struct parts *parts);
// Whether the last component is "." or "..".
bool parts_end_in_dots(const struct parts *parts);
// Whether a symlink in the last component is followed: not where an entry is about to be made, and a trailing slash is
// left to the kernel.
bool parts_follow_last(const struct parts *parts, enum path_follow follow);

bool is_dot(const char *name, size_t length);
bool is_dot_dot(const char *name, size_t length);
// Length of the part of a path that comes before its first "." or ".." component.
size_t plain_length(const char *path, size_t length);

#endif
