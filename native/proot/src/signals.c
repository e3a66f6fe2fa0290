#include "signals.h"

#include <errno.h>
#include <string.h>

#include "arch.h"
#include "arrival.h"
#include "guest.h"
#include "sys.h"
#include "trap.h"

enum { RESTORER = 0x04000000 }; // SA_RESTORER, which the C library's headers hide

static const uint64_t sigsys_bit = (uint64_t)1 << (SIGSYS - 1);

static struct action guest_action;

void signals_start(bool unblock_trap) {
  uint64_t open = sigsys_bit | (unblock_trap ? (uint64_t)1 << (SIGTRAP - 1) : 0);

  struct action action = {.detailed = trap_entry,
                          .flags = SA_SIGINFO | SA_ONSTACK | RESTORER,
                          .restorer = gate_sigreturn,
                          .mask = ~(uint64_t)0};
  SYS_4(SYS_rt_sigaction, SIGSYS, &action, 0, sizeof action.mask);
  SYS_4(SYS_rt_sigprocmask, SIG_UNBLOCK, &open, 0, sizeof open);
}

static long copy_mask_in(uint64_t *mask, long address) {
  if (guest_copy_in(mask, (void *)address, sizeof *mask) < 0)
    return -EFAULT;
  *mask &= ~sigsys_bit;
  return 0;
}

long signals_mask(struct call *call) {
  uint64_t before = *call->mask, set;
  if (call->argument[3] != sizeof set)
    return -EINVAL;
  if (call->argument[1] != 0) {
    if (copy_mask_in(&set, call->argument[1]) < 0)
      return -EFAULT;
    switch ((int)call->argument[0]) {
    case SIG_BLOCK:
      *call->mask = before | set;
      break;
    case SIG_UNBLOCK:
      *call->mask = before & ~set;
      break;
    case SIG_SETMASK:
      *call->mask = set;
      break;
    default:
      return -EINVAL;
    }
  }
  if (call->argument[2] != 0)
    return guest_copy_out((void *)call->argument[2], &before, sizeof before);
  return 0;
}

long signals_action(struct call *call) {
  struct action action;
  if (call->argument[3] != sizeof action.mask)
    return -EINVAL;
  if (call->argument[1] != 0) {
    if (guest_copy_in(&action, (void *)call->argument[1], sizeof action) < 0)
      return -EFAULT;
    action.mask &= ~sigsys_bit;
  }
  if (call->argument[0] != SIGSYS)
    return arrival_set_action((int)call->argument[0], call->argument[1] != 0 ? &action : NULL,
                              (struct action *)call->argument[2]);
  struct action before = guest_action;
  if (call->argument[1] != 0 && arrival_owns_actions())
    guest_action = action;
  if (call->argument[2] != 0)
    return guest_copy_out((void *)call->argument[2], &before, sizeof before);
  return 0;
}

// pselect6(2) and io_pgetevents(2) pass the address of a mask and its size in a structure.
struct mask_argument {
  uint64_t address;
  uint64_t size;
  uint64_t mask; // of the copy on the guest's stack
};

static long wait_with_structure(struct call *call) {
  struct deferred *deferred = call->deferred;
  struct mask_argument argument;
  if (guest_copy_in(&argument, (void *)call->argument[5], offsetof(struct mask_argument, mask)) < 0)
    return -EFAULT;
  if (argument.address == 0 || argument.size != sizeof argument.mask)
    return CALL_DEFERRED;
  if (copy_mask_in(&argument.mask, (long)argument.address) < 0)
    return -EFAULT;
  argument.address = offsetof(struct mask_argument, mask);
  memcpy(deferred->data, &argument, sizeof argument);
  deferred->data_size = sizeof argument;
  deferred->data_argument = 5;
  deferred->data_pointer = 0;
  return CALL_DEFERRED;
}

static long wait_with_mask(struct call *call, int index) {
  struct deferred *deferred = call->deferred;
  uint64_t mask;
  if (call->argument[index + 1] != sizeof mask)
    return CALL_DEFERRED;
  if (copy_mask_in(&mask, call->argument[index]) < 0)
    return -EFAULT;
  memcpy(deferred->data, &mask, sizeof mask);
  deferred->data_size = sizeof mask;
  deferred->data_argument = index;
  return CALL_DEFERRED;
}

long signals_wait(struct call *call) {
  call->deferred->number = call->number;
  memcpy(call->deferred->argument, call->argument, sizeof call->argument);
  switch (call->number) {
  case SYS_rt_sigsuspend:
    return wait_with_mask(call, 0);
  case SYS_ppoll:
    return wait_with_mask(call, 3);
  case SYS_epoll_pwait:
  case SYS_epoll_pwait2:
    return wait_with_mask(call, 4);
  default:
    return wait_with_structure(call);
  }
}

long signals_descriptor(struct call *call) {
  uint64_t mask;
  if (call->argument[2] != sizeof mask)
    return -EINVAL;
  if (copy_mask_in(&mask, call->argument[1]) < 0)
    return -EFAULT;
  return SYS_4(call->number, call->argument[0], &mask, sizeof mask, call->argument[3]);
}

void signals_return(ucontext_t *context) {
  uint64_t *mask = arch_returning_mask(context);
  uint64_t returning;
  if (guest_copy_in(&returning, mask, sizeof returning) == 0 && (returning & sigsys_bit)) {
    returning &= ~sigsys_bit;
    memcpy(mask, &returning, sizeof returning);
  }
  arch_set_program_counter(context, (uintptr_t)gate_sigreturn);
}

// The signal's default action for the whole process, once the mask of the interrupted code is back.
static void die_of(int signal) {
  struct action action = {.handler = SIG_DFL};
  SYS_4(SYS_rt_sigaction, signal, &action, 0, sizeof action.mask);
  SYS_2(SYS_kill, SYS_0(SYS_getpid), signal);
}

void signals_forward(int signal, siginfo_t *info, void *context) {
  if (arrival_must_wait(signal, info, context))
    return;
  struct action action = guest_action;
  if (action.handler == SIG_IGN)
    return;
  if (action.handler == SIG_DFL) {
    die_of(signal);
    return;
  }
  if (action.flags & SA_RESETHAND)
    guest_action.handler = SIG_DFL;
  uint64_t mask;
  memcpy(&mask, &((ucontext_t *)context)->uc_sigmask, sizeof mask);
  mask |= action.mask;
  SYS_4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof mask);
  action.detailed(signal, info, context);
}
