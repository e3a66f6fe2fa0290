// An ELF file that is to be run: its headers, checked as execve(2) does.
#ifndef ANYPROC_IMAGE_H
#define ANYPROC_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>

struct image {
  int descriptor;
  size_t size; // bytes in `head`
  _Alignas(8) char head[1024];
};

struct mapped_image {
  unsigned long bias;
  unsigned long start, end; // of all segments
  unsigned long code_start, code_end, data_start, data_end;
  unsigned long entry;
  unsigned long headers; // address of the program headers, or 0
  unsigned headers_count;
  bool executable_stack;
};

// Reads the first bytes. Returns 0 or a negative errno.
long image_read(int descriptor, struct image *out);
// 0 or -ENOEXEC. A well-formed file for another processor also sets *machine.
long image_check(const struct image *image, unsigned short *machine);
// Program header number `index`. Returns 0 or a negative errno.
long image_segment(const struct image *image, unsigned index, Elf64_Phdr *out);
// Length of the interpreter's path, 0 when there is none, or a negative errno.
long image_interpreter(const struct image *image, char *out, size_t capacity);
// Maps the segments. Nothing is undone on failure: the process cannot go on.
long image_map(const struct image *image, bool is_interpreter, struct mapped_image *out);

#endif
