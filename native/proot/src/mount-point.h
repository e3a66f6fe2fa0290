// What the path arguments of mount(2) and its like name.
#ifndef ANYPROC_MOUNT_POINT_H
#define ANYPROC_MOUNT_POINT_H

#include "cursor.h"
#include "mount-draft.h"

struct mount_point {
  struct cursor at;
  char text[CURSOR_CAPACITY];
  bool is_directory;
  bool is_reachable; // otherwise no guest path leads there any more, and `at` means nothing
};

// Follows symlinks. Returns 0 or a negative errno.
long mount_point_find(const char *guest_path, struct mount_point *out);

// While there is a draft: its paths, which last as mount_draft_text() says. NULL without room.
const char *mount_point_guest(const struct mount_point *point, size_t *length);
const char *mount_point_host(const struct mount_point *point, size_t *length);

// Whether it is the root of a mount.
bool mount_point_is_root(const struct mount_point *point);

#endif
