#include "trace.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
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

bool trace_is_on(void) {
  static const char field[] = "\nTracerPid:\t";
  char text[1024];
  long file = SYS_4(SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
  if (file < 0)
    return false;
  long size = SYS_3(SYS_read, file, text, sizeof text);
  SYS_1(SYS_close, file);
  for (long at = 0; at + (long)sizeof field <= size; at++)
    if (memcmp(text + at, field, sizeof field - 1) == 0)
      return text[at + (long)sizeof field - 1] != '0';
  return false;
}

bool trace_is_put_off(void) {
  return process.traced_child != 0 && process.traced_child == (uint32_t)SYS_0(SYS_getpid);
}

void trace_catch_up(void) {
  SYS_1(SYS_ptrace, PTRACE_TRACEME);
  SYS_2(SYS_kill, SYS_0(SYS_getpid), SIGTRAP);
}
