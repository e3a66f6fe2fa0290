#include <errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <string.h>

#include "directory-cache.h"
#include "guest.h"
#include "path.h"
#include "proc-link.h"
#include "sys.h"
#include "walk.h"

// A path cut at its last component.
struct parts {
  const char *path;
  size_t length;
  size_t directory; // length of what comes before the last component and the slashes in front of it
  size_t last;      // where the last component starts
  size_t end;       // where it ends: trailing slashes follow
};

static struct parts cut(const char *path, size_t length) {
  struct parts parts = {.path = path, .length = length, .end = length};
  while (parts.end > 0 && path[parts.end - 1] == '/')
    parts.end--;
  parts.last = parts.end;
  while (parts.last > 0 && path[parts.last - 1] != '/')
    parts.last--;
  parts.directory = parts.last;
  while (parts.directory > 0 && path[parts.directory - 1] == '/')
    parts.directory--;
  return parts;
}

static bool is_dot(const char *name, size_t length) {
  return length == 1 && name[0] == '.';
}

static bool is_dot_dot(const char *name, size_t length) {
  return length == 2 && name[0] == '.' && name[1] == '.';
}

static bool has_trailing_slash(const struct parts *parts) {
  return parts->end < parts->length;
}

// Whether a symlink in the last component is followed: not where an entry is about to be made, and a trailing slash is
// left to the kernel.
static bool follows_last(const struct parts *parts, enum path_follow follow) {
  return follow == PATH_FOLLOW || follow == PATH_FOLLOW_ONE ||
         (follow == PATH_CREATE && !has_trailing_slash(parts));
}

static bool ends_in_dots(const struct parts *parts) {
  const char *name = parts->path + parts->last;
  size_t length = parts->end - parts->last;
  return is_dot(name, length) || is_dot_dot(name, length);
}

// Length of the part of a path that comes before its first "." or ".." component.
static size_t plain_length(const char *path, size_t length) {
  for (size_t start = 0; start < length;) {
    size_t end = start;
    while (end < length && path[end] != '/')
      end++;
    if (is_dot(path + start, end - start) || is_dot_dot(path + start, end - start))
      return start;
    start = end + 1;
  }
  return length;
}

// Moves to where a guest path leads, symlinks followed: an absolute one, or under limits one from where the walk is.
static long locate(struct walk *walk, const char *path, size_t length) {
  if (walk->limits != NULL)
    return walk_path(walk, path, length, WALK_MUST_EXIST, NULL, 0);
  size_t plain = plain_length(path, length);
  size_t from = plain;
  if (plain == length && directory_cache_get(path, length, &walk->at, &walk->links))
    return 0;
  while (from > 0)
    if (path[--from] == '/' && directory_cache_get(path, from, &walk->at, &walk->links))
      return walk_path(walk, path + from, length - from, WALK_MUST_EXIST, path, plain);
  cursor_to_root(&walk->at);
  walk->directory = true;
  return walk_path(walk, path, length, WALK_MUST_EXIST, path, plain);
}

// Describes the walk's end as a place, with `tail` appended for the kernel to judge.
static long finish(const struct walk *walk, const char *tail, size_t tail_length, struct place *out) {
  const struct cursor *at = &walk->at;
  size_t depth;
  (void)cursor_suffix(at, &depth);
  out->descriptor = cursor_descriptor(at);
  out->bind = at->bind;
  out->mount_point = depth == 0;
  out->magic = walk->ends_in_magic;
  if (at->length > 0) {
    if (at->length + tail_length >= CURSOR_CAPACITY)
      return -ENAMETOOLONG;
    memcpy(at->text + at->length, tail, tail_length);
    at->text[at->length + tail_length] = '\0';
  }
  out->path = cursor_path(at);
  return 0;
}

