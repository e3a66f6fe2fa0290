// Calls on two entries: rename(2) and link(2). Between binds they fail as between file systems.
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>

#include "directory-cache.h"
#include "path-calls.h"
#include "sys.h"

static long probe(const struct place *place) {
  char none;
  return SYS_4(SYS_readlinkat, place->descriptor, place->path, &none, 1);
}

static bool same_bind(struct place *a, struct place *b) {
  if (mounts()->count == 0 || (a->relative && b->relative && a->descriptor == b->descriptor))
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

static bool same_mount_point(const struct place *a, const struct place *b) {
  return a->mount_point && b->mount_point && a->bind == b->bind;
}

static bool exists(const struct place *place) {
  long result = path_probe_name(place);
  return result == -EINVAL || result >= 0;
}

static bool has_trailing_slash(const struct place *place) {
  return place->path[strlen(place->path) - 1] == '/';
}

static bool is_directory(const struct place *place) {
  struct stat stat;
  return path_probe_name(place) == -EINVAL &&
         SYS_4(SYS_newfstatat, place->descriptor, place->path, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(stat.st_mode);
}

static bool same_object(const struct place *a, const struct place *b) {
  struct stat x, y;
  return SYS_4(SYS_newfstatat, a->descriptor, a->path, &x, 0) == 0 &&
         SYS_4(SYS_newfstatat, b->descriptor, b->path, &y, 0) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

// Whether the two directories and what is moved between them may be written. Out of line: its buffers are not to lie on
// the stack while paths are resolved.
__attribute__((noinline)) static long check_permissions(const struct place *from, const struct place *to,
                                                        bool moves_directory) {
  struct place from_parent, to_parent;
  if (path_parent(from, &from_parent) < 0 || path_parent(to, &to_parent) < 0)
    return 0;
  long result = path_check_access(&from_parent, PATH_WRITE | PATH_SEARCH);
  if (result == 0)
    result = path_check_access(&to_parent, PATH_WRITE | PATH_SEARCH);
  if (result == 0 && moves_directory && !same_object(&from_parent, &to_parent))
    result = path_check_access(from, PATH_WRITE);
  return result;
}

// The errors that come before -EBUSY for a mount point, in the kernel's order.
static long judge_mount_points(const struct place *from, const struct place *to, long flags) {
  bool moves_directory = is_directory(from), replaces = exists(to), exchanges = (flags & RENAME_EXCHANGE) != 0;
  if (!exists(from) || (exchanges && !replaces))
    return -ENOENT;
  if ((flags & RENAME_NOREPLACE) != 0 && replaces)
    return -EEXIST;
  if (!moves_directory && (has_trailing_slash(from) || (!exchanges && has_trailing_slash(to))))
    return -ENOTDIR;
  if (exchanges && has_trailing_slash(to) && !is_directory(to))
    return -ENOTDIR;
  long result = check_permissions(from, to, moves_directory);
  if (result < 0)
    return result;
  if (replaces && !exchanges && moves_directory != is_directory(to))
    return moves_directory ? -ENOTDIR : -EISDIR;
  return -EBUSY;
}

// What the host's kernel would get wrong, since for it there are no binds. With `*done` there is nothing left to do.
// A directory above a bind stays where it is, as the bind's path does: here rename(2) is stricter than with mounts.
static long judge_rename(struct place *from, struct place *to, long flags, bool *done) {
  bool crosses = !same_bind(from, to);
  bool is_read_only = path_parent_is_read_only(from);
  *done = false;
  bool moves_bind = path_leads_to_bind(from) || ((flags & RENAME_EXCHANGE) != 0 && path_leads_to_bind(to));
  if (!crosses && !is_read_only && !moves_bind && !from->mount_point && !to->mount_point)
    return 0;
  long result = path_check_parent(from);
  if (result == 0)
    result = path_check_parent(to);
  if (result < 0)
    return result;
  if (crosses)
    return -EXDEV;
  if (path_is_no_name(from))
    return -EBUSY;
  if (path_is_no_name(to))
    return (flags & RENAME_NOREPLACE) != 0 ? -EEXIST : -EBUSY;
  if (is_read_only)
    return -EROFS;
  *done = flags == 0 && same_mount_point(from, to);
  return *done ? 0 : judge_mount_points(from, to, flags);
}

static long rename_at(int from_dirfd, const char *from_path, int to_dirfd, const char *to_path, long flags) {
  struct place from, to;
  long result = path_resolve(from_dirfd, from_path, PATH_PARENT, &from);
  if (result < 0)
    return result;
  result = path_resolve(to_dirfd, to_path, PATH_PARENT, &to);
  if (result < 0) {
    long earlier = path_check_parent(&from);
    path_release(&from);
    return earlier < 0 ? earlier : result;
  }
  bool done;
  result = judge_rename(&from, &to, flags, &done);
  if (result == 0 && !done) {
    result = rename_native(&from, &to, flags);
    if (result == 0)
      directory_cache_invalidate();
  }
  path_release(&from);
  path_release(&to);
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

// What the kernel finds wrong with the object to be linked, before it looks at the new name.
static long check_source(const struct place *from) {
  if (from->magic)
    return 0;
  long result = probe(from);
  return result == -EINVAL || result >= 0 ? 0 : result;
}

static long check_target(const struct place *to) {
  long result = path_check_parent(to);
  if (result < 0)
    return result;
  if (exists(to))
    return -EEXIST;
  return has_trailing_slash(to) ? -ENOENT : 0;
}

// The same for a link. What a descriptor or a magic link leads to may lie anywhere: there the kernel tells.
static long judge_link(struct place *from, struct place *to) {
  long refusal = 0;
  bool in_one_directory = from->relative && to->relative && from->descriptor == to->descriptor;
  if (!from->magic && !in_one_directory && mounts()->count > 0) {
    path_find_bind(from);
    if (from->bind != path_parent_bind(to))
      refusal = -EXDEV;
  }
  if (path_parent_is_read_only(to))
    refusal = -EROFS;
  if (refusal == 0)
    return 0;
  long result = check_source(from);
  if (result == 0)
    result = check_target(to);
  return result < 0 ? result : refusal;
}

static long resolve_link_source(int dirfd, const char *guest_path, long flags, struct place *out) {
  if (!names_descriptor(guest_path, flags))
    return path_resolve(dirfd, guest_path, (flags & AT_SYMLINK_FOLLOW) != 0 ? PATH_FOLLOW : PATH_NO_FOLLOW, out);
  out->owned = -1;
  out->descriptor = dirfd;
  out->path = guest_path;
  out->relative = false;
  out->magic = true;
  return path_is_hidden_descriptor(dirfd) ? -EBADF : 0;
}

static long link_at(int from_dirfd, const char *from_path, int to_dirfd, const char *to_path, long flags) {
  struct place from, to;
  long result = resolve_link_source(from_dirfd, from_path, flags, &from);
  if (result < 0)
    return result;
  result = path_resolve(to_dirfd, to_path, PATH_PARENT, &to);
  if (result < 0) {
    long earlier = check_source(&from);
    path_release(&from);
    return earlier < 0 ? earlier : result;
  }
  result = judge_link(&from, &to);
  if (result == 0)
    result = SYS_5(SYS_linkat, from.descriptor, from.path, to.descriptor, to.path, flags);
  if (result == 0 && probe(&to) >= 0)
    directory_cache_invalidate();
  path_release(&from);
  path_release(&to);
  return result;
}

long call_link(struct call *call) {
  return link_at(AT_FDCWD, path_argument(call, 0), AT_FDCWD, path_argument(call, 1), 0);
}

long call_linkat(struct call *call) {
  return link_at(descriptor_argument(call, 0), path_argument(call, 1), descriptor_argument(call, 2),
                 path_argument(call, 3), call->argument[4]);
}
