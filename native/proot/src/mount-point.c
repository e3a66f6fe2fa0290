#include "mount-point.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "path.h"
#include "sys.h"

static bool is_here(const struct place *place) {
  return place->path[0] == '.' && place->path[1] == '\0';
}

static bool find_object(const struct place *place, struct cursor *at) {
  long descriptor = SYS_3(SYS_openat, place->descriptor, place->path, O_PATH | O_CLOEXEC);
  bool is_found = descriptor >= 0 && cursor_from_descriptor(at, (int)descriptor);
  if (descriptor >= 0)
    SYS_1(SYS_close, descriptor);
  return is_found;
}

static bool find_cursor(const struct place *place, struct cursor *at) {
  if (place->magic)
    return find_object(place, at);
  if (place->mount_point)
    return cursor_set(at, place->bind, "", 0) == 0;
  if (place->relative && is_here(place))
    return cursor_from_descriptor(at, place->descriptor);
  return path_to_cursor(place, at);
}

// Out of line: its buffers are not to lie on the stack while a table is changed.
__attribute__((noinline)) long mount_point_find(const char *guest_path, struct mount_point *out) {
  struct place place;
  struct stat status;
  long result = path_resolve(AT_FDCWD, guest_path, PATH_FOLLOW, &place);
  if (result < 0)
    return result;
  result = SYS_4(SYS_newfstatat, place.descriptor, place.path, &status, 0);
  out->at.text = out->text;
  out->is_directory = S_ISDIR(status.st_mode);
  out->is_reachable = result == 0 && find_cursor(&place, &out->at);
  path_release(&place);
  return result;
}

const char *mount_point_guest(const struct mount_point *point, size_t *length) {
  size_t suffix_length;
  const char *suffix = cursor_suffix(&point->at, &suffix_length);
  const struct bind *bind = point->at.bind;
  *length = cursor_guest_length(&point->at);
  return mount_draft_text(bind == NULL ? "" : bind->guest, bind == NULL ? 0 : bind->guest_length, suffix,
                          suffix_length);
}

const char *mount_point_host(const struct mount_point *point, size_t *length) {
  bool in_rootfs = point->at.bind == NULL;
  size_t head = in_rootfs ? config.root_length : 0;
  *length = head + point->at.length;
  return mount_draft_text(config.root, head, point->text, point->at.length);
}

bool mount_point_is_root(const struct mount_point *point) {
  size_t depth;
  (void)cursor_suffix(&point->at, &depth);
  return depth == 0;
}
