#include "confine.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "config.h"
#include "identity-calls.h"
#include "sys.h"

// seccomp(2): a filter of the guest's would judge the engine's calls too, so success is reported and none is
// installed. A listener cannot be pretended.
static long install_filter(unsigned long flags) {
  return flags & SECCOMP_FILTER_FLAG_NEW_LISTENER ? -EINVAL : 0;
}

long confine_call(struct call *call) {
  if (call->number == SYS_seccomp)
    return install_filter((unsigned long)call->argument[1]);
  if (call->argument[0] == PR_SET_SECCOMP)
    return 0;
  if (config.flags & CONFIG_FAKE_IDS)
    return identity_prctl(call);
  return SYS_5(SYS_prctl, call->argument[0], call->argument[1], call->argument[2], call->argument[3],
               call->argument[4]);
}
