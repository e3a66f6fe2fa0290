#include "identity-calls.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "capabilities.h"
#include "config.h"
#include "directory-cache.h"
#include "filter.h"
#include "guest.h"
#include "sys.h"
#include "syscalls.h"

long identity_trap_getters(void) {
  bool answered_by_filter = !identity_current()->changed && config.guest_uid == 0 && config.guest_gid == 0;
  return answered_by_filter && filter_trap_ids() < 0 ? -EAGAIN : 0;
}

static long change(struct identity *to) {
  long error = identity_trap_getters();
  to->changed = true;
  return error < 0 ? error : identity_set(to);
}

// getresuid(2), getresgid(2)
static long answer_three(const long address[3], const uint32_t ids[ID_COUNT]) {
  for (int i = ID_REAL; i <= ID_SAVED; i++)
    if (guest_copy_out((void *)address[i], &ids[i], sizeof ids[i]) < 0)
      return -EFAULT;
  return 0;
}

static long answer_groups(const struct identity *identity, int size, void *list) {
  if (size < 0 || (size > 0 && size < identity->group_count))
    return -EINVAL;
  if (size > 0 && guest_copy_out(list, identity->group, identity->group_count * sizeof *identity->group) < 0)
    return -EFAULT;
  return identity->group_count;
}

static void sort(uint32_t *ids, size_t count) {
  for (size_t i = 1; i < count; i++) {
    uint32_t id = ids[i];
    size_t at = i;
    for (; at > 0 && ids[at - 1] > id; at--)
      ids[at] = ids[at - 1];
    ids[at] = id;
  }
}

static long set_groups(struct identity *identity, long count, const void *list) {
  if (!identity_can(identity, CAP_SETGID))
    return -EPERM;
  if ((unsigned long)count > GROUPS_MAX)
    return -EINVAL;
  if (guest_copy_in(identity->group, list, (size_t)count * sizeof *identity->group) < 0)
    return -EFAULT;
  identity->group_count = (uint16_t)count;
  sort(identity->group, (size_t)count);
  return 0;
}

static bool is_among(const uint32_t ids[ID_COUNT], uint32_t id, unsigned kinds) {
  for (unsigned i = 0; i < ID_COUNT; i++)
    if ((kinds >> i & 1) != 0 && ids[i] == id)
      return true;
  return false;
}

enum { REAL = 1 << ID_REAL, EFFECTIVE = 1 << ID_EFFECTIVE, SAVED = 1 << ID_SAVED, FILE_SYSTEM = 1 << ID_FILE_SYSTEM };

// An id of -1 stays as it is.
static long replace(uint32_t ids[ID_COUNT], int kind, uint32_t id, bool may_be_any) {
  if (id == UINT32_MAX)
    return 0;
  if (!may_be_any)
    return -EPERM;
  ids[kind] = id;
  return 0;
}

// setuid(2), setgid(2)
static long set_one(uint32_t ids[ID_COUNT], uint32_t id, bool privileged) {
  if (id == UINT32_MAX)
    return -EINVAL;
  if (!privileged && !is_among(ids, id, REAL | SAVED))
    return -EPERM;
  if (privileged)
    ids[ID_REAL] = ids[ID_SAVED] = id;
  ids[ID_EFFECTIVE] = ids[ID_FILE_SYSTEM] = id;
  return 0;
}

// setreuid(2), setregid(2)
static long set_two(uint32_t ids[ID_COUNT], const long *to, bool privileged) {
  uint32_t before[ID_COUNT], real = (uint32_t)to[0], effective = (uint32_t)to[1];
  memcpy(before, ids, sizeof before);
  long result = replace(ids, ID_REAL, real, privileged || is_among(before, real, REAL | EFFECTIVE));
  if (result == 0)
    result = replace(ids, ID_EFFECTIVE, effective, privileged || is_among(before, effective, REAL | EFFECTIVE | SAVED));
  if (real != UINT32_MAX || (effective != UINT32_MAX && effective != before[ID_REAL]))
    ids[ID_SAVED] = ids[ID_EFFECTIVE];
  ids[ID_FILE_SYSTEM] = ids[ID_EFFECTIVE];
  return result;
}

