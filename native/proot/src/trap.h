// From a trapped system call to its handler and back.
#ifndef ANYPROC_TRAP_H
#define ANYPROC_TRAP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "call.h"

enum { DEFERRED_RESUME = 6, DEFERRED_STACK_POINTER = 7 };

// What waits on the guest's stack while a deferred call is made. The assembly knows the offsets.
struct deferred_frame {
  long registers[8]; // arch_save(): the arguments, where the guest goes on, its stack pointer
  long number;
  long argument[6];
  long result;
  uint64_t mask; // the guest's, while the handler is asked again
  long resume;            // enum resume
  long resume_results[2]; // negated
  long flags;        // the guest's, while the handler is asked again
  long guest_number;
  _Alignas(16) char data[];
};

struct continuation {
  struct deferred_frame *frame;
  long again; // the frame holds another call to make
};

void deferred_prepare(struct deferred *deferred);
// Places a frame for `deferred` below `limit`. Returns NULL where the guest has no stack left: a page that holds an
// address `in_use` need not be asked for.
struct deferred_frame *deferred_place(const struct deferred *deferred, uintptr_t limit, uintptr_t in_use);

// Called by the assembly.
void trap_handle(const siginfo_t *info, ucontext_t *context);
struct continuation deferred_resume(struct deferred_frame *frame);

// In the assembly. Hidden, so that an address needs no table entry.
#pragma GCC visibility push(hidden)
void trap_entry(int signal, siginfo_t *info, void *context);
void gate_sigreturn(void);
void gate_deferred(void);
extern char gate_deferred_called[], gate_deferred_asking[], gate_deferred_leave[], gate_deferred_last[];
void gate_signal(int signal, siginfo_t *info, void *context);
long call_on_stack(void *top, long (*function)(void *, void *), void *first, void *second);
_Noreturn void enter_guest(void *stack_pointer, uintptr_t entry);
extern char gate_page[];
#pragma GCC visibility pop

#endif
