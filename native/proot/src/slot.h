// Private stacks for the C code of the engine, so that the guest's stack carries the kernel's signal frame only.
#ifndef ANYPROC_SLOT_H
#define ANYPROC_SLOT_H

#include <stdint.h>

// An owner word holds 0, or SLOT_BUSY, or the owner's thread id; the kernel sets FUTEX_OWNER_DIED in the last case
// when that thread leaves this memory (a vfork child that execs or dies).
#define SLOT_BUSY 0x3fffffffu

// Claims one of `count` words. Returns its index, or -1 when all are taken.
int owner_claim(uint32_t *words, int count);

// Top of a private stack. While all are in use it waits a little, then makes one more.
void *slot_acquire(void);
void slot_release(void *top);

#endif
