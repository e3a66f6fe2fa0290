#include "trap.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "arch.h"
#include "call.h"
#include "guest.h"
#include "life.h"
#include "patch.h"
#include "process.h"
#include "signals.h"
#include "slot.h"
#include "sys.h"
#include "syscalls.h"

_Static_assert(offsetof(struct deferred_frame, number) == FRAME_NUMBER, "known to the assembly");
_Static_assert(offsetof(struct deferred_frame, argument) == FRAME_ARGUMENT, "known to the assembly");
_Static_assert(offsetof(struct deferred_frame, result) == FRAME_RESULT, "known to the assembly");
_Static_assert(offsetof(struct deferred_frame, mask) == FRAME_MASK, "known to the assembly");
_Static_assert(offsetof(struct deferred_frame, resume) == FRAME_RESUME, "known to the assembly");
_Static_assert(offsetof(struct deferred_frame, resume_results) == FRAME_RESUME_RESULTS, "known to the assembly");
_Static_assert(RESUME_ALWAYS == FRAME_RESUME_ALWAYS, "known to the assembly");
_Static_assert(offsetof(struct deferred_frame, flags) == FRAME_FLAGS, "known to the assembly");

void deferred_prepare(struct deferred *deferred) {
  deferred->data_argument = -1;
  deferred->data_pointer = -1;
  deferred->resume = RESUME_NEVER;
  memset(deferred->resume_results, 0, sizeof deferred->resume_results);
  deferred->data_size = 0;
}

struct deferred_frame *deferred_place(const struct deferred *deferred, uintptr_t limit, uintptr_t in_use) {
  size_t size = sizeof(struct deferred_frame) + deferred->data_size;
  uintptr_t at = (limit - size) & ~(uintptr_t)15;
  bool is_mapped = in_use != 0 && at / ARCH_PAGE_SIZE == in_use / ARCH_PAGE_SIZE;
  if (!is_mapped && guest_probe((void *)at, size) < 0)
    return NULL;
  struct deferred_frame *frame = (struct deferred_frame *)at;
  frame->number = deferred->number;
  memcpy(frame->argument, deferred->argument, sizeof frame->argument);
  memcpy(frame->data, deferred->data, deferred->data_size);
  if (deferred->data_argument >= 0)
    frame->argument[deferred->data_argument] = (long)frame->data;
  if (deferred->data_pointer >= 0) {
    uintptr_t offset;
    memcpy(&offset, frame->data + deferred->data_pointer, sizeof offset);
    offset += (uintptr_t)frame->data;
    memcpy(frame->data + deferred->data_pointer, &offset, sizeof offset);
  }
  frame->resume = deferred->resume;
  frame->resume_results[0] = -deferred->resume_results[0];
  frame->resume_results[1] = -deferred->resume_results[1];
  return frame;
}

// Where the guest's stack is free: below the signal frame, which is still to be returned from, if that lies there.
static uintptr_t free_stack_of(const ucontext_t *context) {
  enum { SIGNAL_FRAME_MAX = 64 * 1024, ENTRY_FRAME_MAX = 256 };
  uintptr_t limit = arch_stack_pointer(context) - ARCH_RED_ZONE, frame = (uintptr_t)context;
  return frame < limit && limit - frame < SIGNAL_FRAME_MAX ? frame - ENTRY_FRAME_MAX : limit;
}

void trap_handle(const siginfo_t *info, ucontext_t *context) {
  if (!process.armed)
    life_arm_unforeseen();
  if (info->si_syscall == SYS_rt_sigreturn) {
    signals_return(context);
    return;
  }
  struct deferred deferred;
  deferred_prepare(&deferred);
  struct call call = {.number = info->si_syscall, .deferred = &deferred};
  uint64_t mask;
  memcpy(&mask, &context->uc_sigmask, sizeof mask);
  call.mask = &mask;
  arch_arguments(context, call.argument);
  long result = syscall_handler(call.number)(&call);
  patch_consider(arch_program_counter(context), call.number);
  memcpy(&context->uc_sigmask, &mask, sizeof mask);
  if (result != CALL_DEFERRED) {
    arch_set_result(context, result);
    return;
  }
  struct deferred_frame *frame = deferred_place(&deferred, free_stack_of(context), 0);
  if (frame == NULL) {
    arch_set_result(context, -EFAULT);
    return;
  }
  frame->guest_number = call.number;
  arch_save(context, frame->registers);
  arch_continue(context, (uintptr_t)gate_deferred, (uintptr_t)frame);
}

struct resumption {
  struct continuation continuation;
  uintptr_t limit;
};

// On the private stack, every signal blocked.
static long deferred_stage(void *first, void *second) {
  struct deferred_frame *frame = first;
  struct resumption *out = second;
  struct deferred deferred;
  deferred_prepare(&deferred);
  deferred.number = frame->number;
  memcpy(deferred.argument, frame->argument, sizeof deferred.argument);
  struct call call = {.number = frame->guest_number,
                      .stage = 1,
                      .result = frame->result,
                      .deferred = &deferred,
                      .mask = &frame->mask};
  memcpy(call.argument, frame->registers, sizeof call.argument);
  long result = syscall_handler(call.number)(&call);
  out->continuation.frame = frame;
  out->continuation.again = 0;
  if (result == CALL_DEFERRED) {
    struct deferred_frame *next = deferred_place(&deferred, out->limit, 0);
    if (next != NULL) {
      next->guest_number = frame->guest_number;
      next->mask = frame->mask;
      memcpy(next->registers, frame->registers, sizeof next->registers);
      next->flags = frame->flags;
      out->continuation.frame = next;
      out->continuation.again = 1;
      return 0;
    }
    result = -EFAULT;
  }
  frame->result = result;
  return 0;
}

// On the guest's stack: a second look at a call that was deferred.
struct continuation deferred_resume(struct deferred_frame *frame) {
  uint64_t all = ~(uint64_t)0;
  SYS_4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &frame->mask, sizeof all);
  // The next frame must lie below this function's own, where no signal can come before the assembly has moved there.
  struct resumption resumption = {.limit = (uintptr_t)__builtin_frame_address(0) - 512};
  void *top = slot_acquire();
  call_on_stack(top, deferred_stage, frame, &resumption);
  slot_release(top);
  if (!resumption.continuation.again)
    SYS_4(SYS_rt_sigprocmask, SIG_SETMASK, &frame->mask, 0, sizeof frame->mask);
  return resumption.continuation;
}
