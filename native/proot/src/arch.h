// What differs between processors: registers, frames, numbers. One header and one assembly file each.
#ifndef ANYPROC_ARCH_H
#define ANYPROC_ARCH_H

#if defined(__x86_64__)
#include "arch-x86_64.h"
#else
#error "no support for this processor yet"
#endif

#endif