// The path ends in a slash, "." or "..", so that its last component is looked up like those before it.
static long resolve_directory(struct walk *walk, const struct parts *parts, struct place *out) {
  long result = locate(walk, parts->path, parts->end);
  if (result < 0)
    return result;
  return walk->directory ? finish(walk, "", 0, out) : finish(walk, "/", 1, out);
}

// Follows the last component from the directory that holds it.
static long resolve_last(struct walk *walk, const struct parts *parts, enum path_follow follow, struct place *out) {
  enum walk_last mode = follow == PATH_CREATE       ? WALK_MAY_BE_MISSING
                        : follow == PATH_FOLLOW_ONE ? WALK_ONE_LINK
                                                    : WALK_MUST_EXIST;
  long result = walk_path(walk, parts->path + parts->last, parts->end - parts->last, mode, NULL, 0);
  if (result < 0)
    return result;
  return walk->ends_in_slash ? finish(walk, "/", 1, out) : finish(walk, "", 0, out);
}

// Takes the last component as it is.
static long resolve_name(struct walk *walk, const struct parts *parts, struct place *out) {
  const char *name = parts->path + parts->last;
  size_t length = parts->end - parts->last;
  long result = walk_name(walk, name, length);
  return result < 0 ? result : finish(walk, parts->path + parts->end, parts->length - parts->end, out);
}

static long resolve_parts(struct walk *walk, const struct parts *parts, enum path_follow follow, struct place *out) {
  bool is_made = follow == PATH_PARENT || (follow == PATH_CREATE && !ends_in_dots(parts));
  if (!is_made && (has_trailing_slash(parts) || ends_in_dots(parts)))
    return resolve_directory(walk, parts, out);
  long result = locate(walk, parts->path, parts->directory);
  if (result < 0)
    return result;
  return follows_last(parts, follow) ? resolve_last(walk, parts, follow, out) : resolve_name(walk, parts, out);
}

static long resolve_absolute(const char *path, size_t length, enum path_follow follow, struct place *out) {
  struct walk walk = {.at.text = out->buffer};
  struct parts parts = cut(path, length);
  if (parts.end > 0)
    return resolve_parts(&walk, &parts, follow, out);
  cursor_to_root(&walk.at);
  return finish(&walk, "", 0, out);
}

// Where the guest's own directory cannot be named (removed, outside, too deep or behind a closed one), the kernel
// resolves below it.
static long resolve_beneath(int dirfd, const struct parts *parts, enum path_follow follow, struct place *out) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
  bool is_entered = has_trailing_slash(parts) || ends_in_dots(parts);
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

static long resolve_joined(int dirfd, const struct parts *parts, enum path_follow follow, struct place *out) {
  char joined[PATH_MAX];
  size_t skipped;
  long directory = starting_directory(dirfd, parts, joined, &skipped);
  size_t rest = parts->length - skipped;
  if (directory == -EBADF || directory == -ENOTDIR)
    return directory;
  if (directory < 0 || (size_t)directory + 1 + rest >= sizeof joined)
    return resolve_beneath(dirfd, parts, follow, out);
  if (directory == 1)
    directory = 0;
  joined[directory] = '/';
  memcpy(joined + directory + 1, parts->path + skipped, rest + 1);
  long result = resolve_absolute(joined, (size_t)directory + 1 + rest, follow, out);
  if (!is_unsettled(result))
    return result;
  long beneath = resolve_beneath(dirfd, parts, follow, out);
  return beneath < 0 ? result : 0;
}

// Whether a plain name in some directory may be anything else than the entry that the kernel finds there.
static bool is_special(const char *name, size_t length) {
  return is_dot_dot(name, length) || bind_may_be_named(name, length) || proc_may_hide(name, length);
}

