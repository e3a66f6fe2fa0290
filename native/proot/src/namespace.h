// Mount namespaces of the guests' (mount_namespaces(7)): which shared memory holds their mounts. The kernel's other
// namespaces stay the host's: a guest is told that it has got a new one.
#ifndef ANYPROC_NAMESPACE_H
#define ANYPROC_NAMESPACE_H

#include <linux/sched.h>
#include <stdbool.h>

#include "call.h"

// Gives this process a copy of its mounts, which its descendants inherit. Returns 0 or a negative errno.
long namespace_leave(bool with_user_namespace);

// Whether this process may mount: it has CAP_SYS_ADMIN, or had it given in a user namespace of its own.
bool namespace_may_mount(void);
bool namespace_may_change_root(void);

// What clone(2) takes for namespaces.
#define CLONE_NAMESPACES                                                                                               \
  (CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

call_handler namespace_call; // unshare(2), setns(2)
// Whether this process may have the namespaces that the flags ask for: 0 or -EPERM.
long namespace_check(unsigned long flags);
// The flags of clone(2) for a child that is to have namespaces.
unsigned long namespace_strip(unsigned long clone_flags);
// Gives this process what the flags ask for.
long namespace_start(unsigned long flags);

#endif
