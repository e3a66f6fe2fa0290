#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "config.h"
#include "namespace.h"
#include "process.h"
#include "sys.h"
#include "text.h"

// The owner of a signal belongs to the open file description (fcntl(2), F_SETOWN), which a child shares with its
// parent. So each process opens the pipe anew. Process groups would be fewer, but the supervisor's own group may hold
// processes that are none of its business.
static long open_own(void) {
  struct text path = {0};
  text_add_descriptor(&path, config.descriptor_base + HIDDEN_LIFE);
  long opened = SYS_4(SYS_openat, AT_FDCWD, text_end(&path), O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  if (opened < 0)
    return opened;
  long moved = SYS_3(SYS_dup3, opened, config.descriptor_base + HIDDEN_LIFE, 0);
  SYS_1(SYS_close, opened);
  return moved;
}

void life_arm(void) {
  int self = (int)SYS_0(SYS_getpid);
  int life = config.descriptor_base + HIDDEN_LIFE;
  process.armed = (uint32_t)self;
  if (SYS_2(SYS_fcntl, life, F_GETOWN) == self || open_own() < 0)
    return;
  SYS_3(SYS_fcntl, life, F_SETSIG, SIGKILL);
  SYS_3(SYS_fcntl, life, F_SETOWN, self);
  SYS_3(SYS_fcntl, life, F_SETFL, O_RDONLY | O_NONBLOCK | O_ASYNC);
  char byte;
  if (SYS_3(SYS_read, life, &byte, 1) == 0) // the supervisor went away before this was set up
    SYS_2(SYS_kill, self, SIGKILL);
}

// A child without the mounts of its own that it has been promised would change those of others.
static void start_child(const struct call *call) {
  life_arm();
  if (call->number == SYS_clone && namespace_start((unsigned long)call->argument[0]) < 0)
    SYS_2(SYS_kill, SYS_0(SYS_getpid), SIGKILL);
}

long life_fork(struct call *call) {
  struct deferred *deferred = call->deferred;
  if (call->stage == 1) {
    if (call->result == 0)
      start_child(call);
    return call->result;
  }
  deferred->number = call->number;
  memcpy(deferred->argument, call->argument, sizeof deferred->argument);
  deferred->resume = true;
  if (call->number != SYS_clone)
    return CALL_DEFERRED;
  if (call->argument[1] != 0)
    return -EPERM; // for namespaces: the child would not come back here, as it has a stack of its own
  unsigned long flags = (unsigned long)call->argument[0];
  long result = namespace_check(flags);
  deferred->argument[0] = (long)namespace_strip(flags);
  return result < 0 ? result : CALL_DEFERRED;
}
