#include "slot.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/mman.h>

#include "process.h"
#include "sys.h"

enum { PATIENCE = 16 };

#pragma GCC visibility push(hidden)
extern char slots[SLOT_COUNT][SLOT_SIZE];
#pragma GCC visibility pop
__attribute__((section(".bss.slots"), aligned(4096))) char slots[SLOT_COUNT][SLOT_SIZE];

int owner_claim(uint32_t *words, int count) {
  for (int i = 0; i < count; i++) {
    uint32_t seen = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
    if (seen != 0 && !(seen & FUTEX_OWNER_DIED))
      continue;
    if (__atomic_compare_exchange_n(&words[i], &seen, SLOT_BUSY, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
      return i;
  }
  return -1;
}

// A vfork child that is killed in the midst of a trap leaves its slot taken for ever. Whoever has waited in vain gets
// memory of its own instead.
void *slot_acquire(void) {
  for (int attempt = 1;; attempt++) {
    int i = owner_claim(process.slot_owner, SLOT_COUNT);
    if (i >= 0)
      return slots[i] + SLOT_SIZE;
    SYS_0(SYS_sched_yield);
    if (attempt < PATIENCE)
      continue;
    long at = SYS_6(SYS_mmap, 0, SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at >= 0)
      return (char *)at + SLOT_SIZE;
  }
}

void slot_release(void *top) {
  uintptr_t offset = (uintptr_t)top - SLOT_SIZE - (uintptr_t)slots;
  if (offset < sizeof slots)
    __atomic_store_n(&process.slot_owner[offset / SLOT_SIZE], 0, __ATOMIC_RELEASE);
  else
    SYS_2(SYS_munmap, (char *)top - SLOT_SIZE, SLOT_SIZE);
}

void *slot_holding(uintptr_t address) {
  uintptr_t offset = address - (uintptr_t)slots;
  return offset < sizeof slots ? slots[offset / SLOT_SIZE] + SLOT_SIZE : NULL;
}
