#include "path-calls.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>

#include "guest.h"
#include "sys.h"
#include "syscall-numbers.h"

bool names_descriptor(const char *guest_path, long flags) {
  return (flags & AT_EMPTY_PATH) != 0 && (guest_path == NULL || guest_string_length(guest_path, 1) == 0);
}

long pass_on(const struct call *call, int descriptor_index) {
  if (path_is_hidden_descriptor(descriptor_argument(call, descriptor_index)))
    return -EBADF;
  const long *a = call->argument;
  return sys_call(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

long call_later(struct call *call) {
  call->deferred->number = call->number;
  memcpy(call->deferred->argument, call->argument, sizeof call->argument);
  return CALL_DEFERRED;
}

bool descriptor_is_read_only(int descriptor) {
  if (!mounts()->has_read_only)
    return false;
  struct place place = {.descriptor = descriptor, .path = "", .owned = -1, .relative = true};
  return path_is_read_only(&place);
}

long pass_on_change(const struct call *call, int descriptor_index) {
  int descriptor = descriptor_argument(call, descriptor_index);
  if (!path_is_hidden_descriptor(descriptor) && descriptor_is_read_only(descriptor))
    return -EROFS;
  return pass_on(call, descriptor_index);
}

long pass_on_file_change(const struct call *call) {
  int descriptor = descriptor_argument(call, 0);
  if (!path_is_hidden_descriptor(descriptor) && descriptor_is_read_only(descriptor))
    return (SYS_2(SYS_fcntl, descriptor, F_GETFL) & O_PATH) != 0 ? -EBADF : -EROFS;
  return pass_on(call, 0);
}

static bool is_on_read_only(struct place *place, enum path_follow follow) {
  return follow == PATH_PARENT ? !path_is_no_name(place) && path_parent_is_read_only(place) : path_is_read_only(place);
}

long resolve_for_change(int dirfd, const char *guest_path, enum path_follow follow, struct place *out) {
  long result = path_resolve(dirfd, guest_path, follow, out);
  if (result < 0 || !is_on_read_only(out, follow))
    return result;
  char none;
  // What is not there cannot be changed anywhere; a name about to be removed has its directory judged first.
  result = follow == PATH_PARENT ? path_check_parent(out)
                                 : SYS_4(SYS_readlinkat, out->descriptor, out->path, &none, 1);
  path_release(out);
  return result >= 0 || result == -EINVAL ? -EROFS : result;
}

long resolve_new(int dirfd, const char *guest_path, bool makes_directory, struct place *out) {
  long result = path_resolve(dirfd, guest_path, PATH_PARENT, out);
  if (result < 0 || !is_on_read_only(out, PATH_PARENT))
    return result;
  result = path_probe_name(out);
  bool has_slash = out->path[strlen(out->path) - 1] == '/';
  path_release(out);
  if (result == -EINVAL || result >= 0)
    return -EEXIST;
  return result == -ENOENT && (makes_directory || !has_slash) ? -EROFS : result;
}

long path_call(struct call *call) {
  switch (call->number) {
#ifdef SYS_open
  case SYS_open:
    return call_open(call);
  case SYS_creat:
    return call_creat(call);
  case SYS_stat:
    return call_stat(call);
  case SYS_lstat:
    return call_lstat(call);
  case SYS_access:
    return call_access(call);
  case SYS_readlink:
    return call_readlink(call);
  case SYS_mkdir:
    return call_mkdir(call);
  case SYS_mknod:
    return call_mknod(call);
  case SYS_rmdir:
    return call_rmdir(call);
  case SYS_unlink:
    return call_unlink(call);
  case SYS_rename:
    return call_rename(call);
  case SYS_link:
    return call_link(call);
  case SYS_symlink:
    return call_symlink(call);
  case SYS_chmod:
    return call_chmod(call);
  case SYS_chown:
    return call_chown(call);
  case SYS_lchown:
    return call_lchown(call);
  case SYS_utime:
    return call_utime(call);
  case SYS_utimes:
    return call_utimes(call);
  case SYS_futimesat:
    return call_futimesat(call);
#endif
#ifdef SYS_renameat
  case SYS_renameat:
    return call_renameat(call);
#endif
  case SYS_openat:
    return call_openat(call);
  case SYS_openat2:
    return call_openat2(call);
  case SYS_newfstatat:
    return call_newfstatat(call);
  case SYS_fstat:
    return call_fstat(call);
  case SYS_statx:
    return call_statx(call);
  case SYS_statfs:
    return call_statfs(call);
  case SYS_faccessat:
    return call_faccessat(call);
  case SYS_faccessat2:
    return call_faccessat2(call);
  case SYS_name_to_handle_at:
    return call_name_to_handle_at(call);
  case SYS_readlinkat:
    return call_readlinkat(call);
  case SYS_chdir:
    return call_chdir(call);
  case SYS_fchdir:
    return call_fchdir(call);
  case SYS_getcwd:
    return call_getcwd(call);
  case SYS_chroot:
    return call_chroot(call);
  case SYS_pivot_root:
    return call_pivot_root(call);
  case SYS_mount:
    return call_mount(call);
  case SYS_umount2:
    return call_umount2(call);
  case SYS_mkdirat:
    return call_mkdirat(call);
  case SYS_mknodat:
    return call_mknodat(call);
  case SYS_symlinkat:
    return call_symlinkat(call);
  case SYS_unlinkat:
    return call_unlinkat(call);
  case SYS_renameat2:
    return call_renameat2(call);
  case SYS_linkat:
    return call_linkat(call);
  case SYS_fchmodat:
    return call_fchmodat(call);
  case SYS_fchmodat2:
    return call_fchmodat2(call);
  case SYS_fchownat:
    return call_fchownat(call);
  case SYS_fchown:
    return call_fchown(call);
  case SYS_fchmod:
    return call_fchmod(call);
  case SYS_ioctl:
    return pass_on_file_change(call);
  case SYS_truncate:
    return call_truncate(call);
  case SYS_utimensat:
    return call_utimensat(call);
  case SYS_file_getattr:
    return call_file_getattr(call);
  case SYS_file_setattr:
    return call_file_setattr(call);
  case SYS_setxattr:
  case SYS_lsetxattr:
  case SYS_getxattr:
  case SYS_lgetxattr:
  case SYS_listxattr:
  case SYS_llistxattr:
  case SYS_removexattr:
  case SYS_lremovexattr:
    return call_plain_xattr(call);
  case SYS_fsetxattr:
  case SYS_fgetxattr:
  case SYS_flistxattr:
  case SYS_fremovexattr:
    return call_descriptor_xattr(call);
  case SYS_setxattrat:
  case SYS_getxattrat:
  case SYS_listxattrat:
  case SYS_removexattrat:
    return call_xattrat(call);
  case SYS_inotify_add_watch:
    return call_inotify_add_watch(call);
  case SYS_fanotify_mark:
    return call_fanotify_mark(call);
  case SYS_bind:
    return call_bind(call);
  case SYS_connect:
    return call_connect(call);
  case SYS_sendto:
    return call_sendto(call);
  case SYS_getsockname:
  case SYS_getpeername:
    return call_socket_name(call);
  case SYS_accept:
  case SYS_accept4:
    return call_accept(call);
  case SYS_recvfrom:
    return call_recvfrom(call);
  case SYS_sendmsg:
    return call_sendmsg(call);
  case SYS_sendmmsg:
    return call_sendmmsg(call);
  case SYS_recvmsg:
    return call_recvmsg(call);
  case SYS_recvmmsg:
    return call_recvmmsg(call);
  default:
    return -ENOSYS;
  }
}
