#include "confine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "config.h"
#include "guest.h"
#include "identity-calls.h"
#include "sys.h"

// What the kernel would find wrong with a filter before it looks at the instructions: programs ask for this to learn
// whether there are filters at all.
static long check_filter(const void *guest) {
  struct sock_fprog program;
  if (guest_copy_in(&program, guest, sizeof program) < 0)
    return -EFAULT;
  if (program.len == 0 || program.len > BPF_MAXINSNS)
    return -EINVAL;
  return guest_probe(program.filter, program.len * sizeof *program.filter);
}

// A filter of the guest's would judge the engine's calls too, so success is reported and none is installed. A listener
// cannot be pretended.
static long install_filter(unsigned long flags, const void *guest) {
  static const unsigned long known = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
                                     SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
  return (flags & ~known) != 0 ? -EINVAL : check_filter(guest);
}

static long set_mode(const struct call *call) {
  const long *a = call->argument;
  if (a[0] == SECCOMP_SET_MODE_FILTER)
    return install_filter((unsigned long)a[1], (const void *)a[2]);
  return a[1] == 0 && a[2] == 0 ? 0 : -EINVAL;
}

static long set_mode_by_prctl(const struct call *call) {
  switch (call->argument[1]) {
  case SECCOMP_MODE_STRICT:
    return 0;
  case SECCOMP_MODE_FILTER:
    return install_filter(0, (const void *)call->argument[2]);
  default:
    return -EINVAL;
  }
}

long confine_call(struct call *call) {
  if (call->number == SYS_seccomp)
    return set_mode(call);
  if (call->argument[0] == PR_SET_SECCOMP)
    return set_mode_by_prctl(call);
  if (config.flags & CONFIG_FAKE_IDS)
    return identity_prctl(call);
  return SYS_5(SYS_prctl, call->argument[0], call->argument[1], call->argument[2], call->argument[3],
               call->argument[4]);
}
