#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>

#include "arch.h"
#include "image.h"
#include "sys.h"

static unsigned long page_down(unsigned long address) {
  return address & ~(unsigned long)(ARCH_PAGE_SIZE - 1);
}

static unsigned long page_up(unsigned long address) {
  return page_down(address + ARCH_PAGE_SIZE - 1);
}

struct extent {
  unsigned long low, high, alignment;
};

static long measure(const struct image *image, const Elf64_Ehdr *header, struct extent *out) {
  *out = (struct extent){.low = ~0UL, .alignment = ARCH_PAGE_SIZE};
  for (unsigned i = 0; i < header->e_phnum; i++) {
    Elf64_Phdr segment;
    long error = image_segment(image, i, &segment);
    if (error < 0)
      return error;
    if (segment.p_type != PT_LOAD)
      continue;
    unsigned long end = segment.p_vaddr + segment.p_memsz;
    if (end < segment.p_vaddr || segment.p_filesz > segment.p_memsz)
      return -ENOEXEC;
    if (page_down(segment.p_vaddr) < out->low)
      out->low = page_down(segment.p_vaddr);
    if (page_up(end) > out->high)
      out->high = page_up(end);
    if (segment.p_align > out->alignment && (segment.p_align & (segment.p_align - 1)) == 0)
      out->alignment = segment.p_align;
  }
  return out->high > out->low ? 0 : -ENOEXEC;
}

static unsigned long random_program_base(void) {
  unsigned long random = 0;
  if (!(SYS_1(SYS_personality, 0xffffffff) & ADDR_NO_RANDOMIZE))
    SYS_3(SYS_getrandom, &random, sizeof random, 0);
  return ARCH_PROGRAM_BASE + ((random & ((1UL << ARCH_PROGRAM_RANDOM_BITS) - 1)) * ARCH_PAGE_SIZE);
}

// Takes address space for the whole image, so that no segment can land on something else.
static long reserve(const Elf64_Ehdr *header, const struct extent *extent, bool is_interpreter, unsigned long *bias) {
  unsigned long size = extent->high - extent->low;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (header->e_type == ET_EXEC) {
    long at = SYS_6(SYS_mmap, extent->low, size, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
    *bias = 0;
    if (at < 0)
      return at;
    return (unsigned long)at == extent->low ? 0 : -EEXIST; // kernels before 4.17 take the address as a hint
  }
  unsigned long slack = extent->alignment - ARCH_PAGE_SIZE;
  unsigned long hint = is_interpreter ? 0 : random_program_base() & ~(extent->alignment - 1);
  long at = SYS_6(SYS_mmap, hint, size + slack, PROT_NONE, flags, -1, 0);
  if (at < 0)
    return at;
  unsigned long start = ((unsigned long)at + slack) & ~(extent->alignment - 1);
  if (start > (unsigned long)at)
    SYS_2(SYS_munmap, at, start - (unsigned long)at);
  if ((unsigned long)at + slack > start)
    SYS_2(SYS_munmap, start + size, (unsigned long)at + slack - start);
  *bias = start - extent->low;
  return 0;
}

// Zeroes the rest of the file's last page and maps anonymous memory behind it.
static long map_zeroes(const Elf64_Phdr *segment, unsigned long start, int protection) {
  unsigned long file_end = start + segment->p_filesz, end = start + segment->p_memsz;
  unsigned long anonymous = segment->p_filesz > 0 ? page_up(file_end) : page_down(start);
  if (segment->p_filesz > 0 && (protection & PROT_WRITE))
    memset((void *)file_end, 0, anonymous - file_end);
  if (page_up(end) <= anonymous)
    return 0;
  long at = SYS_6(SYS_mmap, anonymous, page_up(end) - anonymous, protection,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  return at < 0 ? at : 0;
}

static long map_segment(const struct image *image, const Elf64_Phdr *segment, unsigned long bias) {
  unsigned long start = bias + segment->p_vaddr, offset_in_page = start - page_down(start);
  int protection = (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
                   (segment->p_flags & PF_X ? PROT_EXEC : 0);
  if (segment->p_filesz > 0) {
    long at = SYS_6(SYS_mmap, page_down(start), segment->p_filesz + offset_in_page, protection,
                    MAP_PRIVATE | MAP_FIXED, image->descriptor, segment->p_offset - offset_in_page);
    if (at < 0)
      return at;
  }
  return segment->p_memsz > segment->p_filesz ? map_zeroes(segment, start, protection) : 0;
}

static void note_bounds(const Elf64_Phdr *segment, unsigned long bias, struct mapped_image *out) {
  unsigned long start = bias + segment->p_vaddr, end = start + segment->p_filesz;
  if (segment->p_flags & PF_X) {
    if (out->code_end == 0 || start < out->code_start)
      out->code_start = start;
    if (end > out->code_end)
      out->code_end = end;
  }
  if (start > out->data_start)
    out->data_start = start;
  if (end > out->data_end)
    out->data_end = end;
}

long image_map(const struct image *image, bool is_interpreter, struct mapped_image *out) {
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)image->head;
  struct extent extent;
  *out = (struct mapped_image){0};
  long error = measure(image, header, &extent);
  if (error == 0)
    error = reserve(header, &extent, is_interpreter, &out->bias);
  for (unsigned i = 0; error == 0 && i < header->e_phnum; i++) {
    Elf64_Phdr segment;
    error = image_segment(image, i, &segment);
    if (error < 0)
      break;
    if (segment.p_type == PT_GNU_STACK)
      out->executable_stack = segment.p_flags & PF_X;
    if (segment.p_type != PT_LOAD)
      continue;
    error = map_segment(image, &segment, out->bias);
    note_bounds(&segment, out->bias, out);
    if (segment.p_offset <= header->e_phoff && header->e_phoff < segment.p_offset + segment.p_filesz)
      out->headers = out->bias + segment.p_vaddr + header->e_phoff - segment.p_offset;
  }
  out->start = out->bias + extent.low;
  out->end = out->bias + extent.high;
  out->entry = out->bias + header->e_entry;
  out->headers_count = header->e_phnum;
  return error;
}
