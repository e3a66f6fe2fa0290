#include "identity.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/uio.h>

#include "config.h"
#include "process.h"
#include "sys.h"

static struct identity own;

enum { VFORK_CHILDREN_MAX = 8 };

struct vfork_child {
  uint32_t pid; // 0: unused
  struct identity identity;
};

__attribute__((section(".bss.rare"))) static struct vfork_child vfork_children[VFORK_CHILDREN_MAX];

void identity_start(void) {
  static const uint64_t every_capability = ((uint64_t)1 << (CAP_LAST_CAP + 1)) - 1;
  bool is_root = config.guest_uid == 0;
  own = (struct identity){.group_count = 1, .group = {config.guest_gid}};
  for (int i = 0; i < ID_COUNT; i++) {
    own.uid[i] = config.guest_uid;
    own.gid[i] = config.guest_gid;
  }
  own.capabilities[CAPABILITIES_BOUNDING] = every_capability;
  own.capabilities[CAPABILITIES_PERMITTED] = own.capabilities[CAPABILITIES_EFFECTIVE] = is_root ? every_capability : 0;
}

static struct vfork_child *find_child(uint32_t pid) {
  for (int i = 0; i < VFORK_CHILDREN_MAX; i++)
    if (__atomic_load_n(&vfork_children[i].pid, __ATOMIC_ACQUIRE) == pid)
      return &vfork_children[i];
  return NULL;
}

static struct vfork_child *claim_child(uint32_t pid) {
  for (int i = 0; i < VFORK_CHILDREN_MAX; i++) {
    struct vfork_child *child = &vfork_children[i];
    uint32_t seen = __atomic_load_n(&child->pid, __ATOMIC_RELAXED);
    if (seen != 0 && SYS_2(SYS_kill, seen, 0) != -ESRCH)
      continue;
    if (__atomic_compare_exchange_n(&child->pid, &seen, pid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
      return child;
  }
  return NULL;
}

static bool owns_memory(uint32_t self) {
  return process.armed == 0 || process.armed == self;
}

const struct identity *identity_current(void) {
  uint32_t self = (uint32_t)SYS_0(SYS_getpid);
  const struct vfork_child *child = owns_memory(self) ? NULL : find_child(self);
  return child == NULL ? &own : &child->identity;
}

long identity_set(const struct identity *to) {
  uint32_t self = (uint32_t)SYS_0(SYS_getpid);
  if (owns_memory(self)) {
    own = *to;
    return 0;
  }
  struct vfork_child *child = find_child(self);
  if (child == NULL)
    child = claim_child(self);
  if (child == NULL)
    return -EAGAIN;
  child->identity = *to;
  return 0;
}

bool identity_leave(struct identity *out) {
  uint32_t self = (uint32_t)SYS_0(SYS_getpid);
  struct vfork_child *child = owns_memory(self) ? NULL : find_child(self);
  if (child == NULL)
    return false;
  *out = child->identity;
  __atomic_store_n(&child->pid, 0, __ATOMIC_RELEASE);
  return true;
}

void identity_show_owner(uint32_t *uid, uint32_t *gid) {
  if ((config.flags & CONFIG_FAKE_IDS) == 0)
    return;
  if (*uid == config.host_uid)
    *uid = config.guest_uid;
  if (*gid == config.host_gid)
    *gid = config.guest_gid;
}

bool identity_can(const struct identity *identity, int capability) {
  return (identity->capabilities[CAPABILITIES_EFFECTIVE] >> capability & 1) != 0;
}

bool identity_has_group(const struct identity *identity, uint32_t group) {
  for (unsigned i = 0; i < identity->group_count; i++)
    if (identity->group[i] == group)
      return true;
  return group == identity->gid[ID_FILE_SYSTEM];
}

bool identity_may_give(uint32_t owner, uint32_t group) {
  const struct identity *identity = identity_current();
  if (identity_can(identity, CAP_CHOWN))
    return true;
  return (owner == UINT32_MAX || owner == identity->uid[ID_FILE_SYSTEM]) &&
         (group == UINT32_MAX || identity_has_group(identity, group));
}

// The shim's image lies at the same address in each guest process. Needs the rights of ptrace(2).
bool identity_of(long pid, struct identity *out) {
  if (pid == SYS_0(SYS_getpid) || pid == SYS_0(SYS_gettid)) {
    *out = *identity_current();
    return true;
  }
  struct iovec local = {out, sizeof *out}, remote = {&own, sizeof own};
  return SYS_6(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0) == (long)sizeof own;
}

// Each half of a byte is a letter.
size_t identity_write(const struct identity *identity, char out[IDENTITY_WORD_SIZE]) {
  const unsigned char *bytes = (const unsigned char *)identity;
  size_t size = offsetof(struct identity, group) + identity->group_count * sizeof *identity->group, length = 0;
  if (identity->changed)
    for (size_t i = 0; i < size; i++) {
      out[length++] = (char)('a' + (bytes[i] >> 4));
      out[length++] = (char)('a' + (bytes[i] & 15));
    }
  out[length++] = ' ';
  return length;
}

void identity_read(const char **at) {
  unsigned char *bytes = (unsigned char *)&own;
  const char *c = *at;
  for (; *c >= 'a' && c[1] >= 'a' && bytes < (unsigned char *)(&own + 1); c += 2)
    *bytes++ = (unsigned char)((c[0] - 'a') << 4 | (c[1] - 'a'));
  *at = *c == ' ' ? c + 1 : c;
}
