// Private stacks for the C code of the engine, so that the guest's stack carries the kernel's signal frame only.
#ifndef ANYPROC_SLOT_H
#define ANYPROC_SLOT_H

#include "process.h"

#define SLOT_SIZE (64 * 1024)
// What lies at the top of a private stack, above its first frame: whose call it serves.
#define SLOT_TOP_SIZE 16

// An owner word holds 0, or SLOT_BUSY, or the owner's thread id; the kernel sets FUTEX_OWNER_DIED in the last case
// when that thread leaves this memory (a vfork child that execs or dies).
#define SLOT_BUSY 0x3fffffff

#ifndef __ASSEMBLER__
#include <stdint.h>

// Claims one of `count` words. Returns its index, or -1 when all are taken.
int owner_claim(uint32_t *words, int count);

// Top of a private stack. While all are in use it waits a little, then makes one more.
void *slot_acquire(void);
void slot_release(void *top);

// Top of the private stack that holds the address, or NULL.
void *slot_holding(uintptr_t address);
#endif

#endif
