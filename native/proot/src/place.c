// What can be done with a place once it is resolved.
#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>

#include "cursor.h"
#include "parts.h"
#include "path.h"
#include "proc-link.h"
#include "sys.h"

void path_release(struct place *place) {
  if (place->owned >= 0)
    SYS_1(SYS_close, place->owned);
  place->owned = -1;
}

void path_find_bind(struct place *place) {
  if (!place->relative || place->bind_found)
    return;
  struct cursor cursor = {.text = place->buffer};
  place->bind = cursor_from_descriptor(&cursor, place->descriptor) ? cursor.bind : NULL;
  place->bind_found = true;
}

const struct bind *path_parent_bind(struct place *place) {
  path_find_bind(place);
  const struct bind *bind = place->bind;
  if (bind_is_root(bind) || !place->mount_point)
    return bind;
  return bind_covering(bind->guest, bind->guest_length - bind->name_length - 1);
}

static bool is_read_only(const struct bind *bind) {
  return bind != NULL && (bind->flags & BIND_READ_ONLY) != 0;
}

bool path_is_read_only(struct place *place) {
  if (!mounts()->has_read_only || place->magic)
    return false;
  path_find_bind(place);
  return is_read_only(place->bind);
}

bool path_parent_is_read_only(struct place *place) {
  return mounts()->has_read_only && is_read_only(path_parent_bind(place));
}

static bool put_in_front(struct place *place, const char *head, size_t head_length) {
  size_t length = strlen(place->path);
  if (head_length + 1 + length >= sizeof place->buffer)
    return false;
  memmove(place->buffer + head_length + 1, place->path, length + 1);
  memcpy(place->buffer, head, head_length);
  place->buffer[head_length] = '/';
  place->path = place->buffer;
  place->descriptor = AT_FDCWD;
  return true;
}

static bool is_plain(const struct place *place) {
  return place->path[0] == '/' || place->descriptor == AT_FDCWD;
}

static bool starts_at_root(const struct place *place) {
  return place->descriptor == config.descriptor_base + HIDDEN_ROOT;
}

static bool put_descriptor_in_front(struct place *place) {
  char head[PROC_DESCRIPTOR_PATH_SIZE];
  proc_descriptor_path(place->descriptor, head);
  return put_in_front(place, head, strlen(head));
}

static long make_call(long number, const long argument[6], int index, const struct place *place) {
  long a[6];
  memcpy(a, argument, sizeof a);
  a[index] = (long)place->path;
  return sys_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// By the host path of the rootfs, which is cheaper than through /proc, unless the guest has lost the right to search
// the directories above it.
long path_call_plain(struct place *place, long number, const long argument[6], int index) {
  if (!is_plain(place) && starts_at_root(place)) {
    int root = place->descriptor;
    if (put_in_front(place, config.root, config.root_length)) {
      long result = make_call(number, argument, index, place);
      if (result != -EACCES)
        return result;
      place->descriptor = root;
      place->path = place->buffer + config.root_length + 1;
    }
  }
  if (!is_plain(place) && !put_descriptor_in_front(place))
    return -ENAMETOOLONG;
  return make_call(number, argument, index, place);
}

// A relative path that is left to the kernel.
static bool push_path(struct cursor *cursor, const char *path, size_t length) {
  for (size_t at = 0, end; at < length; at = end + 1) {
    end = at;
    while (end < length && path[end] != '/')
      end++;
    if (is_dot_dot(path + at, end - at))
      cursor_up(cursor);
    else if (end > at && cursor_push(cursor, path + at, end - at) < 0)
      return false;
  }
  return true;
}

bool path_to_cursor(const struct place *place, struct cursor *cursor) {
  size_t length = strlen(place->path);
  while (length > 1 && place->path[length - 1] == '/')
    length--;
  if (place->relative)
    return cursor_from_descriptor(cursor, place->descriptor) && push_path(cursor, place->path, length);
  size_t skip = place->path[0] == '/' ? 0 : 1;
  if (skip + length >= CURSOR_CAPACITY)
    return false;
  cursor->bind = place->bind;
  cursor->length = skip + length;
  cursor->text[0] = '/';
  memcpy(cursor->text + skip, place->path, length);
  cursor->text[cursor->length] = '\0';
  return true;
}

static bool may_lead_to_bind(const struct place *place) {
  struct parts parts = parts_of(place->path, strlen(place->path));
  return !place->relative || bind_may_pass(place->path + parts.last, parts.end - parts.last);
}

bool path_leads_to_bind(const struct place *place) {
  char text[CURSOR_CAPACITY];
  struct cursor cursor = {.text = text};
  if (mounts()->count == 0 || !may_lead_to_bind(place))
    return false;
  return path_to_cursor(place, &cursor) && cursor_leads_to_bind(&cursor);
}

// Without following trailing slashes into a directory or symlink.
long path_probe_name(const struct place *place) {
  char name[PATH_MAX], none;
  size_t length = strlen(place->path), end = length;
  while (end > 1 && place->path[end - 1] == '/')
    end--;
  const char *path = place->path;
  if (end < length && length < sizeof name) {
    memcpy(name, path, end);
    name[end] = '\0';
    path = name;
  }
  return SYS_4(SYS_readlinkat, place->descriptor, path, &none, 1);
}

// "directory/." of the place's last component.
static long parent_path(const struct place *place, char out[PATH_MAX]) {
  size_t length = strlen(place->path);
  while (length > 0 && place->path[length - 1] == '/')
    length--;
  while (length > 0 && place->path[length - 1] != '/')
    length--;
  if (length + 2 > PATH_MAX)
    return -ENAMETOOLONG;
  memcpy(out, place->path, length);
  memcpy(out + length, ".", 2);
  return 0;
}

long path_check_parent(const struct place *place) {
  char path[PATH_MAX], none;
  long result = parent_path(place, path);
  if (result < 0)
    return result;
  result = SYS_4(SYS_readlinkat, place->descriptor, path, &none, 1);
  return result == -EINVAL ? 0 : result;
}

long path_check_access(const struct place *place, long mode) {
  long result = SYS_4(SYS_faccessat2, place->descriptor, place->path, mode, AT_EACCESS);
  return result == -EACCES ? result : 0;
}

long path_parent(const struct place *place, struct place *out) {
  const struct bind *bind = place->bind;
  out->owned = -1;
  if (!place->mount_point || bind_is_root(bind)) {
    out->descriptor = place->descriptor;
    out->path = out->buffer;
    return parent_path(place, out->buffer);
  }
  struct cursor cursor = {.text = out->buffer};
  long result = cursor_to_guest(&cursor, bind->guest, bind->guest_length - bind->name_length - 1);
  out->descriptor = cursor_descriptor(&cursor);
  out->path = cursor_path(&cursor);
  return result;
}

bool path_is_no_name(const struct place *place) {
  if (place->mount_point && bind_is_root(place->bind))
    return true;
  size_t length = strlen(place->path);
  while (length > 0 && place->path[length - 1] == '/')
    length--;
  size_t dots = 0;
  while (dots < length && dots < 3 && place->path[length - 1 - dots] == '.')
    dots++;
  return (dots == 1 || dots == 2) && (dots == length || place->path[length - 1 - dots] == '/');
}
