// ptrace(2) by guests.
#ifndef ANYPROC_TRACE_H
#define ANYPROC_TRACE_H

#include <stdbool.h>

#include "call.h"

// PTRACE_TRACEME in a vfork child would stop it at its next trap, while its tracer, the parent, waits for it to exec.
// So it is put off until the new program's start.
call_handler trace_call;

// Whether somebody traces this process, proc_pid_status(5).
bool trace_is_on(void);

bool trace_is_put_off(void);
// Makes up for it: the tracer sees the SIGTRAP that follows an execve(2).
void trace_catch_up(void);

#endif
