#include "refusal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "config.h"
#include "path.h"
#include "sys.h"
#include "syscalls.h"
#include "text.h"

// True for the first guest that asks about this number: a program may try a call a million times.
static bool is_news(long number) {
  if (config.shared == NULL)
    return true;
  uint32_t bit = number < DIAGNOSTICS_CALLS ? (uint32_t)number : DIAGNOSTICS_CALLS - 1;
  uint32_t mask = 1u << (bit % 32);
  return (__atomic_fetch_or(&config.shared->reported[bit / 32], mask, __ATOMIC_RELAXED) & mask) == 0;
}

// "CALL NUMBER ERRNO PID PROGRAM", where CALL is "unknown" for what the table does not have, and ERRNO is 0 for what
// the kernel is asked. A reader who does not keep up misses lines; no guest waits for one.
static void tell(const char *name, long number, long error) {
  struct text head = {0};
  text_add(&head, name);
  text_add(&head, " ");
  text_add_number(&head, number);
  text_add(&head, " ");
  text_add_number(&head, error);
  text_add(&head, " ");
  text_add_number(&head, SYS_0(SYS_getpid));
  text_add(&head, " ");
  const char *program = path_own_executable;
  struct iovec parts[] = {{head.bytes, head.length}, {(void *)(uintptr_t)program, strlen(program)}, {"\n", 1}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
  int descriptor = config.descriptor_base + HIDDEN_DIAGNOSTICS;
  if (SYS_3(SYS_sendmsg, descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == -ENOTSOCK)
    SYS_3(SYS_writev, descriptor, parts, 3);
}

long refused_call(struct call *call) {
  const struct rule *rule = syscall_refusal(call->number);
  bool passes = rule == NULL && (config.flags & CONFIG_PASS_UNKNOWN) != 0;
  long error = rule != NULL ? rule->value : passes ? 0 : ENOSYS;
  if ((config.flags & CONFIG_DIAGNOSTICS) != 0 && is_news(call->number))
    tell(rule != NULL ? rule->call : "unknown", call->number, error);
  if (!passes)
    return -error;
  // It may block.
  call->deferred->number = call->number;
  memcpy(call->deferred->argument, call->argument, sizeof call->argument);
  return CALL_DEFERRED;
}
