#include "patched-call.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "call.h"
#include "life.h"
#include "process.h"
#include "sys.h"
#include "syscalls.h"
#include "trap.h"

_Static_assert(offsetof(struct patched_call, argument) == PATCHED_ARGUMENT, "known to the assembly");
_Static_assert(offsetof(struct patched_call, number) == PATCHED_NUMBER, "known to the assembly");
_Static_assert(offsetof(struct patched_call, result) == PATCHED_RESULT, "known to the assembly");
_Static_assert(offsetof(struct patched_call, deferred) == PATCHED_DEFERRED, "known to the assembly");
_Static_assert(offsetof(struct patched_call, mask) == PATCHED_MASK, "known to the assembly");
_Static_assert(offsetof(struct patched_call, interrupted) == PATCHED_INTERRUPTED, "known to the assembly");
_Static_assert(offsetof(struct patched_call, slot) == PATCHED_SLOT, "known to the assembly");
_Static_assert(offsetof(struct patched_call, kept_register) == PATCHED_KEPT, "known to the assembly");
_Static_assert(offsetof(struct patched_call, resume) == PATCHED_RESUME, "known to the assembly");
_Static_assert(offsetof(struct patched_call, flags) == PATCHED_FLAGS, "known to the assembly");
_Static_assert(offsetof(struct process, slot_owner) == 0, "known to the assembly");
_Static_assert(sizeof(struct patched_call) == PATCHED_SIZE, "known to the assembly");

static long make_call(struct patched_call *patched, struct call *call) {
  long result = syscall_handler(call->number)(call);
  if (result != CALL_DEFERRED)
    return result;
  struct deferred_frame *frame = deferred_place(call->deferred, (uintptr_t)patched, (uintptr_t)patched);
  if (frame == NULL)
    return -EFAULT;
  frame->guest_number = call->number;
  memcpy(frame->registers, patched->argument, sizeof patched->argument);
  frame->registers[DEFERRED_RESUME] = patched->resume;
  frame->registers[DEFERRED_STACK_POINTER] = (long)patched_stack_pointer(patched);
  patched->deferred = (long)frame;
  return 0;
}

// rt_sigprocmask(2) works on the mask as it was before a signal that came during the call was put off.
static long change_mask(struct patched_call *patched, struct call *call) {
  uint64_t before, mask;
  SYS_4(SYS_rt_sigprocmask, SIG_BLOCK, 0, &before, sizeof before);
  if (__atomic_load_n(&patched->interrupted, __ATOMIC_RELAXED))
    before = patched->mask;
  mask = before;
  call->mask = &mask;
  long result = make_call(patched, call);
  if (mask == before)
    return result;
  SYS_4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof mask);
  __atomic_store_n(&patched->mask, mask, __ATOMIC_RELAXED);
  return result;
}

void *patched_call(struct patched_call *patched) {
  if (!process.armed)
    life_arm_unforeseen();
  struct deferred deferred;
  deferred_prepare(&deferred);
  struct call call = {.number = patched->number, .deferred = &deferred};
  memcpy(call.argument, patched->argument, sizeof call.argument);
  patched->result = call.number == SYS_rt_sigprocmask ? change_mask(patched, &call) : make_call(patched, &call);
  return patched->deferred != 0 ? (void *)patched->deferred : patched;
}

uintptr_t patched_stack_pointer(const struct patched_call *patched) {
  return (uintptr_t)(patched + 1) + ARCH_RED_ZONE;
}
