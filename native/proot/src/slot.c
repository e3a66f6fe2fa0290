#include "slot.h"

#include <linux/futex.h>
#include <stddef.h>

#include "process.h"
#include "sys.h"

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

void *slot_acquire(void) {
  for (;;) {
    int i = owner_claim(process.slot_owner, SLOT_COUNT);
    if (i >= 0)
      return slots[i] + SLOT_SIZE;
    SYS_0(SYS_sched_yield);
  }
}

void slot_release(void *top) {
  long i = ((char *)top - slots[0]) / SLOT_SIZE - 1;
  __atomic_store_n(&process.slot_owner[i], 0, __ATOMIC_RELEASE);
}

void *slot_holding(uintptr_t address) {
  uintptr_t offset = address - (uintptr_t)slots;
  return offset < sizeof slots ? slots[offset / SLOT_SIZE] + SLOT_SIZE : NULL;
}
