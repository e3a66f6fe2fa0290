// Calls that look at an object: stat(2), statx(2), access(2), statfs(2), name_to_handle_at(2).
#include <errno.h>
#include <linux/fcntl.h>
#include <sys/stat.h>

#include "path-calls.h"
#include "sys.h"

enum { ACCESS_WRITE = 2 }; // W_OK of access(2)

static void show_ids(uint32_t *uid, uint32_t *gid) {
  if ((config.flags & CONFIG_FAKE_IDS) == 0)
    return;
  if (*uid == config.host_uid)
    *uid = config.guest_uid;
  if (*gid == config.host_gid)
    *gid = config.guest_gid;
}

// The kernel has just written to `out`, so it can be read and corrected in place.
static long stat_native(int dirfd, const char *path, struct stat *out, long flags) {
  long result = SYS_4(SYS_newfstatat, dirfd, path, out, flags);
  if (result == 0)
    show_ids(&out->st_uid, &out->st_gid);
  return result;
}

// Most last components are no symlinks: look first, follow then.
static long stat_at(int dirfd, const char *guest_path, struct stat *out, long flags) {
  struct place place;
  long result = path_resolve(dirfd, guest_path, PATH_NO_FOLLOW, &place);
  if (result < 0)
    return result;
  result = stat_native(place.descriptor, place.path, out, flags | AT_SYMLINK_NOFOLLOW);
  path_release(&place);
  if (result < 0 || (flags & AT_SYMLINK_NOFOLLOW) != 0 || !S_ISLNK(out->st_mode))
    return result;
  result = path_resolve(dirfd, guest_path, PATH_FOLLOW, &place);
  if (result < 0)
    return result;
  result = stat_native(place.descriptor, place.path, out, flags);
  path_release(&place);
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
    show_ids(&out->st_uid, &out->st_gid);
  return result;
}

long call_newfstatat(struct call *call) {
  const char *path = path_argument(call, 1);
  struct stat *out = (struct stat *)call->argument[2];
  if (!names_descriptor(path, call->argument[3]))
    return stat_at(descriptor_argument(call, 0), path, out, call->argument[3]);
  long result = pass_on(call, 0);
  if (result == 0)
    show_ids(&out->st_uid, &out->st_gid);
  return result;
}

static long statx_native(int dirfd, const char *path, long flags, long mask, struct statx *out) {
  long result = SYS_5(SYS_statx, dirfd, path, flags, mask, out);
  if (result == 0)
    show_ids(&out->stx_uid, &out->stx_gid);
  return result;
}

long call_statx(struct call *call) {
  int dirfd = descriptor_argument(call, 0);
  const char *path = path_argument(call, 1);
  long flags = call->argument[2], mask = call->argument[3];
  struct statx *out = (struct statx *)call->argument[4];
  if (names_descriptor(path, flags))
    return path_is_hidden_descriptor(dirfd) ? -EBADF : statx_native(dirfd, path, flags, mask, out);
  struct place place;
  long result = path_resolve(dirfd, path, PATH_NO_FOLLOW, &place);
  if (result < 0)
    return result;
  // statx(2) always says whether it is a symlink when asked for the type.
  bool follows = (flags & AT_SYMLINK_NOFOLLOW) == 0;
  result = statx_native(place.descriptor, place.path, flags | AT_SYMLINK_NOFOLLOW, mask | (follows ? STATX_TYPE : 0),
                        out);
  path_release(&place);
  if (result < 0 || !follows || !S_ISLNK(out->stx_mode))
    return result;
  result = path_resolve(dirfd, path, PATH_FOLLOW, &place);
  if (result < 0)
    return result;
  result = statx_native(place.descriptor, place.path, flags, mask, out);
  path_release(&place);
  return result;
}

long call_statfs(struct call *call) {
  struct place place;
  long result = path_resolve(AT_FDCWD, path_argument(call, 0), PATH_FOLLOW, &place);
  if (result < 0)
    return result;
  result = path_make_plain(&place);
  if (result == 0)
    result = SYS_2(SYS_statfs, place.path, call->argument[1]);
  path_release(&place);
  return result;
}

// Files and directories on a read-only bind cannot be written, whatever their mode says.
static long check_writable(struct place *place, long flags) {
  struct stat stat;
  if (!path_is_read_only(place))
    return 0;
  long result = SYS_4(SYS_newfstatat, place->descriptor, place->path, &stat, flags & AT_SYMLINK_NOFOLLOW);
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
  if (result == 0 && (mode & ACCESS_WRITE) != 0)
    result = check_writable(&place, flags);
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
  if (names_descriptor(path, flags))
    return pass_on(call, 0);
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