// setresuid(2), setresgid(2)
static long set_three(uint32_t ids[ID_COUNT], const long *to, bool privileged) {
  uint32_t before[ID_COUNT];
  memcpy(before, ids, sizeof before);
  long result = 0;
  for (int i = ID_REAL; i <= ID_SAVED && result == 0; i++) {
    uint32_t id = (uint32_t)to[i];
    result = replace(ids, i, id, privileged || is_among(before, id, REAL | EFFECTIVE | SAVED));
  }
  ids[ID_FILE_SYSTEM] = ids[ID_EFFECTIVE];
  return result;
}

static long set_ids(long number, uint32_t ids[ID_COUNT], const long *to, bool privileged) {
  switch (number) {
  case SYS_setuid:
  case SYS_setgid:
    return set_one(ids, (uint32_t)to[0], privileged);
  case SYS_setreuid:
  case SYS_setregid:
    return set_two(ids, to, privileged);
  default:
    return set_three(ids, to, privileged);
  }
}

// setfsuid(2) and setfsgid(2) have no error: they return what was there.
static long set_file_system_id(struct identity *identity, uint32_t ids[ID_COUNT], uint32_t id, bool privileged) {
  uint32_t before = ids[ID_FILE_SYSTEM];
  if (id == UINT32_MAX || (!privileged && !is_among(ids, id, REAL | EFFECTIVE | SAVED | FILE_SYSTEM)) || id == before)
    return before;
  ids[ID_FILE_SYSTEM] = id;
  if (ids == identity->uid)
    capabilities_follow_file_system_id(identity, before);
  change(identity);
  return before;
}

static void pack(const struct identity *identity, int half, struct __user_cap_data_struct *out) {
  int shift = 32 * half;
  out->effective = (uint32_t)(identity->capabilities[CAPABILITIES_EFFECTIVE] >> shift);
  out->permitted = (uint32_t)(identity->capabilities[CAPABILITIES_PERMITTED] >> shift);
  out->inheritable = (uint32_t)(identity->capabilities[CAPABILITIES_INHERITABLE] >> shift);
}

// How many halves the caller's version of the structures has. The kernel checks the header, and corrects its version.
static long read_header(const struct call *call, struct __user_cap_header_struct *header, int *halves) {
  struct __user_cap_data_struct ignored[_LINUX_CAPABILITY_U32S_3];
  long result = SYS_2(SYS_capget, call->argument[0], call->argument[1] == 0 ? 0 : (long)ignored);
  if (result < 0)
    return result;
  if (guest_copy_in(header, (void *)call->argument[0], sizeof *header) < 0)
    return -EFAULT;
  *halves = header->version == _LINUX_CAPABILITY_VERSION_1 ? _LINUX_CAPABILITY_U32S_1 : _LINUX_CAPABILITY_U32S_3;
  return 0;
}

static long get_capabilities(const struct call *call) {
  struct __user_cap_header_struct header;
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  struct identity whose;
  int halves;
  long result = read_header(call, &header, &halves);
  if (result < 0 || call->argument[1] == 0)
    return result;
  if (!identity_of(header.pid == 0 ? SYS_0(SYS_getpid) : header.pid, &whose))
    return SYS_2(SYS_capget, call->argument[0], call->argument[1]);
  for (int i = 0; i < halves; i++)
    pack(&whose, i, &data[i]);
  return guest_copy_out((void *)call->argument[1], data, (size_t)halves * sizeof *data);
}

static bool is_subset(uint64_t inner, uint64_t outer) {
  return (inner & ~outer) == 0;
}

