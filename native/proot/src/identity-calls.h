// The system calls that tell or change who a process is, credentials(7).
#ifndef ANYPROC_IDENTITY_CALLS_H
#define ANYPROC_IDENTITY_CALLS_H

#include "call.h"
#include "identity.h"

call_handler identity_call;
// prctl(2), with the options that concern ids and capabilities.
call_handler identity_prctl;

// getsockopt(2) with SO_PEERCRED: who is at the other end of a Unix socket.
call_handler identity_of_peer;

// To be called before the ids differ from those that the filter answers with. Returns 0 or -EAGAIN.
long identity_trap_getters(void);

#endif
