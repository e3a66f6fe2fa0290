// Signals on their way to the guest's handlers. While call sites are patched, a signal may find the thread in the
// engine's own code. So the kernel is given one handler for all of the guest's: it shows the guest's handler a context
// of the guest, or lets the signal wait until the call is over.
#ifndef ANYPROC_ARRIVAL_H
#define ANYPROC_ARRIVAL_H

#define ALTERNATE_STACK_PAGES 2048

#ifndef __ASSEMBLER__
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "call.h"

// struct sigaction as the kernel has it.
struct action {
  union {
    void (*handler)(int);
    void (*detailed)(int, siginfo_t *, void *);
  };
  unsigned long flags;
  void (*restorer)(void);
  uint64_t mask;
};

// rt_sigaction(2) with what the guest wants, or NULL, for any signal but SIGSYS. `before` is the guest's memory.
long arrival_set_action(int signal, const struct action *wanted, struct action *before);

// sigaltstack(2): signals must not find a thread on a private stack that came from its alternate one.
call_handler arrival_alternate_stack;

// Whether the guest's handlers are this process's.
bool arrival_owns_actions(void);

typedef void guest_handler(int signal, siginfo_t *info, void *context);

guest_handler *arrival_guest_handler(int signal);

// With every signal blocked: makes the context one that the guest can be shown, or puts the signal off.
bool arrival_must_wait(int signal, siginfo_t *info, ucontext_t *context);
// The same, called by the assembly: the guest's handler, or NULL if the signal waits.
guest_handler *arrival_handler(int signal, siginfo_t *info, ucontext_t *context);
#endif

#endif
