#include "walk.h"

#include <errno.h>
#include <linux/limits.h>
#include <linux/openat2.h>
#include <string.h>

#include "directory-cache.h"
#include "proc-link.h"
#include "sys.h"

enum { LINKS_MAX = 40 }; // MAXSYMLINKS of the kernel, path_resolution(7)

// What is left to walk, right-aligned, so that a symlink's text can be put in front.
struct pending {
  char text[2 * PATH_MAX];
  size_t start;
  size_t own; // end of the last component met that no symlink has put there
  bool in_last; // a symlink in the last component has been followed
};

enum { PENDING_END = sizeof((struct pending *)0)->text };

struct memory {
  const char *path; // NULL: nothing is to be remembered
  size_t limit;
  size_t origin; // what `path` starts with before the walk's own text
  uint32_t generation;
};

static void remember(const struct walk *walk, const struct memory *memory, size_t walked) {
  size_t length = memory->origin + walked;
  if (memory->path == NULL || length > memory->limit || walk->passed_proc)
    return;
  directory_cache_put(memory->path, length, &walk->at, walk->links, memory->generation);
}

// "." and ".." are looked up in a directory that must exist and be searchable; "x/." asks the kernel.
static long check_directory(struct walk *walk) {
  if (walk->directory)
    return 0;
  char none;
  long result = cursor_push(&walk->at, ".", 1);
  if (result < 0)
    return result;
  result = SYS_4(SYS_readlinkat, cursor_descriptor(&walk->at), cursor_path(&walk->at), &none, 1);
  cursor_drop(&walk->at);
  if (result == -ENOENT && cursor_leads_to_bind(&walk->at))
    result = -EINVAL;
  walk->directory = result == -EINVAL;
  return result == -EINVAL ? 0 : result;
}

static bool is_limited(const struct walk *walk, uint64_t resolve) {
  return walk->limits != NULL && (walk->limits->resolve & resolve) != 0;
}

static long jump_to_root(struct walk *walk) {
  bool crosses = walk->at.bind != mounts()->root || !walk->root_seen;
  if (is_limited(walk, RESOLVE_BENEATH) || (is_limited(walk, RESOLVE_NO_XDEV) && crosses))
    return -EXDEV;
  walk->directory = true;
  if (is_limited(walk, RESOLVE_IN_ROOT))
    return cursor_to_guest(&walk->at, walk->limits->floor, walk->limits->floor_length);
  cursor_to_root(&walk->at);
  return 0;
}

static long go_up(struct walk *walk) {
  walk->root_seen = true;
  if (is_limited(walk, RESOLVE_BENEATH | RESOLVE_IN_ROOT) &&
      cursor_is_at(&walk->at, walk->limits->floor, walk->limits->floor_length))
    return is_limited(walk, RESOLVE_BENEATH) ? -EXDEV : 0;
  const struct bind *left = walk->at.bind;
  cursor_up(&walk->at);
  return walk->at.bind != left && is_limited(walk, RESOLVE_NO_XDEV) ? -EXDEV : 0;
}

// `length` bytes at the front of `pending` are the text of the symlink that was pushed last.
static long follow(struct walk *walk, struct pending *pending, size_t length) {
  if (length == 0)
    return -ENOENT;
  if (walk->links++ >= LINKS_MAX || is_limited(walk, RESOLVE_NO_SYMLINKS))
    return -ELOOP;
  if (length > pending->start)
    return -ENAMETOOLONG;
  memmove(pending->text + pending->start - length, pending->text, length);
  pending->start -= length;
  if (pending->text[pending->start] == '/')
    return jump_to_root(walk);
  cursor_drop(&walk->at);
  return 0;
}

static long follow_magic(struct walk *walk, struct pending *pending, size_t length, bool last) {
  walk->passed_proc = true;
  if (is_limited(walk, RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS))
    return -ELOOP;
  if (is_limited(walk, RESOLVE_BENEATH | RESOLVE_IN_ROOT))
    return -EXDEV;
  if (last && !proc_link_misleads(&walk->at, pending->text, length)) {
    walk->ends_in_magic = true;
    return 0;
  }
  bool is_path = pending->text[0] == '/';
  long translated = proc_link_translate(&walk->at, pending->text, length, pending->start);
  if (translated < 0)
    return is_path ? translated : -ENOTDIR;
  return follow(walk, pending, (size_t)translated);
}

