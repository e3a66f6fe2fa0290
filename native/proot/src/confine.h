// What a guest may not change about its own confinement.
#ifndef ANYPROC_CONFINE_H
#define ANYPROC_CONFINE_H

#include "call.h"

call_handler confine_call;

#endif
