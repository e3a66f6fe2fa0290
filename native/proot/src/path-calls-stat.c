// Calls that look at an object: stat(2), statx(2), access(2), statfs(2), name_to_handle_at(2).
#include <errno.h>
#include <linux/fcntl.h>
#include <sys/stat.h>

#include "owners.h"
#include "path-calls.h"
#include "sys.h"

// The kernel has just written to `out`, so it can be read and corrected in place.
static long stat_place(struct place *place, struct stat *out, long flags) {
  long native = place->magic ? flags & ~AT_SYMLINK_NOFOLLOW : flags | AT_SYMLINK_NOFOLLOW;
  long result = SYS_4(SYS_newfstatat, place->descriptor, place->path, out, native);
  if (result == 0)
    owners_show(place, out->st_mode, &out->st_uid, &out->st_gid);
  return result;
}

static long stat_as(int dirfd, const char *guest_path, enum path_follow follow, struct stat *out, long flags) {
  struct place place;
  long result = path_resolve(dirfd, guest_path, follow, &place);
  if (result < 0)
    return result;
  result = stat_place(&place, out, flags);
  path_release(&place);
  return result;
}

// Most last components are no symlinks, and most symlinks lead to none: look first, follow then.
static long stat_at(int dirfd, const char *guest_path, struct stat *out, long flags) {
  long result = stat_as(dirfd, guest_path, PATH_NO_FOLLOW, out, flags);
  if ((flags & AT_SYMLINK_NOFOLLOW) != 0)
    return result;
  if (result == 0 && S_ISLNK(out->st_mode))
    result = stat_as(dirfd, guest_path, PATH_FOLLOW_ONE, out, flags);
  if (result == 0 && S_ISLNK(out->st_mode))
    result = stat_as(dirfd, guest_path, PATH_FOLLOW, out, flags);
  return result;
}

long call_stat(struct call *call) {
  return stat_at(AT_FDCWD, path_argument(call, 0), (struct stat *)call->argument[1], 0);
}

long call_lstat(struct call *call) {
  return stat_at(AT_FDCWD, path_argument(call, 0), (struct stat *)call->argument[1], AT_SYMLINK_NOFOLLOW);
}

long call_fstat(struct call *call) {
  struct stat *out = (struct stat *)call->argument[1];
  long result = pass_on(call, 0);
  if (result == 0)
    owners_show_descriptor(descriptor_argument(call, 0), out->st_mode, &out->st_uid, &out->st_gid);
  return result;
}

long call_newfstatat(struct call *call) {
  const char *path = path_argument(call, 1);
  struct stat *out = (struct stat *)call->argument[2];
  if (!names_descriptor(path, call->argument[3]))
    return stat_at(descriptor_argument(call, 0), path, out, call->argument[3]);
  long result = pass_on(call, 0);
  if (result == 0)
    owners_show_descriptor(descriptor_argument(call, 0), out->st_mode, &out->st_uid, &out->st_gid);
  return result;
}

struct statx_request {
  int dirfd;
  const char *path;
  long flags;
  long mask;
  struct statx *out;
};

static long statx_native(const struct statx_request *request, int dirfd, const char *path, long flags) {
  return SYS_5(SYS_statx, dirfd, path, flags, request->mask, request->out);
}

static long statx_as(const struct statx_request *request, enum path_follow follow) {
  struct place place;
  long result = path_resolve(request->dirfd, request->path, follow, &place);
  if (result < 0)
    return result;
  long flags = place.magic ? request->flags & ~AT_SYMLINK_NOFOLLOW : request->flags | AT_SYMLINK_NOFOLLOW;
  struct statx *out = request->out;
  result = statx_native(request, place.descriptor, place.path, flags);
  if (result == 0)
    owners_show(&place, out->stx_mode, &out->stx_uid, &out->stx_gid);
  path_release(&place);
  return result;
}

