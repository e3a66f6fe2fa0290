#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>

#include "config.h"
#include "guest.h"
#include "sys.h"
#include "syscalls.h"

// getresuid(2), getresgid(2)
static long answer_three(const long address[3], uint32_t id) {
  for (int i = 0; i < 3; i++)
    if (guest_copy_out((void *)address[i], &id, sizeof id) < 0)
      return -EFAULT;
  return 0;
}

// getgroups(2): the fake group is the only one.
static long answer_groups(int size, void *list) {
  if (size < 0)
    return -EINVAL;
  if (size == 0)
    return 1;
  return guest_copy_out(list, &config.guest_gid, sizeof config.guest_gid) < 0 ? -EFAULT : 1;
}

// capget(2): the kernel checks the header and the process; root is then shown with every capability.
static long answer_capabilities(const struct call *call) {
  long result = SYS_2(SYS_capget, call->argument[0], call->argument[1]);
  if (result < 0 || call->argument[1] == 0 || config.guest_uid != 0)
    return result;
  struct __user_cap_header_struct header;
  if (guest_copy_in(&header, (void *)call->argument[0], sizeof header) < 0)
    return -EFAULT;
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{.effective = ~0u, .permitted = ~0u},
                                                                  {.effective = (1u << (CAP_LAST_CAP - 31)) - 1,
                                                                   .permitted = (1u << (CAP_LAST_CAP - 31)) - 1}};
  size_t count = header.version == _LINUX_CAPABILITY_VERSION_1 ? _LINUX_CAPABILITY_U32S_1 : _LINUX_CAPABILITY_U32S_3;
  return guest_copy_out((void *)call->argument[1], data, count * sizeof data[0]);
}

// An ordinary user may set each id only to the one it has; -1 leaves it (setreuid(2)).
static long set_ids(const long *ids, int count, uint32_t own) {
  for (int i = 0; i < count; i++)
    if ((uint32_t)ids[i] != own && (uint32_t)ids[i] != UINT32_MAX)
      return -EPERM;
  return 0;
}

long identity_call(struct call *call) {
  switch (call->number) {
  case SYS_getuid:
  case SYS_geteuid:
  case SYS_setfsuid:
    return config.guest_uid;
  case SYS_getgid:
  case SYS_getegid:
  case SYS_setfsgid:
    return config.guest_gid;
  case SYS_getresuid:
    return answer_three(call->argument, config.guest_uid);
  case SYS_getresgid:
    return answer_three(call->argument, config.guest_gid);
  case SYS_getgroups:
    return answer_groups((int)call->argument[0], (void *)call->argument[1]);
  case SYS_fchown: {
    long flags = SYS_2(SYS_fcntl, call->argument[0], F_GETFD);
    return flags < 0 ? flags : 0;
  }
  case SYS_capget:
    return answer_capabilities(call);
  case SYS_setuid:
    return set_ids(call->argument, 1, config.guest_uid);
  case SYS_setgid:
    return set_ids(call->argument, 1, config.guest_gid);
  case SYS_setreuid:
    return set_ids(call->argument, 2, config.guest_uid);
  case SYS_setregid:
    return set_ids(call->argument, 2, config.guest_gid);
  case SYS_setresuid:
    return set_ids(call->argument, 3, config.guest_uid);
  case SYS_setresgid:
    return set_ids(call->argument, 3, config.guest_gid);
  default:
    return -ENOSYS;
  }
}
