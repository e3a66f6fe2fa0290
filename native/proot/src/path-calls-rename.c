// Calls on two entries: rename(2) and link(2). Between binds they fail as between file systems.
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "directory-cache.h"
#include "path-calls.h"
#include "sys.h"

static void release(struct place *a, struct place *b) {
  path_release(a);
  path_release(b);
}

static bool same_bind(struct place *a, struct place *b) {
  if (config.bind_count == 0 || (a->relative && b->relative && a->descriptor == b->descriptor))
    return true;
  return path_parent_bind(a) == path_parent_bind(b);
}

static long rename_native(const struct place *from, const struct place *to, long flags) {
  if (flags != 0)
    return SYS_5(SYS_renameat2, from->descriptor, from->path, to->descriptor, to->path, flags);
#ifdef SYS_renameat
  return SYS_4(SYS_renameat, from->descriptor, from->path, to->descriptor, to->path);
#else
  return SYS_5(SYS_renameat2, from->descriptor, from->path, to->descriptor, to->path, 0);
#endif
}

static long rename_at(int from_dirfd, const char *from_path, int to_dirfd, const char *to_path, long flags) {
  struct place from, to;
  long result = path_resolve(from_dirfd, from_path, PATH_PARENT, &from);
  if (result < 0)
    return result;
  result = path_resolve(to_dirfd, to_path, PATH_PARENT, &to);
  if (result < 0) {
    path_release(&from);
    return result;
  }
  if (!same_bind(&from, &to))
    result = -EXDEV;
  else if (from.mount_point || to.mount_point)
    result = -EBUSY;
  else if (path_is_read_only(&from) || path_is_read_only(&to))
    result = -EROFS;
  else
    result = rename_native(&from, &to, flags);
  if (result == 0)
    directory_cache_invalidate();
  release(&from, &to);
  return result;
}

long call_rename(struct call *call) {
  return rename_at(AT_FDCWD, path_argument(call, 0), AT_FDCWD, path_argument(call, 1), 0);
}

long call_renameat(struct call *call) {
  return rename_at(descriptor_argument(call, 0), path_argument(call, 1), descriptor_argument(call, 2),
                   path_argument(call, 3), 0);
}

// The kernel judges the flags before the paths.
long call_renameat2(struct call *call) {
  long flags = (unsigned int)call->argument[4];
  if ((flags & ~(long)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) != 0)
    return -EINVAL;
  if ((flags & RENAME_EXCHANGE) != 0 && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) != 0)
    return -EINVAL;
  return rename_at(descriptor_argument(call, 0), path_argument(call, 1), descriptor_argument(call, 2),
                   path_argument(call, 3), flags);
}

static long link_at(int from_dirfd, const char *from_path, int to_dirfd, const char *to_path, long flags) {
  struct place from = {.owned = -1, .descriptor = from_dirfd, .path = from_path, .magic = true}, to;
  long result = 0;
  if (!names_descriptor(from_path, flags))
    result = path_resolve(from_dirfd, from_path, (flags & AT_SYMLINK_FOLLOW) != 0 ? PATH_FOLLOW : PATH_NO_FOLLOW, &from);
  else if (path_is_hidden_descriptor(from_dirfd))
    result = -EBADF;
  if (result < 0)
    return result;
  result = path_resolve(to_dirfd, to_path, PATH_PARENT, &to);
  if (result < 0) {
    path_release(&from);
    return result;
  }
  // What a descriptor or a magic link leads to may lie anywhere: the kernel tells.
  if (!from.magic && !(from.relative && to.relative && from.descriptor == to.descriptor) && config.bind_count > 0) {
    path_find_bind(&from);
    if (from.bind != path_parent_bind(&to))
      result = -EXDEV;
  }
  if (result == 0 && path_is_read_only(&to))
    result = -EROFS;
  if (result == 0)
    result = SYS_5(SYS_linkat, from.descriptor, from.path, to.descriptor, to.path, flags);
  char none;
  if (result == 0 && SYS_4(SYS_readlinkat, to.descriptor, to.path, &none, 1) >= 0)
    directory_cache_invalidate();
  release(&from, &to);
  return result;
}

long call_link(struct call *call) {
  return link_at(AT_FDCWD, path_argument(call, 0), AT_FDCWD, path_argument(call, 1), 0);
}

long call_linkat(struct call *call) {
  return link_at(descriptor_argument(call, 0), path_argument(call, 1), descriptor_argument(call, 2),
                 path_argument(call, 3), call->argument[4]);
}
