#include "proc-line.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "path.h"
#include "sys.h"

static long keep(const char *line, size_t length, char *out) {
  if (length >= PROC_LINE_CAPACITY)
    length = PROC_LINE_CAPACITY - 1;
  memcpy(out, line, length);
  return (long)length;
}

// Start of the field with this number, counted from 0, or `length`. Fields are separated by spaces.
static size_t field_start(const char *line, size_t length, unsigned number) {
  size_t at = 0;
  for (; number > 0 && at < length; number--) {
    while (at < length && line[at] != ' ')
      at++;
    while (at < length && line[at] == ' ')
      at++;
  }
  return at;
}

static bool ends_with(const char *text, size_t length, const char *end) {
  size_t size = strlen(end);
  return length >= size && memcmp(text + length - size, end, size) == 0;
}

// "START-END MODE OFFSET DEVICE INODE    PATH", the path with " (deleted)" when the file is gone.
long proc_line_of_maps(const char *line, size_t length, const struct identity *whose, char out[PROC_LINE_CAPACITY]) {
  (void)whose;
  static const char deleted[] = " (deleted)";
  enum { PATH_FIELD = 5 };
  size_t at = field_start(line, length, PATH_FIELD), path_length = length - at;
  if (path_length == 0 || path_length >= PATH_MAX || line[at] != '/' || length + PATH_MAX >= PROC_LINE_CAPACITY)
    return keep(line, length, out);
  size_t mark = ends_with(line + at, path_length, deleted) ? sizeof deleted - 1 : 0;
  path_length -= mark;
  memcpy(out, line, length);
  if (path_length == strlen(config.shim) && memcmp(line + at, config.shim, path_length) == 0)
    return PROC_LINE_DROPPED;
  long translated = path_to_guest(out + at, path_length, PATH_MAX);
  if (translated < 0)
    return keep(line, length, out);
  memcpy(out + at + translated, line + at + path_length, mark);
  return (long)(at + mark) + translated;
}

static bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// Undoes the escapes of fstab(5): a backslash and three octal digits.
static size_t unescape(const char *text, size_t length, char *out) {
  size_t size = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\\' && i + 3 < length && is_octal(text[i + 1]) && is_octal(text[i + 2]) && is_octal(text[i + 3])) {
      out[size++] = (char)((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out[size++] = text[i];
    }
  }
  return size;
}

size_t proc_line_escape(const char *text, size_t length, char *out, size_t capacity) {
  size_t size = 0;
  for (size_t i = 0; i < length && size + 4 < capacity; i++) {
    char c = text[i];
    if (c != ' ' && c != '\t' && c != '\n' && c != '\\') {
      out[size++] = c;
      continue;
    }
    out[size++] = '\\';
    out[size++] = (char)('0' + (c >> 6 & 7));
    out[size++] = (char)('0' + (c >> 3 & 7));
    out[size++] = (char)('0' + (c & 7));
  }
  return size;
}

// Whether the rootfs lies on the file system mounted at this host path.
static bool holds_root(const char *mount_point, size_t length) {
  struct stat mounted, root;
  if (length == 1)
    length = 0;
  if (length > config.root_length || memcmp(mount_point, config.root, length) != 0 ||
      (length < config.root_length && config.root[length] != '/'))
    return false;
  return SYS_4(SYS_newfstatat, AT_FDCWD, mount_point, &mounted, 0) == 0 &&
         SYS_2(SYS_fstat, config.descriptor_base + HIDDEN_ROOT, &root) == 0 && mounted.st_dev == root.st_dev;
}

// Mounts that the guest cannot see are left out; the one that holds the rootfs is its root.
static long translate_mount(const char *line, size_t length, unsigned field, char *out) {
  char path[PATH_MAX];
  size_t at = field_start(line, length, field), end = at;
  while (end < length && line[end] != ' ')
    end++;
  if (end == at || end - at >= sizeof path)
    return PROC_LINE_DROPPED;
  size_t path_length = unescape(line + at, end - at, path);
  path[path_length] = '\0';
  long translated = path_to_guest(path, path_length, sizeof path);
  if (translated < 0 && holds_root(path, path_length)) {
    memcpy(path, "/", 2);
    translated = 1;
  }
  if (translated < 0 || length >= PROC_LINE_CAPACITY)
    return PROC_LINE_DROPPED;
  memcpy(out, line, at);
  size_t size = at + proc_line_escape(path, (size_t)translated, out + at, PROC_LINE_CAPACITY - at);
  if (size + length - end >= PROC_LINE_CAPACITY)
    return PROC_LINE_DROPPED;
  memcpy(out + size, line + end, length - end);
  return (long)(size + length - end);
}

