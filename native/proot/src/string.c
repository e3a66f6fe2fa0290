// The four functions that the compiler may call, and strlen, for a program without a C library.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  char *t = to;
  const char *f = from;
  for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), t += sizeof(uint64_t), f += sizeof(uint64_t)) {
    uint64_t word;
    __builtin_memcpy(&word, f, sizeof word);
    __builtin_memcpy(t, &word, sizeof word);
  }
  while (size-- > 0)
    *t++ = *f++;
  return to;
}

void *memmove(void *to, const void *from, size_t size) {
  char *t = to;
  const char *f = from;
  if ((uintptr_t)t - (uintptr_t)f >= size)
    return memcpy(to, from, size);
  while (size-- > 0)
    t[size] = f[size];
  return to;
}

void *memset(void *to, int value, size_t size) {
  char *t = to;
  uint64_t word = 0x0101010101010101u * (unsigned char)value;
  for (; size >= sizeof word; size -= sizeof word, t += sizeof word)
    __builtin_memcpy(t, &word, sizeof word);
  while (size-- > 0)
    *t++ = (char)value;
  return to;
}

int memcmp(const void *a, const void *b, size_t size) {
  const unsigned char *x = a, *y = b;
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t)) {
    uint64_t first, second;
    __builtin_memcpy(&first, x + i, sizeof first);
    __builtin_memcpy(&second, y + i, sizeof second);
    if (first != second)
      break;
  }
  for (; i < size; i++)
    if (x[i] != y[i])
      return x[i] - y[i];
  return 0;
}

size_t strlen(const char *string) {
  size_t length = 0;
  while (string[length] != '\0')
    length++;
  return length;
}
