// Path resolution component by component (path_resolution(7)), in guest terms.
#ifndef ANYPROC_WALK_H
#define ANYPROC_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cursor.h"

// What openat2(2) may ask for, in guest terms: a bind is a mount.
struct walk_limits {
  uint64_t resolve; // RESOLVE_*
  // Guest path of the directory that RESOLVE_BENEATH and RESOLVE_IN_ROOT do not leave.
  const char *floor;
  size_t floor_length;
};

struct walk {
  struct cursor at;
  unsigned links; // symlinks followed so far
  bool directory; // `at` is known to be a searchable directory
  bool passed_proc; // the way depends on who walks: not to be remembered
  bool ends_in_magic; // `at` is a magic link that the kernel has to follow
  const struct walk_limits *limits; // NULL: none
  // The kernel takes any symlink to "/" for a crossing (RESOLVE_NO_XDEV) before it has looked at its root, which a path
  // does that starts there or has gone up.
  bool root_seen;
  bool ends_in_slash; // the text of a symlink said that `at` must be a directory
};

// Moves to an entry of the directory, which may be a symlink or missing. Returns 0, WALK_ENTERED_BIND when the entry is
// where a bind lies, or a negative errno.
enum { WALK_ENTERED_BIND = 1 };
long walk_name(struct walk *walk, const char *name, size_t length);

enum walk_last {
  WALK_MUST_EXIST,
  WALK_MAY_BE_MISSING, // the last component need not exist
  WALK_ONE_LINK,       // what a symlink in the last component leads to is not looked at: it may be missing or a symlink
};

// Moves over `path`, relative to where it is, and follows every symlink, the last one too. Directories met on the way
// that no symlink of `path` leads through are remembered under `known`, the absolute text whose tail `path` is, as far
// as its first `known_length` bytes; NULL: none are.
long walk_path(struct walk *walk, const char *path, size_t length, enum walk_last mode, const char *known,
               size_t known_length);

#endif
