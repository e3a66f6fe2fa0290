#include "listing.h"

#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cursor.h"
#include "guest.h"
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

// Writes the entry of a bind. Its offset is the listing's start: behind it comes what the kernel lists.
static long put_entry(const struct bind *bind, char *out, long room) {
  _Alignas(struct entry) char made[sizeof(struct entry) + NAME_MAX + 1 + sizeof(uint64_t)] = {0};
  struct entry *entry = (struct entry *)made;
  struct stat status;
  size_t used = offsetof(struct entry, name) + bind->name_length + 1;
  size_t length = (used + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
  if ((long)length > room || SYS_4(SYS_newfstatat, AT_FDCWD, bind->host, &status, 0) < 0)
    return 0;
  entry->inode = status.st_ino;
  entry->length = (uint16_t)length;
  entry->type = (uint8_t)(status.st_mode >> 12); // DT_* is the type in st_mode, readdir(3)
  memcpy(entry->name, bind->name, bind->name_length);
  return guest_copy_out(out, made, length) < 0 ? 0 : (long)length;
}

// Binds in this directory that no entry of its own stands for. Returns the size of what has been written.
static long put_missing(long descriptor, char *out, long room) {
  char text[CURSOR_CAPACITY];
  struct cursor cursor = {.text = text};
  long size = 0;
  if (!cursor_from_descriptor(&cursor, (int)descriptor))
    return 0;
  for (size_t i = 0; i < mounts()->count; i++) {
    const struct bind *bind = &mounts()->binds[i];
    if ((bind->flags & BIND_MISSING) != 0 &&
        cursor_is_at(&cursor, bind->guest, bind->guest_length - bind->name_length - 1))
      size += put_entry(bind, out + size, room - size);
  }
  return size;
}

static long list(const long argument[3], long skip) {
  return SYS_3(SYS_getdents64, argument[0], argument[1] + skip, (unsigned)argument[2] - skip);
}

// At the directory's start what the kernel does not know of comes first. Returns its size, with the kernel's entries
// after it in `*size`.
static long list_start(const long argument[3], long *size) {
  long missing = put_missing(argument[0], (char *)argument[1], (unsigned)argument[2]);
  *size = list(argument, missing);
  if (missing > 0 && *size <= 0) { // without room for the first entry of the kernel's, this would be the start again
    missing = 0;
    *size = list(argument, missing);
  }
  return missing;
}

long listing_call(struct call *call) {
  const long *argument = call->argument;
  for (;;) {
    bool is_start = mounts()->has_missing && SYS_3(SYS_lseek, argument[0], 0, SEEK_CUR) == 0;
    long size, missing = 0;
    if (is_start)
      missing = list_start(argument, &size);
    else
      size = list(argument, 0);
    if (size <= 0)
      return size;
    size = missing + hide(argument[0], (char *)argument[1] + missing, size);
    if (size > 0)
      return size;
  }
}
