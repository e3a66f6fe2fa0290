// SIGSYS belongs to the engine: it is never blocked, and what the guest sets for it is only remembered.
#ifndef ANYPROC_SIGNALS_H
#define ANYPROC_SIGNALS_H

#include <signal.h>
#include <ucontext.h>

#include "call.h"

// Takes SIGSYS over for this process. Lets SIGTRAP through if it was blocked only until now.
void signals_start(bool unblock_trap);

call_handler signals_mask;       // rt_sigprocmask(2)
call_handler signals_action;     // rt_sigaction(2)
call_handler signals_wait;       // calls that wait under another mask
call_handler signals_descriptor; // signalfd(2)

// rt_sigreturn(2): the guest may have put SIGSYS into the mask that is about to return.
void signals_return(ucontext_t *context);

// A SIGSYS that did not come from the filter. Called by the assembly, on the stack that the kernel chose.
void signals_forward(int signal, siginfo_t *info, void *context);

#endif
