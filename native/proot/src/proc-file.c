#include "proc-file.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <string.h>

#include "cursor.h"
#include "proc-line.h"
#include "proc-link.h"
#include "proc-mounts.h"
#include "sys.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static const struct {
  const char *name;
  proc_line_translator *translate;
} files[] = {
    {"maps", proc_line_of_maps},
    {"mounts", proc_line_of_mounts},
    {"mountinfo", proc_line_of_mountinfo},
    {"status", proc_line_of_status},
};
enum { FILE_COUNT = sizeof files / sizeof *files };

static int index_of(const char *path) {
  size_t length = strlen(path), start = length;
  while (start > 0 && path[start - 1] != '/')
    start--;
  for (int i = 0; i < FILE_COUNT; i++)
    if (strlen(files[i].name) == length - start && memcmp(files[i].name, path + start, length - start) == 0)
      return i;
  return -1;
}

bool proc_file_is_translated(const struct place *place) {
  char text[CURSOR_CAPACITY];
  struct cursor cursor = {.text = text};
  int i = index_of(place->path);
  if (i < 0 || place->magic || (files[i].translate == proc_line_of_status && (config.flags & CONFIG_FAKE_IDS) == 0))
    return false;
  return path_to_cursor(place, &cursor) && proc_link_is_entry(&cursor, files[i].name);
}

bool proc_file_takes_ids(const struct place *place) {
  static const char *const names[] = {"uid_map", "gid_map", "setgroups"};
  char text[CURSOR_CAPACITY];
  struct cursor cursor = {.text = text};
  if (config.shared == NULL || config.shared->is_owned == 0 || place->magic || !path_to_cursor(place, &cursor))
    return false;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (proc_link_is_entry(&cursor, names[i]))
      return true;
  return false;
}

// Reads a file line by line.
struct reader {
  long descriptor;
  size_t start, end; // of what is buffered
  char buffer[2 * PATH_MAX];
};

// Returns the next line without its newline, NUL-terminated, or NULL at the end. What is longer than the buffer is cut.
static char *next_line(struct reader *reader, size_t *length) {
  for (;;) {
    char *line = reader->buffer + reader->start;
    for (size_t i = 0; reader->start + i < reader->end; i++)
      if (line[i] == '\n') {
        line[i] = '\0';
        *length = i;
        reader->start += i + 1;
        return line;
      }
    memmove(reader->buffer, line, reader->end - reader->start);
    reader->end -= reader->start;
    reader->start = 0;
    size_t room = sizeof reader->buffer - 1 - reader->end;
    long size = room == 0 ? 0 : SYS_3(SYS_read, reader->descriptor, reader->buffer + reader->end, room);
    if (size > 0) {
      reader->end += (size_t)size;
      continue;
    }
    if (reader->end == 0)
      return NULL;
    *length = reader->end;
    reader->buffer[reader->end] = '\0';
    reader->end = 0;
    return reader->buffer;
  }
}

static long write_line(long descriptor, char *line, size_t length) {
  line[length] = '\n';
  long written = SYS_3(SYS_write, descriptor, line, length + 1);
  return written < 0 ? written : 0;
}

static long copy(long from, long to, proc_line_translator *translate, const struct identity *whose) {
  struct reader reader = {.descriptor = from};
  char translated[PROC_LINE_CAPACITY];
  size_t length;
  const char *line;
  long result = 0;
  while (result == 0 && (line = next_line(&reader, &length)) != NULL) {
    long size = translate(line, length, whose, translated);
    if (size >= 0)
      result = write_line(to, translated, (size_t)size);
  }
  return result;
}

// Of the process that the file belongs to: false when it is no guest.
static bool find_identity(const struct place *place, struct identity *out) {
  char text[CURSOR_CAPACITY];
  struct cursor cursor = {.text = text};
  return path_to_cursor(place, &cursor) && identity_of(proc_link_pid(&cursor), out);
}

long proc_file_open(const struct place *place, long flags) {
  long original = SYS_3(SYS_openat, place->descriptor, place->path, O_RDONLY | O_CLOEXEC);
  if (original < 0)
    return original;
  // As in the launcher: sysctl vm.memfd_noexec may want it said, kernels before 6.3 do not know it.
  unsigned how = (flags & O_CLOEXEC) != 0 ? MFD_CLOEXEC : 0;
  long out = SYS_2(SYS_memfd_create, "proc", how | MFD_NOEXEC_SEAL);
  if (out == -EINVAL)
    out = SYS_2(SYS_memfd_create, "proc", how);
  proc_line_translator *translate = files[index_of(place->path)].translate;
  struct identity identity;
  bool is_known = translate == proc_line_of_status && find_identity(place, &identity);
  bool tells_mounts = translate == proc_line_of_mounts || translate == proc_line_of_mountinfo;
  long result = out;
  if (out >= 0 && tells_mounts && proc_mounts_changed())
    result = proc_mounts_write(out, translate == proc_line_of_mountinfo);
  else if (out >= 0)
    result = copy(original, out, translate, is_known ? &identity : NULL);
  SYS_1(SYS_close, original);
  if (result < 0 && out >= 0)
    SYS_1(SYS_close, out);
  if (result < 0)
    return result;
  SYS_3(SYS_lseek, out, 0, 0);
  return out;
}
