// mount(2) and umount2(2): a guest's mounts are binds that its namespace keeps, mount-draft.h. The file systems that
// the host alone can mount are binds of the host's own, a tmpfs is a directory of the run's.
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>

#include "guest.h"
#include "mount-point.h"
#include "namespace.h"
#include "path-calls.h"
#include "sys.h"
#include "text.h"

static const unsigned long propagation = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

static bool is_text(const char *a, const char *b) {
  size_t length = strlen(b);
  return strlen(a) == length && memcmp(a, b, length) == 0;
}

static long finish(struct mount_draft *draft, long result) {
  if (result < 0)
    mount_draft_abandon(draft);
  else
    mount_draft_commit(draft);
  return result;
}

// One mount: `host` at the guest path `guest`.
static long add(struct mount_draft *draft, const char *guest, size_t guest_length, const char *host, size_t host_length,
                uint32_t flags) {
  if (guest == NULL || host == NULL)
    return -ENOSPC;
  if (guest_length == 0)
    return -EBUSY;
  mount_draft_add(draft, &(struct bind){.guest = guest,
                                        .guest_length = guest_length,
                                        .host = host,
                                        .host_length = host_length,
                                        .flags = flags});
  return 0;
}

// The mounts below `from` are bound again below `to`, those below `to` itself excepted.
static long add_recursively(struct mount_draft *draft, const char *from, size_t from_length, const char *to,
                            size_t to_length, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct bind bind = draft->binds[i];
    if (bind.hidden_by != 0 || bind.guest_length <= from_length ||
        !mount_covers(from, from_length, bind.guest, bind.guest_length) ||
        mount_covers(to, to_length, bind.guest, bind.guest_length))
      continue;
    size_t rest = bind.guest_length - from_length;
    const char *guest = mount_draft_text(to, to_length, bind.guest + from_length, rest);
    long result = add(draft, guest, to_length + rest, bind.host, bind.host_length, bind.flags);
    if (result < 0)
      return result;
  }
  return 0;
}

static uint32_t flags_of(const struct mount_point *point) {
  const struct bind *bind = point->at.bind;
  uint32_t inherited = bind == NULL ? 0 : bind->flags & BIND_READ_ONLY;
  return inherited | (point->is_directory ? BIND_IS_DIRECTORY : 0);
}

static long bind(const char *source, const struct mount_point *target, bool is_recursive) {
  struct mount_point from;
  struct mount_draft draft;
  long result = mount_point_find(source, &from);
  if (result < 0)
    return result;
  if (!from.is_reachable || !target->is_reachable)
    return -EINVAL;
  if (from.is_directory != target->is_directory)
    return -ENOTDIR;
  size_t more = 1 + (is_recursive ? mounts()->count : 0);
  result = mount_draft_begin(&draft, more);
  if (result < 0)
    return result;
  size_t guest_length, host_length, from_length, count = draft.count;
  const char *guest = mount_point_guest(target, &guest_length);
  const char *host = mount_point_host(&from, &host_length);
  const char *from_guest = mount_point_guest(&from, &from_length);
  uint32_t flags = flags_of(&from);
  result = add(&draft, guest, guest_length, host, host_length, flags);
  if (result == 0 && is_recursive)
    result = from_guest == NULL
                 ? -ENOSPC
                 : add_recursively(&draft, from_guest, from_length, guest, guest_length, count);
  return finish(&draft, result);
}

// The directory of a new tmpfs(5), with the mode that its options ask for.
static long make_directory(struct text *path, const char *options) {
  long mode = 01777;
  for (const char *at = options; at != NULL && *at != '\0'; at++)
    if ((at == options || at[-1] == ',') && strlen(at) > 5 && memcmp(at, "mode=", 5) == 0) {
      mode = 0;
      for (at += 5; *at >= '0' && *at <= '7'; at++)
        mode = mode * 8 + (*at - '0');
      at--;
    }
  char host[PATH_MAX];
  size_t head = strlen(config.scratch);
  memcpy(host, config.scratch, head + 1);
  long result = SYS_3(SYS_mkdirat, AT_FDCWD, host, S_IRWXU);
  for (long number = 1; result == 0 || result == -EEXIST; number++) {
    *path = (struct text){0};
    text_add(path, "/tmpfs-");
    text_add_number(path, number);
    memcpy(host + head, text_end(path), path->length + 1);
    result = SYS_3(SYS_mkdirat, AT_FDCWD, host, S_IRWXU);
    if (result == 0)
      return SYS_3(SYS_fchmodat, AT_FDCWD, host, mode & 07777);
  }
  return result;
}

