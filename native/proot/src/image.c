#include "image.h"

#include <errno.h>
#include <string.h>

#include "arch.h"
#include "sys.h"

static const Elf64_Ehdr *header_of(const struct image *image) {
  return (const Elf64_Ehdr *)image->head;
}

long image_read(int descriptor, struct image *out) {
  out->descriptor = descriptor;
  long size = SYS_4(SYS_pread64, descriptor, out->head, sizeof out->head, 0);
  if (size < 0)
    return size;
  out->size = (size_t)size;
  memset(out->head + size, 0, sizeof out->head - (size_t)size);
  return 0;
}

long image_check(const struct image *image, unsigned short *machine) {
  const Elf64_Ehdr *header = header_of(image);
  *machine = 0;
  if (image->size < sizeof *header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
    return -ENOEXEC;
  if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
    return -ENOEXEC;
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != ARCH_ELF_MACHINE) {
    *machine = header->e_machine;
    return -ENOEXEC;
  }
  if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum < 1 ||
      header->e_phnum > 65536 / sizeof(Elf64_Phdr))
    return -ENOEXEC;
  return 0;
}

long image_segment(const struct image *image, unsigned index, Elf64_Phdr *out) {
  const Elf64_Ehdr *header = header_of(image);
  unsigned long offset = header->e_phoff + index * sizeof *out;
  if (offset < image->size && image->size - offset >= sizeof *out) {
    memcpy(out, image->head + offset, sizeof *out);
    return 0;
  }
  long got = SYS_4(SYS_pread64, image->descriptor, out, sizeof *out, offset);
  if (got < 0)
    return got;
  return got == sizeof *out ? 0 : -ENOEXEC;
}

long image_interpreter(const struct image *image, char *out, size_t capacity) {
  for (unsigned i = 0; i < header_of(image)->e_phnum; i++) {
    Elf64_Phdr segment;
    long error = image_segment(image, i, &segment);
    if (error < 0)
      return error;
    if (segment.p_type != PT_INTERP)
      continue;
    if (segment.p_filesz < 2 || segment.p_filesz > capacity)
      return -ENOEXEC;
    long got = SYS_4(SYS_pread64, image->descriptor, out, segment.p_filesz, segment.p_offset);
    if (got < 0)
      return got;
    if (got != (long)segment.p_filesz || out[got - 1] != '\0')
      return -ENOEXEC;
    return (long)strlen(out);
  }
  return 0;
}
