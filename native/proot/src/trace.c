#include "trace.h"

#include <signal.h>
#include <sys/ptrace.h>

#include "process.h"
#include "sys.h"

long trace_call(struct call *call) {
  uint32_t self = (uint32_t)SYS_0(SYS_getpid);
  if (process.armed == self)
    return SYS_4(SYS_ptrace, PTRACE_TRACEME, call->argument[1], call->argument[2], call->argument[3]);
  process.traced_child = self;
  return 0;
}

bool trace_is_put_off(void) {
  return process.traced_child != 0 && process.traced_child == (uint32_t)SYS_0(SYS_getpid);
}

void trace_catch_up(void) {
  SYS_1(SYS_ptrace, PTRACE_TRACEME);
  SYS_2(SYS_kill, SYS_0(SYS_getpid), SIGTRAP);
}
