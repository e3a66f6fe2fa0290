#include "syscalls.h"

#include <errno.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

#include "arrival.h"
#include "confine.h"
#include "descriptors.h"
#include "exec.h"
#include "identity-calls.h"
#include "life.h"
#include "listing.h"
#include "namespace.h"
#include "path.h"
#include "refusal.h"
#include "signals.h"
#include "trace.h"

#define EVERY_TIME .condition = ALWAYS
#define WHEN_IDS_FAKED .condition = IDS_FAKED
#define WHEN_SHOWN_AS_ROOT .condition = SHOWN_AS_ROOT
#define WHEN_MASK_GROWS .condition = MASK_GROWS
#define WHEN_ACTION_MATTERS .condition = ACTION_MATTERS
#define WHEN_FORKS .condition = FORKS
#define WHEN_NONZERO(index) .condition = NONZERO, .argument = (index)
#define HIDDEN_DESCRIPTOR(index) .condition = HIDDEN, .argument = (index)
#define WHEN_AMONG(index, ...)                                                                                         \
  .condition = AMONG, .argument = (index), .operands = {__VA_ARGS__},                                                  \
  .operand_count = sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)

#define TRANSLATED(name) {.call = #name, .number = SYS_##name, .action = RULE_TRAP, EVERY_TIME},
#define FRAMED(name) {.call = #name, .number = SYS_##name, .action = RULE_TRAP, EVERY_TIME},
#define TRANSLATED_WHEN(name, ...) {.call = #name, .number = SYS_##name, .action = RULE_TRAP, __VA_ARGS__},
#define EMULATED(name, handler, ...) {.call = #name, .number = SYS_##name, .action = RULE_TRAP, __VA_ARGS__},
#define REFUSED(name, error, ...)                                                                                      \
  {.call = #name, .number = SYS_##name, .action = RULE_ANSWER, .value = (error), __VA_ARGS__},
#define GRANTED(name, ...) {.call = #name, .number = SYS_##name, .action = RULE_ANSWER, .value = 0, __VA_ARGS__},
const struct rule rules[] = {
#include "syscalls.def"
};
#undef TRANSLATED
#undef FRAMED
#undef TRANSLATED_WHEN
#undef EMULATED
#undef REFUSED
#undef GRANTED

const size_t rule_count = sizeof rules / sizeof rules[0];

#define TRANSLATED(name) [SYS_##name] = path_call,
#define FRAMED(name)
#define TRANSLATED_WHEN(name, ...) [SYS_##name] = path_call,
#define EMULATED(name, handler, ...) [SYS_##name] = handler,
#define REFUSED(name, error, ...)
#define GRANTED(name, ...)
static call_handler *const handlers[SYSCALL_LAST_KNOWN + 1] = {
#include "syscalls.def"
};

#define PASSED(name) SYS_##name,
static const uint16_t passed[] = {
#include "syscalls-passed.def"
};
#undef PASSED

bool syscall_is_known(long number) {
  for (size_t i = 0; i < rule_count; i++)
    if (rules[i].number == number)
      return true;
  for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
    if (passed[i] == number)
      return true;
  return false;
}

const struct rule *syscall_refusal(long number) {
  for (size_t i = 0; i < rule_count; i++)
    if (rules[i].number == number && rule_refuses_always(&rules[i]))
      return &rules[i];
  return NULL;
}

call_handler *syscall_handler(long number) {
  if (number < 0 || number > SYSCALL_LAST_KNOWN || handlers[number] == NULL)
    return refused_call;
  return handlers[number];
}

static bool depends_on_run(const struct rule *rule) {
  return rule->condition == ALWAYS || rule->condition == IDS_FAKED || rule->condition == SHOWN_AS_ROOT;
}

bool syscall_may_be_patched(long number) {
  if (number == SYS_rt_sigprocmask || number == SYS_rt_sigaction)
    return true;
  for (size_t i = 0; i < rule_count; i++)
    if (rules[i].number == number && !depends_on_run(&rules[i]))
      return false;
  call_handler *handler = syscall_handler(number);
  return handler == path_call || handler == listing_call || handler == identity_call;
}