// Whether only slashes are left.
static bool is_slashes(const struct pending *pending) {
  size_t at = pending->start;
  while (at < PENDING_END && pending->text[at] == '/')
    at++;
  return at == PENDING_END;
}

// The component that was pushed last: follows it if it is a symlink.
static long step(struct walk *walk, struct pending *pending, enum walk_last mode) {
  bool final = pending->start == PENDING_END, last = final || is_slashes(pending);
  if (final && pending->in_last && mode == WALK_ONE_LINK && !walk->passed_proc)
    return 0;
  if (last && !final && mode == WALK_MAY_BE_MISSING) // open(2) makes no directory, whatever is there
    return 0;
  size_t capacity = pending->start < PATH_MAX ? pending->start : PATH_MAX;
  if (capacity == 0)
    return -ENAMETOOLONG;
  long length =
      SYS_4(SYS_readlinkat, cursor_descriptor(&walk->at), cursor_path(&walk->at), pending->text, capacity);
  if (length == -EINVAL)
    return 0;
  if (length == -ENOENT && ((last && mode == WALK_MAY_BE_MISSING) || cursor_leads_to_bind(&walk->at)))
    return 0;
  if (length < 0)
    return length;
  if ((size_t)length == capacity)
    return -ENAMETOOLONG;
  if (cursor_in_proc(&walk->at) && proc_link_is_magic(pending->text, (size_t)length))
    return follow_magic(walk, pending, (size_t)length, final);
  pending->in_last = last;
  return follow(walk, pending, (size_t)length);
}

long walk_name(struct walk *walk, const char *name, size_t length) {
  const struct bind *bind = cursor_bind_at(&walk->at, name, length);
  walk->directory = false;
  if (bind != NULL) {
    cursor_enter(&walk->at, bind);
    return is_limited(walk, RESOLVE_NO_XDEV) ? -EXDEV : WALK_ENTERED_BIND;
  }
  if (proc_hides(&walk->at, name, length))
    return -ENOENT;
  long result = cursor_push(&walk->at, name, length);
  if (result == 0 && cursor_in_proc(&walk->at))
    walk->passed_proc = true;
  return result;
}

static long walk_component(struct walk *walk, struct pending *pending, size_t end, enum walk_last mode) {
  const char *name = pending->text + pending->start;
  size_t length = end - pending->start;
  if (pending->start >= pending->own)
    pending->own = end;
  pending->start = end;
  bool dot = length == 1 && name[0] == '.';
  bool dot_dot = length == 2 && name[0] == '.' && name[1] == '.';
  if (!dot && !dot_dot) {
    long entered = walk_name(walk, name, length);
    return entered == 0 ? step(walk, pending, mode) : entered;
  }
  long result = check_directory(walk);
  return result == 0 && dot_dot ? go_up(walk) : result;
}

long walk_path(struct walk *walk, const char *path, size_t length, enum walk_last mode, const char *known,
               size_t known_length) {
  struct pending pending;
  if (length > PATH_MAX)
    return -ENAMETOOLONG;
  size_t origin = PENDING_END - length;
  pending.start = pending.own = origin;
  pending.in_last = false;
  memcpy(pending.text + origin, path, length);
  struct memory memory = {
      .path = known,
      .limit = known_length,
      .origin = known == NULL ? 0 : (size_t)(path - known),
      .generation = directory_cache_generation(),
  };
  for (;;) {
    if (pending.own > origin && pending.start >= pending.own)
      remember(walk, &memory, pending.own - origin);
    while (pending.start < PENDING_END && pending.text[pending.start] == '/')
      pending.start++;
    if (pending.start == PENDING_END) {
      walk->ends_in_slash = length > 0 && pending.text[PENDING_END - 1] == '/';
      return 0;
    }
    size_t end = pending.start;
    while (end < PENDING_END && pending.text[end] != '/')
      end++;
    long result = walk_component(walk, &pending, end, mode);
    if (result < 0)
      return result;
  }
}
