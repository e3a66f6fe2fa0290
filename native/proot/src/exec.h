// execve(2) of a guest program: everything that can fail is found out first, so that each error is the kernel's own;
// then the shim is executed in the program's stead and loads it.
#ifndef ANYPROC_EXEC_H
#define ANYPROC_EXEC_H

#include "call.h"
#include "exec-find.h"
#include "exec-plan.h"

// What else the shim is told in the handover.
enum { EXEC_TRACE_PUT_OFF = 1, EXEC_TRAP_BLOCKED = 2, EXEC_BY_DESCRIPTOR = 4, EXEC_DIRECTORY_SHARED = 8 };

// On success the plan's argv is ready for execve(config.shim, ...); otherwise a negative errno. The plan is to be
// abandoned either way, unless it is NULL.
long exec_prepare(const struct exec_request *request, struct exec_plan **plan);

call_handler exec_call;

#endif
