// What a signal may find, and how it becomes what the guest expects: its own code, before a system call or behind it.
#include <stdbool.h>
#include <string.h>

#include "arrival.h"
#include "patch.h"
#include "patched-call.h"
#include "slot.h"
#include "trap.h"

static bool is_between(uintptr_t address, const char *from, const char *to) {
  return address >= (uintptr_t)from && address < (uintptr_t)to;
}

// The guest's syscall instruction is still there: it traps, after the signal.
static void go_back(greg_t *registers, long number, uintptr_t behind) {
  registers[REG_RAX] = number;
  registers[REG_RIP] = (greg_t)behind - ARCH_SYSCALL_LENGTH;
}

static void go_back_from_entry(greg_t *registers) {
  uintptr_t at = (uintptr_t)registers[REG_RIP];
  if (at >= (uintptr_t)patched_flags_saved)
    memcpy(&registers[REG_EFL], (char *)registers[REG_R11] - ARCH_RED_ZONE - sizeof(long), sizeof(long));
  if (at > (uintptr_t)patched_entry)
    registers[REG_RSP] = registers[REG_R11];
  go_back(registers, registers[REG_RAX], (uintptr_t)registers[REG_RCX]);
}

static bool asks_again(const struct deferred_frame *frame, long result) {
  return frame->resume == RESUME_ALWAYS || (frame->resume == RESUME_ON_RESULTS && (result == -frame->resume_results[0] ||
                                                                                 result == -frame->resume_results[1]));
}

static void leave_deferred(greg_t *registers, const struct deferred_frame *frame, long result) {
  registers[REG_RDI] = frame->registers[0];
  registers[REG_RSI] = frame->registers[1];
  registers[REG_RDX] = frame->registers[2];
  registers[REG_R10] = frame->registers[3];
  registers[REG_R8] = frame->registers[4];
  registers[REG_R9] = frame->registers[5];
  registers[REG_RIP] = frame->registers[DEFERRED_RESUME];
  registers[REG_RSP] = frame->registers[DEFERRED_STACK_POINTER];
  registers[REG_RAX] = result;
}

// A call in the guest's own context, which may be what the signal interrupted: the kernel has then set it up to return
// -EINTR, or to be made again.
static void settle_deferred(greg_t *registers, uintptr_t at) {
  const struct deferred_frame *frame = (const struct deferred_frame *)registers[REG_RSP];
  long result = at == (uintptr_t)gate_deferred_called ? registers[REG_RAX] : frame->result;
  bool is_left = at >= (uintptr_t)gate_deferred_leave, is_made = at >= (uintptr_t)gate_deferred_called;
  if (!is_left && frame->resume == RESUME_ALWAYS) // the handler may hold something
    return;
  if (is_left || (is_made && !asks_again(frame, result))) {
    leave_deferred(registers, frame, result);
    return;
  }
  if (is_made && result >= 0) // what has failed has done nothing; this has
    return;
  leave_deferred(registers, frame, 0);
  go_back(registers, frame->guest_number, (uintptr_t)registers[REG_RIP]);
}

static void go_forward(greg_t *registers, const struct patched_call *patched) {
  registers[REG_RDI] = patched->argument[0];
  registers[REG_RSI] = patched->argument[1];
  registers[REG_RDX] = patched->argument[2];
  registers[REG_R10] = patched->argument[3];
  registers[REG_R8] = patched->argument[4];
  registers[REG_R9] = patched->argument[5];
  registers[REG_RAX] = patched->result;
  registers[REG_RBX] = patched->kept_register;
  registers[REG_RIP] = patched->resume;
  registers[REG_RSP] = (greg_t)patched_stack_pointer(patched);
  registers[REG_EFL] = patched->flags;
  if (patched->deferred != 0) {
    registers[REG_RIP] = (greg_t)gate_deferred;
    registers[REG_RSP] = patched->deferred;
    settle_deferred(registers, (uintptr_t)gate_deferred);
  }
}

// A handler that is about to run, by what the assembly knows of it.
static enum patched_state settle_handler(greg_t *registers, struct patched_call **inside) {
  if ((uintptr_t)registers[REG_RIP] >= (uintptr_t)gate_signal_kept) {
    registers[REG_RDI] = registers[REG_R12];
    registers[REG_RSI] = registers[REG_R13];
    registers[REG_RDX] = registers[REG_R14];
    registers[REG_RSP] = registers[REG_R15];
    registers[REG_RIP] = (greg_t)gate_signal;
  }
  *inside = NULL; // the handler puts itself off
  if (patched_settle((ucontext_t *)registers[REG_RDX], inside) == PATCHED_INSIDE)
    return PATCHED_INSIDE;
  registers[REG_RIP] = (greg_t)arrival_guest_handler((int)registers[REG_RDI]);
  return PATCHED_SETTLED;
}

enum patched_state patched_settle(ucontext_t *context, struct patched_call **inside) {
  greg_t *registers = context->uc_mcontext.gregs;
  uintptr_t at = (uintptr_t)registers[REG_RIP], behind;
  long number;
  void *top = slot_holding((uintptr_t)registers[REG_RSP]);
  if (top != NULL) {
    memcpy(inside, (char *)top - SLOT_TOP_SIZE, sizeof *inside);
    return PATCHED_INSIDE;
  }
  if (is_between(at, patched_inside, patched_over)) {
    *inside = (struct patched_call *)registers[REG_RBX];
    return PATCHED_INSIDE;
  }
  if (is_between(at, (char *)gate_signal, gate_signal_end))
    return settle_handler(registers, inside);
  if (is_between(at, patched_entry, patched_inside))
    go_back_from_entry(registers);
  else if (is_between(at, patched_over, patched_exit) || is_between(at, gate_patched_leave, gate_patched_leave_end))
    go_forward(registers, (const struct patched_call *)registers[REG_RBX]);
  else if (is_between(at, patched_exit, patched_last))
    go_forward(registers, (const struct patched_call *)registers[REG_R11]);
  else if (is_between(at, (char *)gate_deferred, gate_deferred_asking) ||
           is_between(at, gate_deferred_leave, gate_deferred_last))
    settle_deferred(registers, at);
  else if (at == (uintptr_t)patched_last || at == (uintptr_t)gate_deferred_last)
    registers[REG_RIP] = registers[REG_RCX];
  else if (patch_in_stub(at, &number, &behind))
    go_back(registers, number, behind);
  return PATCHED_SETTLED;
}
