// Paths that start at an open directory.
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <string.h>

#include "cursor.h"
#include "directory-cache.h"
#include "parts.h"
#include "proc-link.h"
#include "resolve.h"
#include "sys.h"
#include "working-directory.h"

// Where the guest's own directory cannot be named (removed, outside, too deep or behind a closed one), the kernel
// resolves below it.
static long resolve_beneath(int dirfd, const struct parts *parts, enum path_follow follow, struct place *out) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
  bool is_entered = parts_end_in_slash(parts) || parts_end_in_dots(parts);
  bool as_name = follow == PATH_PARENT || (follow == PATH_NO_FOLLOW && !is_entered);
  const char *opened = parts->path;
  if (as_name) {
    if (parts->directory >= sizeof out->buffer)
      return -ENAMETOOLONG;
    memcpy(out->buffer, parts->path, parts->directory);
    out->buffer[parts->directory] = '\0';
    opened = parts->directory == 0 ? "." : out->buffer;
    how.flags |= O_DIRECTORY;
  }
  long descriptor;
  do
    descriptor = SYS_4(SYS_openat2, dirfd, opened, &how, sizeof how);
  while (descriptor == -EAGAIN);
  if (descriptor < 0)
    return descriptor == -EXDEV || descriptor == -ENOSYS || descriptor == -EPERM ? -ENOENT : descriptor;
  out->owned = (int)descriptor;
  if (as_name) {
    out->descriptor = out->owned;
    out->path = parts->path + parts->last;
    return 0;
  }
  out->descriptor = AT_FDCWD;
  out->path = out->buffer;
  out->magic = true;
  proc_descriptor_path(out->owned, out->buffer);
  return 0;
}

static bool is_unsettled(long result) {
  return result == -EACCES || result == -ENAMETOOLONG;
}

static size_t length_of_up(const struct parts *parts, size_t at) {
  size_t end = at + 2;
  if (end > parts->end || !is_dot_dot(parts->path + at, 2) || (end < parts->length && parts->path[end] != '/'))
    return 0;
  while (end < parts->length && parts->path[end] == '/')
    end++;
  return end - at;
}

