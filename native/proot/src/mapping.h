// What is mapped at an address of this process, proc(5).
#ifndef ANYPROC_MAPPING_H
#define ANYPROC_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

struct mapping {
  uintptr_t start, end;
  bool readable, writable, executable, shared;
  bool of_file;
};

// Returns 0, -ENOENT when nothing is mapped there, or why the kernel does not tell.
long mapping_find(uintptr_t address, struct mapping *out);
// The same from the text of /proc/self/maps, for kernels before 6.11.
long mapping_find_in_text(int maps, uintptr_t address, struct mapping *out);

#endif
