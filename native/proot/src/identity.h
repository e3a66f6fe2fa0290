// Ids and capabilities of a guest that is shown other ids than the real ones.
#ifndef ANYPROC_IDENTITY_H
#define ANYPROC_IDENTITY_H

#include "call.h"

call_handler identity_call;

#endif
