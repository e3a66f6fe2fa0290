#include "namespace.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "config.h"
#include "directory-cache.h"
#include "identity.h"
#include "process.h"
#include "sys.h"

static bool has_capability(int capability) {
  if ((config.flags & CONFIG_FAKE_IDS) != 0)
    return identity_can(identity_current(), capability);
  return SYS_0(SYS_geteuid) == 0;
}

bool namespace_may_mount(void) {
  return config.shared->is_owned != 0 || has_capability(CAP_SYS_ADMIN);
}

bool namespace_may_change_root(void) {
  return config.shared->is_owned != 0 || has_capability(CAP_SYS_CHROOT);
}

long namespace_leave(bool with_user_namespace) {
  if (!process_owns_memory()) // where the mounts are looked up
    return -EPERM;
  struct shared *shared = config.shared;
  long used = shared->used == 0 ? (long)sizeof *shared : (long)shared->used;
  long copy = SYS_2(SYS_memfd_create, "anyproc-shared", MFD_CLOEXEC);
  if (copy < 0)
    return copy;
  long result = SYS_2(SYS_ftruncate, copy, SHARED_SIZE);
  if (result == 0)
    result = SYS_3(SYS_write, copy, shared, used) == used ? 0 : -ENOSPC;
  if (result == 0)
    result = SYS_3(SYS_dup3, copy, config.descriptor_base + HIDDEN_SHARED, 0);
  SYS_1(SYS_close, copy);
  if (result < 0)
    return result;
  result = SYS_6(SYS_mmap, shared, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                 config.descriptor_base + HIDDEN_SHARED, 0);
  if (result < 0)
    return result;
  shared->writer = 0;
  shared->is_owned |= with_user_namespace;
  directory_cache_invalidate();
  return 0;
}

// A child with mounts of its own needs memory of its own to look them up.
unsigned long namespace_strip(unsigned long clone_flags) {
  unsigned long stripped = clone_flags & ~(unsigned long)CLONE_NAMESPACES;
  return (clone_flags & (CLONE_NEWNS | CLONE_NEWUSER)) != 0 ? stripped & ~(unsigned long)CLONE_VM : stripped;
}

long namespace_start(unsigned long flags) {
  bool with_user = (flags & CLONE_NEWUSER) != 0;
  return with_user || (flags & CLONE_NEWNS) != 0 ? namespace_leave(with_user) : 0;
}

long namespace_check(unsigned long flags) {
  bool asks = (flags & CLONE_NAMESPACES) != 0, has_right = (flags & CLONE_NEWUSER) != 0 || namespace_may_mount();
  return asks && !has_right ? -EPERM : 0;
}

static long unshare(unsigned long flags) {
  static const unsigned long namespaces = CLONE_NAMESPACES | CLONE_NEWTIME;
  long result = namespace_check(flags);
  if (result < 0 || (flags & namespaces) == 0)
    return result < 0 ? result : SYS_1(SYS_unshare, flags);
  // unshare(2): mounts of its own imply a working directory of its own.
  unsigned long rest = (flags & ~namespaces) | ((flags & (CLONE_NEWNS | CLONE_NEWUSER)) != 0 ? CLONE_FS : 0);
  result = rest == 0 ? 0 : SYS_1(SYS_unshare, rest);
  return result < 0 ? result : namespace_start(flags);
}

// All guests are in the same namespaces of the kernel's, so that joining one changes nothing.
static long join(long descriptor) {
  struct statfs system;
  long result = SYS_2(SYS_fstatfs, descriptor, &system);
  if (result < 0)
    return result;
  if (system.f_type != NSFS_MAGIC)
    return -EINVAL;
  return namespace_may_mount() ? 0 : -EPERM;
}

long namespace_call(struct call *call) {
  return call->number == SYS_unshare ? unshare((unsigned long)call->argument[0]) : join(call->argument[0]);
}
