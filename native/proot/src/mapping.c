#include "mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "sys.h"

// struct procmap_query of linux/fs.h, which older headers lack.
struct query {
  uint64_t size, flags, address;
  uint64_t start, end, protection, page_size, offset, inode;
  uint32_t device[2], name_size, build_id_size;
  uint64_t name_address, build_id_address;
};

enum { QUERY_READABLE = 1, QUERY_WRITABLE = 2, QUERY_EXECUTABLE = 4, QUERY_SHARED = 8 };

#define QUERY_MAPPING _IOWR('f', 17, struct query)

static long find_by_query(int maps, uintptr_t address, struct mapping *out) {
  struct query query = {.size = sizeof query, .address = address};
  long error = SYS_3(SYS_ioctl, maps, QUERY_MAPPING, &query);
  if (error < 0)
    return error;
  *out = (struct mapping){.start = query.start,
                          .end = query.end,
                          .readable = query.protection & QUERY_READABLE,
                          .writable = query.protection & QUERY_WRITABLE,
                          .executable = query.protection & QUERY_EXECUTABLE,
                          .shared = query.protection & QUERY_SHARED,
                          .of_file = query.inode != 0};
  return 0;
}

struct reader {
  int file;
  long at, size;
  char buffer[1024];
};

// The next character, or 0 at the end.
static char next(struct reader *reader) {
  if (reader->at == reader->size) {
    reader->at = 0;
    reader->size = SYS_3(SYS_read, reader->file, reader->buffer, sizeof reader->buffer);
    if (reader->size <= 0) {
      reader->size = 0;
      return '\0';
    }
  }
  return reader->buffer[reader->at++];
}

// A number and the character behind it.
static uintptr_t next_number(struct reader *reader) {
  uintptr_t number = 0;
  for (;;) {
    char c = next(reader);
    if (c >= '0' && c <= '9')
      number = number << 4 | (uintptr_t)(c - '0');
    else if (c >= 'a' && c <= 'f')
      number = number << 4 | (uintptr_t)(c - 'a' + 10);
    else
      return number;
  }
}

// "START-END rwxp OFFSET MAJOR:MINOR INODE ...", proc_pid_maps(5).
long mapping_find_in_text(int maps, uintptr_t address, struct mapping *out) {
  struct reader reader = {.file = maps};
  for (;;) {
    out->start = next_number(&reader);
    out->end = next_number(&reader);
    if (out->end == 0 || out->start > address)
      return -ENOENT;
    out->readable = next(&reader) == 'r';
    out->writable = next(&reader) == 'w';
    out->executable = next(&reader) == 'x';
    out->shared = next(&reader) == 's';
    next(&reader);
    next_number(&reader);
    next_number(&reader);
    next_number(&reader);
    out->of_file = next_number(&reader) != 0;
    if (address < out->end)
      return 0;
    for (char c = ' '; c != '\n' && c != '\0';)
      c = next(&reader);
  }
}

long mapping_find(uintptr_t address, struct mapping *out) {
  long maps = SYS_4(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
  if (maps < 0)
    return maps;
  long error = find_by_query((int)maps, address, out);
  if (error < 0 && error != -ENOENT)
    error = mapping_find_in_text((int)maps, address, out);
  SYS_1(SYS_close, maps);
  return error;
}
