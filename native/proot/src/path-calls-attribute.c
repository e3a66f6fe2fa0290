// Calls that change what an object is: mode, owner, size, times, file attributes.
#include <errno.h>
#include <linux/fcntl.h>
#include <sys/stat.h>

#include "directory-cache.h"
#include "owners.h"
#include "path-calls.h"
#include "sys.h"
#include "syscall-numbers.h"

static enum path_follow follow_of(long flags) {
  return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? PATH_NO_FOLLOW : PATH_FOLLOW;
}

// Ways through a directory that somebody may not search any more are not to be found in the cache.
static void note_mode(int dirfd, const char *path, long mode, long flags) {
  enum { SEARCHED_BY_ALL = S_IXUSR | S_IXGRP | S_IXOTH };
  struct stat stat;
  if ((mode & SEARCHED_BY_ALL) != SEARCHED_BY_ALL && SYS_4(SYS_newfstatat, dirfd, path, &stat, flags) == 0 &&
      S_ISDIR(stat.st_mode))
    directory_cache_invalidate();
}

static long change_mode(int dirfd, const char *guest_path, long mode) {
  struct place place;
  long result = resolve_for_change(dirfd, guest_path, PATH_FOLLOW, &place);
  if (result < 0)
    return result;
  result = SYS_3(SYS_fchmodat, place.descriptor, place.path, mode);
  if (result == 0)
    note_mode(place.descriptor, place.path, mode, 0);
  path_release(&place);
  return result;
}

long call_chmod(struct call *call) {
  return change_mode(AT_FDCWD, path_argument(call, 0), call->argument[1]);
}

long call_fchmodat(struct call *call) {
  return change_mode(descriptor_argument(call, 0), path_argument(call, 1), call->argument[2]);
}

long call_fchmodat2(struct call *call) {
  const char *path = path_argument(call, 1);
  long mode = call->argument[2], flags = call->argument[3];
  long result;
  if (names_descriptor(path, flags)) {
    result = pass_on_change(call, 0);
    if (result == 0)
      note_mode(descriptor_argument(call, 0), "", mode, AT_EMPTY_PATH);
    return result;
  }
  struct place place;
  result = resolve_for_change(descriptor_argument(call, 0), path, follow_of(flags), &place);
  if (result < 0)
    return result;
  result = SYS_4(SYS_fchmodat2, place.descriptor, place.path, mode, flags);
  if (result == 0)
    note_mode(place.descriptor, place.path, mode, flags & AT_SYMLINK_NOFOLLOW);
  path_release(&place);
  return result;
}

long call_fchmod(struct call *call) {
  long result = pass_on_file_change(call);
  if (result == 0)
    note_mode(descriptor_argument(call, 0), "", call->argument[1], AT_EMPTY_PATH);
  return result;
}

static long change_owner(int dirfd, const char *guest_path, long owner, long group, long flags) {
  struct place place;
  long result = resolve_for_change(dirfd, guest_path, follow_of(flags), &place);
  if (result < 0)
    return result;
  if ((config.flags & CONFIG_FAKE_IDS) != 0)
    result = owners_change(&place, (uint32_t)owner, (uint32_t)group);
  else
    result = SYS_5(SYS_fchownat, place.descriptor, place.path, owner, group, flags);
  path_release(&place);
  return result;
}

long call_chown(struct call *call) {
  return change_owner(AT_FDCWD, path_argument(call, 0), call->argument[1], call->argument[2], 0);
}

long call_lchown(struct call *call) {
  return change_owner(AT_FDCWD, path_argument(call, 0), call->argument[1], call->argument[2], AT_SYMLINK_NOFOLLOW);
}

long call_fchownat(struct call *call) {
  int dirfd = descriptor_argument(call, 0);
  const char *path = path_argument(call, 1);
  long flags = call->argument[4];
  if ((flags & ~(long)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) != 0)
    return -EINVAL;
  if (!names_descriptor(path, flags))
    return change_owner(dirfd, path, call->argument[2], call->argument[3], flags);
  if ((config.flags & CONFIG_FAKE_IDS) == 0)
    return pass_on_change(call, 0);
  if (path_is_hidden_descriptor(dirfd))
    return -EBADF;
  return descriptor_is_read_only(dirfd)
             ? -EROFS
             : owners_change_descriptor(dirfd, (uint32_t)call->argument[2], (uint32_t)call->argument[3]);
}

long call_fchown(struct call *call) {
  int descriptor = descriptor_argument(call, 0);
  if ((config.flags & CONFIG_FAKE_IDS) == 0 || descriptor_is_read_only(descriptor))
    return pass_on_file_change(call);
  long flags = path_is_hidden_descriptor(descriptor) ? -EBADF : SYS_2(SYS_fcntl, descriptor, F_GETFL);
  if (flags < 0 || (flags & O_PATH) != 0)
    return -EBADF;
  return owners_change_descriptor(descriptor, (uint32_t)call->argument[1], (uint32_t)call->argument[2]);
}

// Calls that take a path and no descriptor.
static long change_plain(struct call *call) {
  struct place place;
  long result = resolve_for_change(AT_FDCWD, path_argument(call, 0), PATH_FOLLOW, &place);
  if (result < 0)
    return result;
  result = path_call_plain(&place, call->number, call->argument, 0);
  path_release(&place);
  return result;
}

// What cannot be truncated anyway is the earlier error, truncate(2).
static long blame_type(struct call *call) {
  struct place place;
  struct stat stat;
  long result = path_resolve(AT_FDCWD, path_argument(call, 0), PATH_FOLLOW, &place);
  if (result < 0)
    return result;
  result = SYS_4(SYS_newfstatat, place.descriptor, place.path, &stat, 0);
  if (result == 0 && !S_ISREG(stat.st_mode))
    result = S_ISDIR(stat.st_mode) ? -EISDIR : -EINVAL;
  if (result == 0)
    result = path_check_access(&place, PATH_WRITE);
  path_release(&place);
  return result < 0 ? result : -EROFS;
}

long call_truncate(struct call *call) {
  long result = change_plain(call);
  return result == -EROFS ? blame_type(call) : result;
}

long call_utime(struct call *call) {
  return change_plain(call);
}

long call_utimes(struct call *call) {
  return change_plain(call);
}

static long change_times(struct call *call, long flags) {
  const char *path = path_argument(call, 1);
  if (path == NULL || names_descriptor(path, flags))
    return pass_on_change(call, 0);
  struct place place;
  long result = resolve_for_change(descriptor_argument(call, 0), path, follow_of(flags), &place);
  if (result < 0)
    return result;
  result = SYS_4(call->number, place.descriptor, place.path, call->argument[2], flags);
  path_release(&place);
  return result;
}

long call_futimesat(struct call *call) {
  return change_times(call, 0);
}

long call_utimensat(struct call *call) {
  return change_times(call, call->argument[3]);
}

static long file_attributes(struct call *call, bool changes) {
  const char *path = path_argument(call, 1);
  long flags = call->argument[4];
  if (names_descriptor(path, flags))
    return changes ? pass_on_change(call, 0) : pass_on(call, 0);
  struct place place;
  long result = path_resolve(descriptor_argument(call, 0), path, follow_of(flags), &place);
  if (result < 0)
    return result;
  if (changes && path_is_read_only(&place))
    result = -EROFS;
  else
    result = SYS_5(call->number, place.descriptor, place.path, call->argument[2], call->argument[3], flags);
  path_release(&place);
  return result;
}

long call_file_getattr(struct call *call) {
  return file_attributes(call, false);
}

long call_file_setattr(struct call *call) {
  return file_attributes(call, true);
}