// capset(2): the rules are those of capabilities(7), "Programmatically adjusting capability sets".
static long set_capabilities(const struct call *call, struct identity *identity) {
  struct __user_cap_header_struct header;
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
  int halves;
  long result = read_header(call, &header, &halves);
  if (result < 0)
    return result;
  if (header.pid != 0 && header.pid != SYS_0(SYS_getpid) && header.pid != SYS_0(SYS_gettid))
    return -EPERM;
  if (guest_copy_in(data, (void *)call->argument[1], (size_t)halves * sizeof *data) < 0)
    return -EFAULT;
  uint64_t *sets = identity->capabilities;
  uint64_t effective = data[0].effective | (uint64_t)data[1].effective << 32;
  uint64_t permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
  uint64_t inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
  enum { EVERY = CAP_LAST_CAP + 1 };
  uint64_t existing = ((uint64_t)1 << EVERY) - 1;
  effective &= existing;
  permitted &= existing;
  inheritable &= existing;
  bool may_inherit_any = identity_can(identity, CAP_SETPCAP);
  uint64_t inheritable_before = sets[CAPABILITIES_INHERITABLE];
  if (!is_subset(permitted, sets[CAPABILITIES_PERMITTED]) || !is_subset(effective, permitted) ||
      !is_subset(inheritable, inheritable_before | sets[CAPABILITIES_BOUNDING]) ||
      (!may_inherit_any && !is_subset(inheritable, inheritable_before | sets[CAPABILITIES_PERMITTED])))
    return -EPERM;
  sets[CAPABILITIES_EFFECTIVE] = effective;
  sets[CAPABILITIES_PERMITTED] = permitted;
  sets[CAPABILITIES_INHERITABLE] = inheritable;
  sets[CAPABILITIES_AMBIENT] &= permitted & inheritable;
  return 0;
}

// Makes the change unless `result` is an error or there is none: setters that set what is set cost nothing later.
static long commit(struct identity *changed, long result) {
  if (result < 0 || memcmp(changed, identity_current(), sizeof *changed) == 0)
    return result;
  long error = change(changed);
  return error < 0 ? error : result;
}

static long change_users(const struct call *call, struct identity *identity) {
  uint32_t before[ID_COUNT];
  memcpy(before, identity->uid, sizeof before);
  long result = set_ids(call->number, identity->uid, call->argument, identity_can(identity, CAP_SETUID));
  capabilities_follow_ids(identity, before);
  return result;
}

// What the caller could reach before, the cache would go on to find.
static long change_real(const struct call *call) {
  const long *a = call->argument;
  long result = SYS_3(call->number, a[0], a[1], a[2]);
  directory_cache_invalidate();
  return result;
}

long identity_call(struct call *call) {
  if ((config.flags & CONFIG_FAKE_IDS) == 0)
    return change_real(call);
  const struct identity *now = identity_current();
  struct identity next = *now;
  const long *a = call->argument;
  switch (call->number) {
  case SYS_getuid:
    return now->uid[ID_REAL];
  case SYS_geteuid:
    return now->uid[ID_EFFECTIVE];
  case SYS_getgid:
    return now->gid[ID_REAL];
  case SYS_getegid:
    return now->gid[ID_EFFECTIVE];
  case SYS_getresuid:
    return answer_three(a, now->uid);
  case SYS_getresgid:
    return answer_three(a, now->gid);
  case SYS_getgroups:
    return answer_groups(now, (int)a[0], (void *)a[1]);
  case SYS_setgroups:
    return commit(&next, set_groups(&next, (int)a[0], (void *)a[1]));
  case SYS_setuid:
  case SYS_setreuid:
  case SYS_setresuid:
    return commit(&next, change_users(call, &next));
  case SYS_setgid:
  case SYS_setregid:
  case SYS_setresgid:
    return commit(&next, set_ids(call->number, next.gid, a, identity_can(now, CAP_SETGID)));
  case SYS_setfsuid:
    return set_file_system_id(&next, next.uid, (uint32_t)a[0], identity_can(now, CAP_SETUID));
  case SYS_setfsgid:
    return set_file_system_id(&next, next.gid, (uint32_t)a[0], identity_can(now, CAP_SETGID));
  case SYS_capget:
    return get_capabilities(call);
  case SYS_capset:
    return commit(&next, set_capabilities(call, &next));
  default:
    return -ENOSYS;
  }
}

long identity_of_peer(struct call *call) {
  const long *a = call->argument;
  struct ucred peer;
  struct identity whose;
  long result = SYS_5(SYS_getsockopt, a[0], a[1], a[2], a[3], a[4]);
  int32_t size;
  if (result < 0 || a[1] != SOL_SOCKET || (config.flags & CONFIG_FAKE_IDS) == 0 ||
      guest_copy_in(&size, (const void *)a[4], sizeof size) < 0 || size < (int32_t)sizeof peer ||
      guest_copy_in(&peer, (const void *)a[3], sizeof peer) < 0 || peer.pid == 0)
    return result;
  if (identity_of(peer.pid, &whose)) {
    peer.uid = whose.uid[ID_EFFECTIVE];
    peer.gid = whose.gid[ID_EFFECTIVE];
  } else {
    identity_show_owner(&peer.uid, &peer.gid);
  }
  return guest_copy_out((void *)a[3], &peer, sizeof peer);
}

