#include "listing.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "config.h"
#include "sys.h"

enum { TYPE_FILE = 8, TYPE_LINK = 10 }; // DT_REG, DT_LNK

struct entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

static bool names_hidden_descriptor(const struct entry *entry) {
  if (entry->type != TYPE_LINK && entry->type != TYPE_FILE)
    return false;
  int number = 0;
  const char *c = entry->name;
  for (; *c >= '0' && *c <= '9' && number < config.descriptor_base; c++)
    number = 10 * number + (*c - '0');
  return *c == '\0' && number >= config.descriptor_base && number < config.descriptor_base + HIDDEN_COUNT;
}

static bool is_in_proc(long descriptor) {
  struct statfs system;
  return SYS_2(SYS_fstatfs, descriptor, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

// The kernel has just written the listing. Returns the size that is left.
static long hide(long descriptor, char *listing, long size) {
  for (long at = 0; at < size;) {
    const struct entry *entry = (const struct entry *)(listing + at);
    long length = entry->length;
    if (length == 0 || length > size - at)
      break;
    if (!names_hidden_descriptor(entry)) {
      at += length;
      continue;
    }
    if (!is_in_proc(descriptor))
      break;
    memmove(listing + at, listing + at + length, (size_t)(size - at - length));
    size -= length;
  }
  return size;
}

long listing_call(struct call *call) {
  const long *argument = call->argument;
  for (;;) {
    long size = SYS_3(SYS_getdents64, argument[0], argument[1], argument[2]);
    if (size <= 0)
      return size;
    size = hide(argument[0], (char *)argument[1], size);
    if (size > 0)
      return size;
  }
}