static long mount_tmpfs(const struct mount_point *target, const char *options) {
  struct mount_draft draft;
  struct text name;
  long result = make_directory(&name, options);
  if (result == 0)
    result = mount_draft_begin(&draft, 1);
  if (result < 0)
    return result;
  size_t length, head = strlen(config.scratch);
  const char *guest = mount_point_guest(target, &length);
  const char *host = mount_draft_text(config.scratch, head, name.bytes, name.length);
  return finish(&draft, add(&draft, guest, length, host, head + name.length, BIND_IS_DIRECTORY));
}

// A file system of which there is only one, or of which the host's must do, as the guest sees it already.
static long mount_host(const struct mount_point *target, const char *host) {
  struct mount_draft draft;
  char path[PATH_MAX];
  size_t host_length = strlen(host), length;
  memcpy(path, host, host_length + 1);
  if (path_to_guest(path, host_length, sizeof path) < 0)
    return -EPERM;
  long result = mount_draft_begin(&draft, 1);
  if (result < 0)
    return result;
  const char *guest = mount_point_guest(target, &length);
  const char *lasting = mount_draft_text(host, host_length, "", 0);
  return finish(&draft, add(&draft, guest, length, lasting, host_length, BIND_IS_DIRECTORY));
}

static long mount_new(const struct mount_point *target, const char *type, const char *options) {
  static const struct {
    const char *type, *host;
  } singles[] = {{"proc", "/proc"},         {"sysfs", "/sys"},           {"devtmpfs", "/dev"},
                 {"devpts", "/dev/pts"},    {"mqueue", "/dev/mqueue"},   {"cgroup", "/sys/fs/cgroup"},
                 {"cgroup2", "/sys/fs/cgroup"}};
  if (!target->is_directory)
    return -ENOTDIR;
  if (!target->is_reachable)
    return -EINVAL;
  if (is_text(type, "tmpfs") || is_text(type, "ramfs"))
    return mount_tmpfs(target, options);
  for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
    if (is_text(type, singles[i].type))
      return mount_host(target, singles[i].host);
  return -ENODEV;
}

// Runs `change` on the mount at this place: -EINVAL when there is none.
static long change_mount(const struct mount_point *target, void (*change)(struct mount_draft *, size_t, unsigned long),
                         unsigned long flags) {
  struct mount_draft draft;
  size_t length;
  long result = mount_draft_begin(&draft, 0);
  if (result < 0)
    return result;
  const char *guest = mount_point_guest(target, &length);
  long index = guest == NULL ? -ENOSPC : mount_draft_find(&draft, guest, length);
  if (index >= 0)
    change(&draft, (size_t)index, flags);
  return finish(&draft, index >= 0 ? 0 : index == -1 ? -EINVAL : index);
}

static void set_read_only(struct mount_draft *draft, size_t index, unsigned long flags) {
  uint32_t *of = &draft->binds[index].flags;
  *of = (flags & MS_RDONLY) != 0 ? *of | BIND_READ_ONLY : *of & ~(uint32_t)BIND_READ_ONLY;
}

static long find_below(const struct mount_draft *draft, const struct bind *above) {
  for (size_t i = 0; i < draft->count; i++) {
    const struct bind *bind = &draft->binds[i];
    if (bind->hidden_by == 0 && bind->guest_length > above->guest_length &&
        mount_covers(above->guest, above->guest_length, bind->guest, bind->guest_length))
      return (long)i;
  }
  return -1;
}