// A plain name in the directory: the kernel finds the entry, unless a symlink is to be followed.
static long check_name(int dirfd, const struct parts *parts, enum path_follow follow, bool *is_symlink) {
  *is_symlink = false;
  if (!follows_last(parts, follow) || ends_in_dots(parts))
    return 0;
  char none;
  long result = SYS_4(SYS_readlinkat, dirfd, parts->path, &none, 1);
  *is_symlink = result >= 0;
  return result >= 0 || result == -EINVAL || (result == -ENOENT && follow == PATH_CREATE) ? 0 : result;
}

static long resolve_relative(int dirfd, const char *path, size_t length, enum path_follow follow, struct place *out) {
  struct parts parts = cut(path, length);
  const char *name = path + parts.last;
  size_t name_length = parts.end - parts.last;
  bool is_entered = has_trailing_slash(&parts) && follow != PATH_PARENT && follow != PATH_CREATE;
  if (parts.last > 0 || is_special(name, name_length) || (is_entered && !is_dot(name, name_length)))
    return resolve_joined(dirfd, &parts, follow, out);
  if (follow == PATH_FOLLOW_ONE)
    return resolve_joined(dirfd, &parts, follow, out);
  bool is_symlink;
  long result = check_name(dirfd, &parts, follow, &is_symlink);
  if (result < 0)
    return result;
  if (is_symlink)
    return resolve_joined(dirfd, &parts, follow, out);
  out->descriptor = dirfd;
  out->path = path;
  out->relative = true;
  return 0;
}

static long start(const char *guest_path, struct place *out) {
  out->owned = -1;
  out->bind = NULL;
  out->relative = false;
  out->mount_point = false;
  out->magic = false;
  long length = guest_string_length(guest_path, PATH_MAX);
  return length == 0 ? -ENOENT : length;
}

long path_resolve(int dirfd, const char *guest_path, enum path_follow follow, struct place *out) {
  long length = start(guest_path, out);
  if (length < 0)
    return length;
  if (guest_path[0] == '/')
    return resolve_absolute(guest_path, (size_t)length, follow, out);
  if (path_is_hidden_descriptor(dirfd))
    return -EBADF;
  return resolve_relative(dirfd, guest_path, (size_t)length, follow, out);
}

long path_resolve_limited(int dirfd, const char *guest_path, enum path_follow follow, uint64_t resolve,
                          struct place *out) {
  char floor[PATH_MAX];
  long length = start(guest_path, out);
  if (length < 0)
    return length;
  bool is_absolute = guest_path[0] == '/';
  bool is_scoped = (resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) != 0;
  if (is_absolute && (resolve & RESOLVE_BENEATH) != 0)
    return -EXDEV;
  struct walk_limits limits = {.resolve = resolve, .floor = floor};
  struct walk walk = {.at.text = out->buffer, .limits = &limits, .root_seen = is_absolute || is_scoped};
  if (is_absolute && !is_scoped) {
    cursor_to_root(&walk.at);
    walk.directory = true;
  } else {
    if (path_is_hidden_descriptor(dirfd) || !cursor_from_descriptor(&walk.at, dirfd))
      return -EBADF;
    long floor_length = cursor_guest_path(&walk.at, floor, sizeof floor);
    if (floor_length < 0)
      return floor_length;
    limits.floor_length = (size_t)floor_length;
  }
  struct parts parts = cut(guest_path, (size_t)length);
  return parts.end > 0 ? resolve_parts(&walk, &parts, follow, out) : finish(&walk, "", 0, out);
}

long path_open(int dirfd, const char *guest_path, long flags, long mode) {
  struct place place;
  enum path_follow follow = PATH_FOLLOW;
  if ((flags & O_CREAT) != 0)
    follow = (flags & O_EXCL) != 0 ? PATH_PARENT : PATH_CREATE;
  else if ((flags & O_NOFOLLOW) != 0)
    follow = PATH_NO_FOLLOW;
  long result = path_resolve(dirfd, guest_path, follow, &place);
  if (result < 0)
    return result;
  result = SYS_4(SYS_openat, place.descriptor, place.path, flags, mode);
  path_release(&place);
  return result;
}
