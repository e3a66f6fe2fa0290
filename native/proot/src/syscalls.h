// The one table of system calls, and what is made of it: filter rules and the dispatch to handlers.
#ifndef ANYPROC_SYSCALLS_H
#define ANYPROC_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call.h"
#include "syscall-numbers.h"

enum rule_action {
  RULE_TRAP,   // to the handler, unless the call comes from the gate page
  RULE_ANSWER, // the filter itself gives errno `value`, or success when it is 0
};

enum rule_condition {
  ALWAYS,
  IDS_FAKED,       // the run shows ids that are not the real ones
  SHOWN_AS_ROOT,   // ... and they are 0
  NONZERO,         // the argument is not 0
  AMONG,           // the argument is one of `operands`
  HIDDEN,          // the argument is a hidden descriptor
  MASK_GROWS,      // rt_sigprocmask(2) with a set, and not SIG_UNBLOCK
  ACTION_MATTERS,  // rt_sigaction(2) of SIGSYS, or with a new action; all when sites are patched
  FORKS,           // clone(2) of a process that goes on with a copy of the memory and of the stack, or in namespaces
};

struct rule {
  const char *call;
  uint16_t number;
  uint8_t action;
  uint8_t value;
  uint8_t condition;
  uint8_t argument;
  uint8_t operand_count;
  uint32_t operands[12];
};

static inline bool rule_refuses_always(const struct rule *rule) {
  return rule->action == RULE_ANSWER && rule->value != 0 && rule->condition == ALWAYS;
}

extern const struct rule rules[];
extern const size_t rule_count;

// Whether syscalls.def or syscalls-passed.def has it.
bool syscall_is_known(long number);

// The rule by which the filter refuses the call whatever its arguments, or NULL.
const struct rule *syscall_refusal(long number);

// Never NULL: what has no handler is refused.
call_handler *syscall_handler(long number);

// Whether a call may come to its handler without the filter: the handler gives every answer itself, and needs no
// signal frame.
bool syscall_may_be_patched(long number);

#endif
