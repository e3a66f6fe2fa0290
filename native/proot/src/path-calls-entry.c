// Calls that make or remove one directory entry: mkdir(2), mknod(2), symlink(2), unlink(2), rmdir(2).
#include <errno.h>
#include <linux/fcntl.h>

#include "directory-cache.h"
#include "path-calls.h"
#include "sys.h"

// An entry about to be made: one that exists is -EEXIST even where nothing can be made.
static long resolve_new(int dirfd, const char *guest_path, struct place *out) {
  long result = path_resolve(dirfd, guest_path, PATH_PARENT, out);
  if (result < 0 || !path_parent_is_read_only(out))
    return result;
  char none;
  result = SYS_4(SYS_readlinkat, out->descriptor, out->path, &none, 1);
  path_release(out);
  return result == -EINVAL || result >= 0 ? -EEXIST : result == -ENOENT ? -EROFS : result;
}

static long make_directory(int dirfd, const char *guest_path, long mode) {
  struct place place;
  long result = resolve_new(dirfd, guest_path, &place);
  if (result < 0)
    return result;
  result = SYS_3(SYS_mkdirat, place.descriptor, place.path, mode);
  path_release(&place);
  return result;
}

long call_mkdir(struct call *call) {
  return make_directory(AT_FDCWD, path_argument(call, 0), call->argument[1]);
}

long call_mkdirat(struct call *call) {
  return make_directory(descriptor_argument(call, 0), path_argument(call, 1), call->argument[2]);
}

static long make_node(int dirfd, const char *guest_path, long mode, long device) {
  struct place place;
  long result = resolve_new(dirfd, guest_path, &place);
  if (result < 0)
    return result;
  result = SYS_4(SYS_mknodat, place.descriptor, place.path, mode, device);
  path_release(&place);
  return result;
}

long call_mknod(struct call *call) {
  return make_node(AT_FDCWD, path_argument(call, 0), call->argument[1], call->argument[2]);
}

long call_mknodat(struct call *call) {
  return make_node(descriptor_argument(call, 0), path_argument(call, 1), call->argument[2], call->argument[3]);
}

// The text of a symlink is kept as the guest wrote it.
static long make_symlink(long target, int dirfd, const char *guest_path) {
  struct place place;
  long result = resolve_new(dirfd, guest_path, &place);
  if (result < 0)
    return result;
  result = SYS_3(SYS_symlinkat, target, place.descriptor, place.path);
  if (result == 0)
    directory_cache_invalidate();
  path_release(&place);
  return result;
}

long call_symlink(struct call *call) {
  return make_symlink(call->argument[0], AT_FDCWD, path_argument(call, 1));
}

long call_symlinkat(struct call *call) {
  return make_symlink(call->argument[0], descriptor_argument(call, 1), path_argument(call, 2));
}

static long refuse_mount_point(const struct place *place, long refusal) {
  long result = path_check_parent_writable(place);
  return result < 0 ? result : refusal;
}

static long remove_directory(int dirfd, const char *guest_path) {
  struct place place;
  long result = resolve_for_change(dirfd, guest_path, PATH_PARENT, &place);
  if (result < 0)
    return result;
  if (place.mount_point)
    result = refuse_mount_point(&place, -EBUSY);
  else
    result = SYS_3(SYS_unlinkat, place.descriptor, place.path, AT_REMOVEDIR);
  path_release(&place);
  return result;
}

static long remove_file(int dirfd, const char *guest_path) {
  struct place place;
  long result = resolve_for_change(dirfd, guest_path, PATH_PARENT, &place);
  if (result < 0)
    return result;
  char none;
  bool is_symlink = SYS_4(SYS_readlinkat, place.descriptor, place.path, &none, 1) >= 0;
  bool is_bound_file = place.bind != NULL && (place.bind->flags & BIND_IS_DIRECTORY) == 0;
  if (place.mount_point)
    result = refuse_mount_point(&place, is_bound_file ? -EBUSY : -EISDIR);
  else
    result = SYS_3(SYS_unlinkat, place.descriptor, place.path, 0);
  if (result == 0 && is_symlink)
    directory_cache_invalidate();
  path_release(&place);
  return result;
}

long call_rmdir(struct call *call) {
  return remove_directory(AT_FDCWD, path_argument(call, 0));
}

long call_unlink(struct call *call) {
  return remove_file(AT_FDCWD, path_argument(call, 0));
}

long call_unlinkat(struct call *call) {
  int dirfd = descriptor_argument(call, 0);
  const char *path = path_argument(call, 1);
  switch (call->argument[2]) {
  case 0:
    return remove_file(dirfd, path);
  case AT_REMOVEDIR:
    return remove_directory(dirfd, path);
  default:
    return -EINVAL;
  }
}