static void remove_mount(struct mount_draft *draft, size_t index, unsigned long flags) {
  (void)flags;
  const struct bind removed = draft->binds[index];
  for (long below; (below = find_below(draft, &removed)) >= 0;)
    mount_draft_remove(draft, (size_t)below);
  mount_draft_remove(draft, (size_t)mount_draft_find(draft, removed.guest, removed.guest_length));
}

static bool has_mounts_below(const struct mount_point *target) {
  const struct mounts *now = mounts();
  const struct bind *mount = target->at.bind;
  for (size_t i = 0; i < now->count; i++) {
    const struct bind *other = &now->binds[i];
    if (other != mount && mount_covers(mount->guest, mount->guest_length, other->guest, other->guest_length))
      return true;
  }
  return false;
}

static long remount(const struct mount_point *target, unsigned long flags) {
  if (!target->is_reachable || !mount_point_is_root(target))
    return -EINVAL;
  // The rootfs itself has no mount that could be changed.
  if (target->at.bind == NULL)
    return (flags & MS_RDONLY) != 0 ? -EBUSY : 0;
  return change_mount(target, set_read_only, flags);
}

static long move(const char *source, const struct mount_point *target) {
  struct mount_point from;
  long result = mount_point_find(source, &from);
  if (result < 0)
    return result;
  if (!from.is_reachable || !mount_point_is_root(&from) || bind_is_root(from.at.bind))
    return -EINVAL;
  result = bind(source, target, true);
  return result < 0 ? result : change_mount(&from, remove_mount, 0);
}

static long read_text(const void *guest, char *out, size_t capacity) {
  if (guest == NULL) {
    *out = '\0';
    return 0;
  }
  long length = guest_string_length(guest, capacity - 1);
  if (length == -ENAMETOOLONG)
    length = (long)capacity - 1;
  if (length < 0)
    return length;
  memcpy(out, guest, (size_t)length);
  out[length] = '\0';
  return 0;
}

long call_mount(struct call *call) {
  enum { TYPE_SIZE = 32, OPTIONS_SIZE = 512 };
  struct mount_point target;
  char type[TYPE_SIZE], options[OPTIONS_SIZE];
  const char *source = path_argument(call, 0);
  unsigned long flags = (unsigned long)call->argument[3];
  long result = read_text((const void *)call->argument[2], type, sizeof type);
  if (result == 0)
    result = mount_point_find(path_argument(call, 1), &target);
  if (result < 0)
    return result;
  if (!namespace_may_mount())
    return -EPERM;
  if ((flags & MS_REMOUNT) != 0)
    return remount(&target, flags);
  if ((flags & MS_BIND) != 0)
    return bind(source, &target, (flags & MS_REC) != 0);
  if ((flags & propagation) != 0)
    return 0; // no mount of a guest's propagates
  if ((flags & MS_MOVE) != 0)
    return move(source, &target);
  result = read_text((const void *)call->argument[4], options, sizeof options);
  return result < 0 ? result : mount_new(&target, type, options);
}

static bool is_root(const struct mount_point *point) {
  return point->is_reachable && mount_point_is_root(point) && bind_is_root(point->at.bind);
}

long call_umount2(struct call *call) {
  enum { FORCE = 1, DETACH = 2, EXPIRE = 4, NO_FOLLOW = 8 }; // MNT_*, umount(2)
  struct mount_point target;
  if ((call->argument[1] & ~(long)(FORCE | DETACH | EXPIRE | NO_FOLLOW)) != 0)
    return -EINVAL;
  long result = mount_point_find(path_argument(call, 0), &target);
  if (result < 0)
    return result;
  if (!namespace_may_mount())
    return -EPERM;
  if (config.shared->has_old_root != 0 && (is_root(&target) || is_text(path_argument(call, 0), "."))) {
    config.shared->has_old_root = 0;
    return 0;
  }
  if (!target.is_reachable || !mount_point_is_root(&target) || bind_is_root(target.at.bind))
    return -EINVAL;
  if ((call->argument[1] & DETACH) == 0 && has_mounts_below(&target))
    return -EBUSY;
  return change_mount(&target, remove_mount, 0);
}
