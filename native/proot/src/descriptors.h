// The engine's descriptors, which a guest neither sees nor closes.
#ifndef ANYPROC_DESCRIPTORS_H
#define ANYPROC_DESCRIPTORS_H

#include "call.h"

// close_range(2) around the hidden descriptors.
call_handler descriptors_close_range;

#endif
