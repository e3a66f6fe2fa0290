// Call sites that can be patched, processor by processor.
#ifndef ANYPROC_ARCH_SITE_H
#define ANYPROC_ARCH_SITE_H

#if defined(__x86_64__)
#include "arch-x86_64-site.h"
#else
#error "no support for this processor yet"
#endif

#endif
