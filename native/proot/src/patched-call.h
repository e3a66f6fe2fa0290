// A system call that comes through a patched call site: no signal, so nothing but the stack holds the guest's state.
#ifndef ANYPROC_PATCHED_CALL_H
#define ANYPROC_PATCHED_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "arch.h"

// On the guest's stack, below the red zone, from the stub until the call returns. The assembly knows the offsets.
struct patched_call {
  long argument[6];
  long number;
  long result;
  long deferred;      // the frame of a deferred call that is to be made, or 0
  uint64_t mask;      // the guest's, while signals wait
  long interrupted;   // a signal came during the call: it is delivered when the call returns
  uint32_t *slot;     // owner word of the private stack
  long kept_register; // the guest's, whose place the assembly needs
  long resume;        // where the guest goes on
  long flags;         // of the processor
};

// Answers the call. Called by the assembly on a private stack. Returns the lowest address of the guest's stack that is
// in use, below which signals may go.
void *patched_call(struct patched_call *patched);

// The guest's stack pointer at its system call.
uintptr_t patched_stack_pointer(const struct patched_call *patched);

// Where a context that a signal interrupted stands.
enum patched_state {
  PATCHED_SETTLED, // in the guest, seen from there: before its system call or after it
  PATCHED_INSIDE,  // in the engine's own code, which has no state to show
};

// Takes a context out of the stub and the assembly around the call: back to the guest's syscall instruction if the call
// has not begun, forward to its result if it is over. `inside` is set with PATCHED_INSIDE.
enum patched_state patched_settle(ucontext_t *context, struct patched_call **inside);

// In the assembly.
#pragma GCC visibility push(hidden)
extern char patched_entry[], patched_flags_saved[], patched_inside[], patched_over[], patched_exit[], patched_last[],
    patched_end[];
extern char gate_patched_leave[], gate_patched_leave_end[], gate_signal_kept[], gate_signal_end[];
#pragma GCC visibility pop

#endif
