// Directory listings: they show binds whose places the host lacks; /proc/PID/fd and fdinfo do not show the engine's
// descriptors.
#ifndef ANYPROC_LISTING_H
#define ANYPROC_LISTING_H

#include "call.h"

call_handler listing_call; // getdents64(2)

#endif