// "SOURCE MOUNT-POINT TYPE OPTIONS 0 0"
long proc_line_of_mounts(const char *line, size_t length, const struct identity *whose, char out[PROC_LINE_CAPACITY]) {
  (void)whose;
  return translate_mount(line, length, 1, out);
}

// "ID PARENT MAJOR:MINOR ROOT MOUNT-POINT OPTIONS..."
long proc_line_of_mountinfo(const char *line, size_t length, const struct identity *whose,
                            char out[PROC_LINE_CAPACITY]) {
  (void)whose;
  return translate_mount(line, length, 4, out);
}

static size_t put_number(uint32_t number, char *out) {
  char digits[10];
  size_t at = sizeof digits;
  do
    digits[--at] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  memcpy(out, digits + at, sizeof digits - at);
  return sizeof digits - at;
}

static bool starts_with(const char *line, size_t length, const char *start) {
  return length >= strlen(start) && memcmp(line, start, strlen(start)) == 0;
}

static size_t put_text(const char *text, char *out) {
  memcpy(out, text, strlen(text));
  return strlen(text);
}

static long write_ids(const char *name, const uint32_t *ids, size_t count, char after, char *out) {
  size_t size = put_text(name, out);
  for (size_t i = 0; i < count; i++) {
    if (after == '\t')
      out[size++] = after;
    size += put_number(ids[i], out + size);
    if (after != '\t')
      out[size++] = after;
  }
  return (long)size;
}

static long write_capabilities(const char *name, uint64_t set, char *out) {
  static const char digits[] = "0123456789abcdef";
  size_t size = put_text(name, out);
  for (int shift = 60; shift >= 0; shift -= 4)
    out[size++] = digits[set >> shift & 15];
  return (long)size;
}

// The lines that tell the identity, whatever the host says in them. Returns 0 for others.
static long write_identity(const char *line, size_t length, const struct identity *whose, char *out) {
  static const struct {
    const char *name;
    int set;
  } sets[] = {{"CapInh:\t", CAPABILITIES_INHERITABLE}, {"CapPrm:\t", CAPABILITIES_PERMITTED},
              {"CapEff:\t", CAPABILITIES_EFFECTIVE},   {"CapBnd:\t", CAPABILITIES_BOUNDING},
              {"CapAmb:\t", CAPABILITIES_AMBIENT}};
  if (starts_with(line, length, "Uid:"))
    return write_ids("Uid:", whose->uid, ID_COUNT, '\t', out);
  if (starts_with(line, length, "Gid:"))
    return write_ids("Gid:", whose->gid, ID_COUNT, '\t', out);
  if (starts_with(line, length, "Groups:"))
    return write_ids("Groups:\t", whose->group, whose->group_count, ' ', out);
  if (starts_with(line, length, "NoNewPrivs:"))
    return write_ids("NoNewPrivs:", &(uint32_t){whose->no_new_privileges}, 1, '\t', out);
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
    if (starts_with(line, length, sets[i].name))
      return write_capabilities(sets[i].name, whose->capabilities[sets[i].set], out);
  return 0;
}

// "Uid:" and "Gid:" with four numbers, "Groups:" with any, of a process that is no guest.
static long map_ids(const char *line, size_t length, char *out) {
  bool is_uid = starts_with(line, length, "Uid:");
  uint32_t from = is_uid ? config.host_uid : config.host_gid, to = is_uid ? config.guest_uid : config.guest_gid;
  size_t size = 0;
  for (size_t i = 0; i < length && size + sizeof "4294967295" < PROC_LINE_CAPACITY;) {
    if (line[i] < '0' || line[i] > '9') {
      out[size++] = line[i++];
      continue;
    }
    uint32_t number = 0;
    for (; i < length && line[i] >= '0' && line[i] <= '9'; i++)
      number = number * 10 + (uint32_t)(line[i] - '0');
    size += put_number(number == from ? to : number, out + size);
  }
  return (long)size;
}

long proc_line_of_status(const char *line, size_t length, const struct identity *whose, char out[PROC_LINE_CAPACITY]) {
  long size = whose == NULL ? 0 : write_identity(line, length, whose, out);
  if (size > 0)
    return size;
  bool has_ids = starts_with(line, length, "Uid:") || starts_with(line, length, "Gid:") ||
                 starts_with(line, length, "Groups:");
  return has_ids && 2 * length < PROC_LINE_CAPACITY ? map_ids(line, length, out) : keep(line, length, out);
}
