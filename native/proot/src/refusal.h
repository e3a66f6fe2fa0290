// System calls that are refused, or that the table does not have, with somebody to tell (--diagnostics-fd).
#ifndef ANYPROC_REFUSAL_H
#define ANYPROC_REFUSAL_H

#include "call.h"

call_handler refused_call;

#endif
