// Calls that make or remove one directory entry: mkdir(2), mknod(2), symlink(2), unlink(2), rmdir(2).
#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>

#include "directory-cache.h"
#include "guest.h"
#include "owners.h"
#include "path-calls.h"
#include "sys.h"

static long make_directory(int dirfd, const char *guest_path, long mode) {
  struct place place;
  long result = resolve_new(dirfd, guest_path, true, &place);
  if (result < 0)
    return result;
  result = SYS_3(SYS_mkdirat, place.descriptor, place.path, mode);
  if (result == 0)
    owners_adopt(&place);
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
  long result = resolve_new(dirfd, guest_path, false, &place);
  if (result < 0)
    return result;
  result = SYS_4(SYS_mknodat, place.descriptor, place.path, mode, device);
  if (result == 0)
    owners_adopt(&place);
  path_release(&place);
  return result;
}

long call_mknod(struct call *call) {
  return make_node(AT_FDCWD, path_argument(call, 0), call->argument[1], call->argument[2]);
}

long call_mknodat(struct call *call) {
  return make_node(descriptor_argument(call, 0), path_argument(call, 1), call->argument[2], call->argument[3]);
}

// The text of a symlink is kept as the guest wrote it. An unusable one is an error before any in the path.
static long make_symlink(long target, int dirfd, const char *guest_path) {
  struct place place;
  long result = resolve_new(dirfd, guest_path, false, &place);
  if (result < 0) {
    long length = guest_string_length((const char *)target, PATH_MAX);
    return length < 0 ? length : length == 0 ? -ENOENT : result;
  }
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

static bool is_directory(const struct place *mount_point) {
  return bind_is_root(mount_point->bind) || (mount_point->bind->flags & BIND_IS_DIRECTORY) != 0;
}

// The errors that come before -EBUSY for a mount point, in the kernel's order.
static long refuse_to_remove(const struct place *mount_point, bool as_directory) {
  bool is_root = bind_is_root(mount_point->bind);
  bool has_slash = mount_point->path[strlen(mount_point->path) - 1] == '/';
  if (is_root)
    return as_directory ? -EBUSY : -EISDIR;
  if (!as_directory && has_slash)
    return is_directory(mount_point) ? -EISDIR : -ENOTDIR;
  struct place parent;
  long result = path_parent(mount_point, &parent);
  if (result == 0)
    result = path_check_access(&parent, PATH_WRITE | PATH_SEARCH);
  if (result < 0)
    return result;
  if (as_directory != is_directory(mount_point))
    return as_directory ? -ENOTDIR : -EISDIR;
  return -EBUSY;
}

// A directory above a bind is not empty, whatever the host finds in it.
static long refuse_to_empty(const struct place *place) {
  struct place parent;
  long result = path_parent(place, &parent);
  if (result == 0)
    result = path_check_access(&parent, PATH_WRITE | PATH_SEARCH);
  return result < 0 ? result : -ENOTEMPTY;
}

static long remove_directory(int dirfd, const char *guest_path) {
  struct place place;
  long result = resolve_for_change(dirfd, guest_path, PATH_PARENT, &place);
  if (result < 0)
    return result;
  if (place.mount_point)
    result = refuse_to_remove(&place, true);
  else if (path_leads_to_bind(&place))
    result = refuse_to_empty(&place);
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
  bool is_symlink = false;
  if (place.mount_point) {
    result = refuse_to_remove(&place, false);
  } else {
    is_symlink = path_probe_name(&place) >= 0;
    result = SYS_3(SYS_unlinkat, place.descriptor, place.path, 0);
  }
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
