// openat2(2) with its resolve flags in guest terms.
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>

#include "cursor.h"
#include "guest.h"
#include "owners.h"
#include "path-calls.h"
#include "sys.h"

// The kernel's own opinion on the arguments: it looks at them before it finds the path empty.
static long check_how(const struct call *call) {
  long result = SYS_4(SYS_openat2, AT_FDCWD, "", call->argument[2], call->argument[3]);
  return result == -ENOENT ? 0 : result;
}

static bool has_binds_below(int dirfd) {
  char text[CURSOR_CAPACITY];
  struct cursor cursor = {.text = text};
  return mounts()->count > 0 && cursor_from_descriptor(&cursor, dirfd) && cursor_leads_to_bind(&cursor);
}

// Below an open directory without binds the guest's terms are the kernel's, as long as the path stays there.
static long open_below(int dirfd, const char *path, const struct open_how *how) {
  struct open_how scoped = *how;
  bool is_scoped = (how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) != 0;
  if (!is_scoped)
    scoped.resolve |= RESOLVE_BENEATH;
  return SYS_4(SYS_openat2, dirfd, path, &scoped, sizeof scoped);
}

static enum path_follow follow_of(uint64_t flags) {
  if ((flags & O_PATH) != 0)
    return (flags & O_NOFOLLOW) != 0 ? PATH_NO_FOLLOW : PATH_FOLLOW;
  if ((flags & O_CREAT) != 0)
    return (flags & (O_EXCL | O_NOFOLLOW)) != 0 ? PATH_PARENT : PATH_CREATE;
  return (flags & O_NOFOLLOW) != 0 ? PATH_NO_FOLLOW : PATH_FOLLOW;
}

// In the handler itself: a program that names resolve flags opens what it does not trust, and not a terminal.
static long open_limited(int dirfd, const char *path, const struct open_how *how) {
  bool is_scoped = (how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) != 0;
  if ((is_scoped || path[0] != '/') && !mounts()->has_read_only && !has_binds_below(dirfd)) {
    long result = open_below(dirfd, path, how);
    if (is_scoped || result != -EXDEV)
      return result;
  }
  if ((how->resolve & RESOLVE_CACHED) != 0)
    return -EAGAIN; // the walk would not be from the cache alone
  struct place place;
  long result = path_resolve_limited(dirfd, path, follow_of(how->flags), how->resolve, &place);
  if (result < 0)
    return result;
  struct open_how native = *how;
  native.resolve &= ~(uint64_t)(RESOLVE_BENEATH | RESOLVE_IN_ROOT);
  if (place.bind != NULL)
    native.resolve &= ~(uint64_t)RESOLVE_NO_XDEV; // the host path to the bind is not the guest's business
  long flags = (long)native.flags;
  result = check_read_only_open(&place, &flags);
  native.flags = (uint64_t)flags;
  if (result == 0)
    result = SYS_4(SYS_openat2, place.descriptor, place.path, &native, sizeof native);
  path_release(&place);
  return result;
}

static long look(int dirfd, const char *path, const struct open_how *how) {
  struct open_how looking = {.flags = O_PATH | O_CLOEXEC | (how->flags & O_NOFOLLOW), .resolve = how->resolve};
  return open_limited(dirfd, path, &looking);
}

static bool is_missing(int dirfd, const char *path, const struct open_how *how) {
  long found = look(dirfd, path, how);
  if (found >= 0)
    SYS_1(SYS_close, found);
  return found == -ENOENT;
}

// What O_TMPFILE makes has no name that would tell where it lies.
static void adopt_unnamed(int descriptor, int dirfd, const char *path, const struct open_how *how) {
  long found = look(dirfd, path, how);
  if (found < 0)
    return;
  struct place directory = {.descriptor = (int)found, .path = ".", .owned = -1, .relative = true};
  owners_adopt_unnamed(descriptor, &directory);
  SYS_1(SYS_close, found);
}

long call_openat2(struct call *call) {
  struct open_how how;
  const char *path = path_argument(call, 1);
  int dirfd = descriptor_argument(call, 0);
  long result = check_how(call);
  if (result == 0)
    result = guest_copy_in(&how, (const void *)call->argument[2], sizeof how);
  if (result < 0)
    return result;
  if (how.resolve == 0)
    return open_at(call, &(struct opening){dirfd, path, (long)how.flags, (long)how.mode});
  result = guest_string_length(path, PATH_MAX);
  if (result <= 0)
    return result == 0 ? -ENOENT : result;
  if (path_is_hidden_descriptor(dirfd))
    return -EBADF;
  bool is_new = (how.flags & (O_CREAT | O_PATH)) == O_CREAT && owners_matter_to_makers() && is_missing(dirfd, path, &how);
  result = open_limited(dirfd, path, &how);
  if (result >= 0 && is_new)
    owners_adopt_descriptor((int)result);
  if (result >= 0 && (how.flags & __O_TMPFILE) != 0 && owners_matter_to_makers())
    adopt_unnamed((int)result, dirfd, path, &how);
  return result;
}
