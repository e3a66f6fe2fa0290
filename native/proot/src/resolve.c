#include <errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <string.h>

#include "directory-cache.h"
#include "guest.h"
#include "parts.h"
#include "path.h"
#include "resolve.h"
#include "sys.h"
#include "walk.h"

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
  bool is_made = follow == PATH_PARENT || (follow == PATH_CREATE && !parts_end_in_dots(parts));
  if (!is_made && (parts_end_in_slash(parts) || parts_end_in_dots(parts)))
    return resolve_directory(walk, parts, out);
  long result = locate(walk, parts->path, parts->directory);
  if (result < 0)
    return result;
  return parts_follow_last(parts, follow) ? resolve_last(walk, parts, follow, out) : resolve_name(walk, parts, out);
}

long resolve_absolute(const char *path, size_t length, enum path_follow follow, struct place *out) {
  struct walk walk = {.at.text = out->buffer};
  struct parts parts = parts_of(path, length);
  if (parts.end > 0)
    return resolve_parts(&walk, &parts, follow, out);
  cursor_to_root(&walk.at);
  return finish(&walk, "", 0, out);
}

static long start(const char *guest_path, struct place *out) {
  out->owned = -1;
  out->bind = NULL;
  out->relative = false;
  out->bind_found = false;
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
  struct parts parts = parts_of(guest_path, (size_t)length);
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
