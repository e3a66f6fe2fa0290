// A call site of x86-64 code, and the stub that it is made to jump to.
//
//   guest:  mov $number, %eax   ->  jmp stub        stub:  mov $number, %eax
//           syscall                 syscall                lea behind_syscall(%rip), %rcx
//                                                          jmp *page->entry(%rip)
#ifndef ANYPROC_ARCH_X86_64_SITE_H
#define ANYPROC_ARCH_X86_64_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
  ARCH_SITE_SIZE = 10, // bytes that arch_site_find() looks at
  ARCH_STUB_SIZE = 32,
  ARCH_JUMP_SIZE = 5,
  ARCH_CACHE_LINE = 64,
};

// How far a stub may be from its site; less than what 32 bits can say.
#define ARCH_JUMP_REACH 0x70000000UL

static inline bool arch_ends_in(uintptr_t start, uintptr_t *end, const void *bytes, size_t size) {
  if (*end - start < size || memcmp((const void *)(*end - size), bytes, size) != 0)
    return false;
  *end -= size;
  return true;
}

// The instruction that can become a jump, in the readable bytes before `behind`, where the syscall instruction ends.
// Other processors must see the change whole, so it must not cross a cache line.
static inline bool arch_site_find(uintptr_t start, uintptr_t behind, long number, uintptr_t *out) {
  uintptr_t end = behind;
  int32_t immediate = (int32_t)number;
  if (!arch_ends_in(start, &end, "\x0f\x05", 2) || !arch_ends_in(start, &end, &immediate, sizeof immediate))
    return false;
  if (!arch_ends_in(start, &end, "\x48\xc7\xc0", 3) && !arch_ends_in(start, &end, "\xb8", 1))
    return false;
  *out = end;
  // Behind a REX prefix it is another register's.
  if (end > start && (*(const unsigned char *)(end - 1) & 0xf0) == 0x40)
    return false;
  return end % ARCH_CACHE_LINE + ARCH_JUMP_SIZE <= ARCH_CACHE_LINE;
}

static inline unsigned char *arch_put_distance(unsigned char *at, uintptr_t to) {
  int32_t distance = (int32_t)(to - ((uintptr_t)at + sizeof distance));
  memcpy(at, &distance, sizeof distance);
  return at + sizeof distance;
}

// `entry` is the address of a word that holds the address to go to. `out` is where the stub will be.
static inline void arch_stub_write(unsigned char *out, long number, uintptr_t behind, uintptr_t entry) {
  int32_t immediate = (int32_t)number;
  *out++ = 0xb8;
  memcpy(out, &immediate, sizeof immediate);
  out += sizeof immediate;
  memcpy(out, "\x48\x8d\x0d", 3);
  out = arch_put_distance(out + 3, behind);
  memcpy(out, "\xff\x25", 2);
  arch_put_distance(out + 2, entry);
}

// What a stub says, for a context that was interrupted in it.
static inline void arch_stub_read(const unsigned char *stub, long *number, uintptr_t *behind) {
  int32_t immediate, distance;
  memcpy(&immediate, stub + 1, sizeof immediate);
  memcpy(&distance, stub + 8, sizeof distance);
  *number = immediate;
  *behind = (uintptr_t)stub + 12 + (uintptr_t)(intptr_t)distance;
}

// Makes the instruction that arch_site_find() found a jump, with one locked store.
static inline void arch_site_write(uintptr_t site, uintptr_t stub) {
  uintptr_t last = (site | (ARCH_CACHE_LINE - 1)) + 1 - sizeof(uint64_t), window = site < last ? site : last;
  unsigned char jump[1 + sizeof(int32_t)] = {0xe9};
  int32_t distance = (int32_t)(stub - (site + ARCH_JUMP_SIZE));
  memcpy(jump + 1, &distance, sizeof distance);
  uint64_t before, after;
  memcpy(&before, (const void *)window, sizeof before);
  unsigned char bytes[sizeof after];
  memcpy(bytes, &before, sizeof bytes);
  memcpy(bytes + (site - window), jump, sizeof jump);
  memcpy(&after, bytes, sizeof after);
  __asm__ volatile("lock cmpxchg %2, %1" : "+a"(before), "+m"(*(uint64_t *)window) : "r"(after) : "cc", "memory");
}

#endif