long call_statx(struct call *call) {
  struct statx_request request = {.dirfd = descriptor_argument(call, 0),
                                  .path = path_argument(call, 1),
                                  .flags = call->argument[2],
                                  .mask = call->argument[3],
                                  .out = (struct statx *)call->argument[4]};
  if (names_descriptor(request.path, request.flags)) {
    if (path_is_hidden_descriptor(request.dirfd))
      return -EBADF;
    long result = statx_native(&request, request.dirfd, request.path, request.flags);
    if (result == 0)
      owners_show_descriptor(request.dirfd, request.out->stx_mode, &request.out->stx_uid, &request.out->stx_gid);
    return result;
  }
  if ((request.flags & AT_SYMLINK_NOFOLLOW) != 0)
    return statx_as(&request, PATH_NO_FOLLOW);
  request.mask |= STATX_TYPE;
  long result = statx_as(&request, PATH_NO_FOLLOW);
  if (result == 0 && S_ISLNK(request.out->stx_mode))
    result = statx_as(&request, PATH_FOLLOW_ONE);
  if (result == 0 && S_ISLNK(request.out->stx_mode))
    result = statx_as(&request, PATH_FOLLOW);
  return result;
}

long call_statfs(struct call *call) {
  struct place place;
  long result = path_resolve(AT_FDCWD, path_argument(call, 0), PATH_FOLLOW, &place);
  if (result < 0)
    return result;
  result = path_call_plain(&place, call->number, call->argument, 0);
  path_release(&place);
  return result;
}

// Files and directories on a read-only bind cannot be written, whatever their mode says.
static long refuse_writing(int dirfd, const char *path, long flags) {
  struct stat stat;
  long result = SYS_4(SYS_newfstatat, dirfd, path, &stat, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH));
  if (result < 0)
    return result;
  return S_ISREG(stat.st_mode) || S_ISDIR(stat.st_mode) || S_ISLNK(stat.st_mode) ? -EROFS : 0;
}

static long access_at(long number, int dirfd, const char *guest_path, long mode, long flags) {
  struct place place;
  long result =
      path_resolve(dirfd, guest_path, (flags & AT_SYMLINK_NOFOLLOW) != 0 ? PATH_NO_FOLLOW : PATH_FOLLOW, &place);
  if (result < 0)
    return result;
  result = SYS_4(number, place.descriptor, place.path, mode, flags);
  if (result == 0 && (mode & PATH_WRITE) != 0 && path_is_read_only(&place))
    result = refuse_writing(place.descriptor, place.path, flags);
  path_release(&place);
  return result;
}

long call_access(struct call *call) {
  return access_at(SYS_faccessat, AT_FDCWD, path_argument(call, 0), call->argument[1], 0);
}

long call_faccessat(struct call *call) {
  return access_at(SYS_faccessat, descriptor_argument(call, 0), path_argument(call, 1), call->argument[2], 0);
}

long call_faccessat2(struct call *call) {
  const char *path = path_argument(call, 1);
  long flags = call->argument[3];
  if (names_descriptor(path, flags)) {
    long result = pass_on(call, 0);
    if (result == 0 && (call->argument[2] & PATH_WRITE) != 0 && descriptor_is_read_only(descriptor_argument(call, 0)))
      result = refuse_writing(descriptor_argument(call, 0), path, flags);
    return result;
  }
  return access_at(SYS_faccessat2, descriptor_argument(call, 0), path, call->argument[2], flags);
}

long call_name_to_handle_at(struct call *call) {
  const long *a = call->argument;
  const char *path = path_argument(call, 1);
  if (names_descriptor(path, a[4]))
    return pass_on(call, 0);
  struct place place;
  long result = path_resolve(descriptor_argument(call, 0), path,
                             (a[4] & AT_SYMLINK_FOLLOW) != 0 ? PATH_FOLLOW : PATH_NO_FOLLOW, &place);
  if (result < 0)
    return result;
  result = SYS_5(SYS_name_to_handle_at, place.descriptor, place.path, a[2], a[3], a[4]);
  path_release(&place);
  return result;
}