// Guest path of the directory that a relative path starts from. A removed directory has none, but its parent may:
// `*skipped` is how much of the path went there.
static long starting_directory(int dirfd, const struct parts *parts, char out[PATH_MAX], size_t *skipped) {
  int from = dirfd;
  long result;
  *skipped = 0;
  while ((result = path_of_descriptor(from, out, PATH_MAX)) == -ENOENT) {
    size_t up = length_of_up(parts, *skipped);
    long parent = up == 0 ? -ENOENT : SYS_3(SYS_openat, from, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (from != dirfd)
      SYS_1(SYS_close, from);
    if (parent < 0)
      return parent;
    *skipped += up;
    from = (int)parent;
  }
  if (from != dirfd)
    SYS_1(SYS_close, from);
  return result;
}

// Whether a plain name in some directory may be anything else than the entry that the kernel finds there.
static bool is_special(const char *name, size_t length) {
  return is_dot_dot(name, length) || bind_may_be_named(name, length) || proc_may_hide(name, length);
}

// Leaves the path to the kernel, which finds what the guest means by it, unless the last component is a symlink that is
// to be followed: then `*taken` is false.
static long take_as_it_is(int dirfd, const struct parts *parts, enum path_follow follow, struct place *out,
                          bool *taken) {
  *taken = false;
  if (follow == PATH_FOLLOW_ONE)
    return 0;
  if (parts_follow_last(parts, follow) && !parts_end_in_dots(parts)) {
    char none;
    long result = SYS_4(SYS_readlinkat, dirfd, parts->path, &none, 1);
    if (result >= 0)
      return 0;
    if (result != -EINVAL && (result != -ENOENT || follow != PATH_CREATE))
      return result;
  }
  out->descriptor = dirfd;
  out->path = parts->path;
  out->relative = true;
  *taken = true;
  return 0;
}

// Whether a path without "." and "..", from a directory whose guest path has `length` bytes, goes through neither a
// symlink nor a bind; both are joined in `path`.
static bool goes_straight(const char *path, size_t length, size_t path_length) {
  struct parts parts = parts_of(path, path_length);
  const struct bind *bind;
  if (parts_end_in_slash(&parts) || parts.last != parts.directory + 1 || is_special(path + parts.last, parts.end - parts.last) ||
      plain_length(path + length + 1, path_length - length - 1) < path_length - length - 1)
    return false;
  if (parts.directory == length)
    return true;
  return directory_cache_is_literal(path, parts.directory, &bind) && (bind == NULL || bind->guest_length <= length);
}

// Whether the kernel finds what the guest means by a path from the directory whose guest path are the first `length`
// bytes of `joined`. The kernel's own directory has the same parents as the guest's as far as its bind reaches.
static bool is_near(const char *joined, size_t length, const struct parts *parts, enum path_follow follow,
                    char buffer[PATH_MAX]) {
  const char *rest = parts->path;
  size_t rest_length = parts->length, up;
  if ((up = length_of_up(parts, 0)) == 0)
    return goes_straight(joined, length, length + 1 + rest_length);
  const struct bind *bind = bind_covering(joined, length);
  size_t floor = bind == NULL ? 0 : bind->guest_length;
  for (size_t at = 0; (up = length_of_up(parts, at)) > 0; at += up) {
    if (length == floor)
      return false;
    while (joined[--length] != '/')
      ;
    rest += up;
    rest_length -= up;
  }
  if (rest_length == 0)
    return follow == PATH_FOLLOW || follow == PATH_NO_FOLLOW;
  memcpy(buffer, joined, length);
  buffer[length] = '/';
  memcpy(buffer + length + 1, rest, rest_length);
  return goes_straight(buffer, length, length + 1 + rest_length);
}

// Appends a relative path to the directory's of `length` bytes. Returns the new length, 0 when it is too long.
static size_t join(char joined[PATH_MAX], size_t length, const char *path, size_t path_length) {
  if (length + 1 + path_length >= PATH_MAX)
    return 0;
  joined[length] = '/';
  memcpy(joined + length + 1, path, path_length);
  joined[length + 1 + path_length] = '\0';
  return length + 1 + path_length;
}

// A path whose start is known without asking the kernel.
static long resolve_from_known(const struct parts *parts, enum path_follow follow, char joined[PATH_MAX],
                               struct place *out, bool *taken) {
  size_t length;
  *taken = false;
  if (!working_directory_get(joined, &length) || join(joined, length, parts->path, parts->length) == 0 ||
      !is_near(joined, length, parts, follow, out->buffer))
    return 0;
  return take_as_it_is(AT_FDCWD, parts, follow, out, taken);
}

static long resolve_joined(int dirfd, const struct parts *parts, enum path_follow follow, bool is_symlink,
                           struct place *out) {
  char joined[PATH_MAX];
  size_t skipped, length = 0;
  bool taken = false, may_be_near = !is_symlink;
  long result = 0;
  uint32_t generation = directory_cache_generation();
  if (may_be_near && dirfd == AT_FDCWD)
    result = resolve_from_known(parts, follow, joined, out, &taken);
  if (result < 0 || taken)
    return result;
  long directory = starting_directory(dirfd, parts, joined, &skipped);
  if (directory == -EBADF || directory == -ENOTDIR)
    return directory;
  if (directory == 1)
    directory = 0;
  if (directory >= 0)
    length = join(joined, (size_t)directory, parts->path + skipped, parts->length - skipped);
  if (length == 0)
    return resolve_beneath(dirfd, parts, follow, out);
  if (skipped == 0 && dirfd == AT_FDCWD)
    working_directory_put(joined, (size_t)directory, generation);
  if (may_be_near && skipped == 0 && is_near(joined, (size_t)directory, parts, follow, out->buffer)) {
    result = take_as_it_is(dirfd, parts, follow, out, &taken);
    if (result < 0 || taken)
      return result;
  }
  result = resolve_absolute(joined, length, follow, out);
  if (!is_unsettled(result))
    return result;
  long beneath = resolve_beneath(dirfd, parts, follow, out);
  return beneath < 0 ? result : 0;
}

long resolve_relative(int dirfd, const char *path, size_t length, enum path_follow follow, struct place *out) {
  for (; length > 2 && path[0] == '.' && path[1] == '/' && path[2] != '/'; length -= 2)
    path += 2;
  struct parts parts = parts_of(path, length);
  const char *name = path + parts.last;
  size_t name_length = parts.end - parts.last;
  bool is_entered = parts_end_in_slash(&parts) && follow != PATH_PARENT && follow != PATH_CREATE;
  if (parts.last > 0 || is_special(name, name_length) || (is_entered && !is_dot(name, name_length)))
    return resolve_joined(dirfd, &parts, follow, false, out);
  bool taken;
  long result = take_as_it_is(dirfd, &parts, follow, out, &taken);
  return result < 0 || taken ? result : resolve_joined(dirfd, &parts, follow, true, out);
}
