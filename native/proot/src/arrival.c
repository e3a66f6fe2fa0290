#include "arrival.h"

#include <errno.h>
#include <string.h>

#include "arch.h"
#include "guest.h"
#include "patch.h"
#include "patched-call.h"
#include "process.h"
#include "sys.h"
#include "trap.h"

enum { SIGNAL_COUNT = 64 };

// The assembly reads it.
guest_handler *guest_handlers[SIGNAL_COUNT + 1];
// Handlers that were set without SA_SIGINFO, by the bits of a mask.
static uint64_t plain_handlers;

// A bit for each page that has been part of an alternate stack, by its number modulo the size. The assembly reads it.
uint8_t alternate_stack_pages[ALTERNATE_STACK_PAGES / 8];

guest_handler *arrival_guest_handler(int signal) {
  return guest_handlers[signal];
}

// Vfork children run in their parent's memory but have actions of their own; posix_spawn(3) resets them all there.
bool arrival_owns_actions(void) {
  return process.armed == (uint32_t)SYS_0(SYS_getpid);
}

static void show(struct action *before, guest_handler *handler, bool is_plain) {
  if (before->detailed != gate_signal)
    return;
  before->detailed = handler;
  if (is_plain)
    before->flags &= ~(unsigned long)SA_SIGINFO;
}

long arrival_set_action(int signal, const struct action *wanted, struct action *before) {
  struct action action;
  bool is_known = signal > 0 && signal <= SIGNAL_COUNT;
  uint64_t bit = is_known ? (uint64_t)1 << (signal - 1) : 0;
  guest_handler *handler_before = is_known ? guest_handlers[signal] : NULL;
  bool was_plain = plain_handlers & bit;
  if (wanted != NULL) {
    action = *wanted;
    if (is_known && patch_is_on() && action.handler != SIG_DFL && action.handler != SIG_IGN && arrival_owns_actions()) {
      if (action.flags & SA_SIGINFO)
        __atomic_and_fetch(&plain_handlers, ~bit, __ATOMIC_RELAXED);
      else
        __atomic_or_fetch(&plain_handlers, bit, __ATOMIC_RELAXED);
      __atomic_store_n(&guest_handlers[signal], action.detailed, __ATOMIC_RELEASE);
      action.detailed = gate_signal;
      action.flags |= SA_SIGINFO;
    }
  }
  long result = SYS_4(SYS_rt_sigaction, signal, wanted != NULL ? &action : NULL, before, sizeof action.mask);
  if (result == 0 && before != NULL) // the kernel has just written it
    show(before, handler_before, was_plain);
  return result;
}

static void note_pages(uintptr_t start, size_t size) {
  uintptr_t page = start / ARCH_PAGE_SIZE, end = (start + size - 1) / ARCH_PAGE_SIZE;
  if (size == 0)
    return;
  if (end - page >= ALTERNATE_STACK_PAGES)
    end = page + ALTERNATE_STACK_PAGES - 1;
  for (; page <= end; page++)
    __atomic_or_fetch(&alternate_stack_pages[page % ALTERNATE_STACK_PAGES / 8], 1u << page % 8, __ATOMIC_RELAXED);
}

long arrival_alternate_stack(struct call *call) {
  stack_t stack;
  if (guest_copy_in(&stack, (void *)call->argument[0], sizeof stack) == 0 && !(stack.ss_flags & SS_DISABLE))
    note_pages((uintptr_t)stack.ss_sp, stack.ss_size);
  call->deferred->number = call->number;
  memcpy(call->deferred->argument, call->argument, sizeof call->argument);
  return CALL_DEFERRED;
}

// Blocks every signal for the rest of the call and puts this one back among the pending ones.
static void put_off(int signal, siginfo_t *info, ucontext_t *context, struct patched_call *patched) {
  uint64_t every_signal = ~(uint64_t)0;
  if (patched != NULL) {
    memcpy(&patched->mask, &context->uc_sigmask, sizeof patched->mask);
    __atomic_store_n(&patched->interrupted, 1, __ATOMIC_RELAXED);
  }
  memcpy(&context->uc_sigmask, &every_signal, sizeof every_signal);
  SYS_4(SYS_rt_tgsigqueueinfo, SYS_0(SYS_getpid), SYS_0(SYS_gettid), signal, info);
}

bool arrival_must_wait(int signal, siginfo_t *info, ucontext_t *context) {
  struct patched_call *patched = NULL;
  if (patched_settle(context, &patched) == PATCHED_SETTLED)
    return false;
  put_off(signal, info, context, patched);
  return true;
}

guest_handler *arrival_handler(int signal, siginfo_t *info, ucontext_t *context) {
  return arrival_must_wait(signal, info, context) ? NULL : guest_handlers[signal];
}