static bool is_capability(long number) {
  return number >= 0 && number <= CAP_LAST_CAP;
}

static long set_secure_bits(struct identity *identity, uint32_t bits) {
  uint32_t before = identity->secure_bits, locks = before & SECURE_ALL_LOCKS;
  if ((bits & ~(uint32_t)(SECURE_ALL_BITS | SECURE_ALL_LOCKS)) != 0 || !is_subset(locks, bits) ||
      ((before ^ bits) & locks >> 1) != 0 || !identity_can(identity, CAP_SETPCAP))
    return -EPERM;
  identity->secure_bits = bits;
  return 0;
}

static long set_keeps(struct identity *identity, unsigned long keeps) {
  if (keeps > 1)
    return -EINVAL;
  if ((identity->secure_bits & SECBIT_KEEP_CAPS_LOCKED) != 0)
    return -EPERM;
  identity->secure_bits = (identity->secure_bits & ~(uint32_t)SECBIT_KEEP_CAPS) | (keeps != 0 ? SECBIT_KEEP_CAPS : 0);
  return 0;
}

static long drop_from_bounding(struct identity *identity, long capability) {
  if (!identity_can(identity, CAP_SETPCAP))
    return -EPERM;
  if (!is_capability(capability))
    return -EINVAL;
  identity->capabilities[CAPABILITIES_BOUNDING] &= ~((uint64_t)1 << capability);
  return 0;
}

static long change_ambient(struct identity *identity, const long *a) {
  uint64_t *sets = identity->capabilities, *ambient = &sets[CAPABILITIES_AMBIENT];
  if (a[1] == PR_CAP_AMBIENT_CLEAR_ALL && (a[2] | a[3] | a[4]) == 0) {
    *ambient = 0;
    return 0;
  }
  if (!is_capability(a[2]) || (a[3] | a[4]) != 0)
    return -EINVAL;
  uint64_t bit = (uint64_t)1 << a[2];
  switch (a[1]) {
  case PR_CAP_AMBIENT_IS_SET:
    return (*ambient & bit) != 0;
  case PR_CAP_AMBIENT_LOWER:
    *ambient &= ~bit;
    return 0;
  case PR_CAP_AMBIENT_RAISE:
    if (!is_subset(bit, sets[CAPABILITIES_PERMITTED] & sets[CAPABILITIES_INHERITABLE]) ||
        (identity->secure_bits & SECBIT_NO_CAP_AMBIENT_RAISE) != 0)
      return -EPERM;
    *ambient |= bit;
    return 0;
  default:
    return -EINVAL;
  }
}

long identity_prctl(struct call *call) {
  const struct identity *now = identity_current();
  struct identity next = *now;
  const long *a = call->argument;
  switch (a[0]) {
  case PR_CAPBSET_READ:
    return is_capability(a[1]) ? (long)(now->capabilities[CAPABILITIES_BOUNDING] >> a[1] & 1) : -EINVAL;
  case PR_CAPBSET_DROP:
    return commit(&next, drop_from_bounding(&next, a[1]));
  case PR_CAP_AMBIENT:
    return commit(&next, change_ambient(&next, a));
  case PR_GET_SECUREBITS:
    return (long)now->secure_bits;
  case PR_SET_SECUREBITS:
    return commit(&next, set_secure_bits(&next, (uint32_t)a[1]));
  case PR_GET_KEEPCAPS:
    return (now->secure_bits & SECBIT_KEEP_CAPS) != 0;
  case PR_SET_KEEPCAPS:
    return commit(&next, set_keeps(&next, (unsigned long)a[1]));
  case PR_GET_NO_NEW_PRIVS:
    return (a[1] | a[2] | a[3] | a[4]) != 0 ? -EINVAL : now->no_new_privileges;
  case PR_SET_NO_NEW_PRIVS:
    if (a[1] != 1 || (a[2] | a[3] | a[4]) != 0)
      return -EINVAL;
    next.no_new_privileges = true;
    return commit(&next, 0);
  default:
    return -EINVAL;
  }
}
