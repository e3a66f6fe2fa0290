#include "proc-link.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "path.h"
#include "sys.h"

const char *path_own_executable;

static bool is_text(const char *start, size_t length, const char *expected) {
  return strlen(expected) == length && memcmp(start, expected, length) == 0;
}

// Decimal number without sign or leading zeros, or -1.
static long number_of(const char *text, size_t length) {
  if (length == 0 || length > 9 || (text[0] == '0' && length > 1))
    return -1;
  long value = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9')
      return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// The parts of /proc/PID/NAME and /proc/PID/task/TID/NAME.
struct proc_path {
  long pid;
  const char *name;
  size_t length;
};

static bool next_component(const char **at, const char *end, const char **name, size_t *length) {
  if (*at == end)
    return false;
  *name = *at + 1;
  const char *stop = *name;
  while (stop < end && *stop != '/')
    stop++;
  *length = (size_t)(stop - *name);
  *at = stop;
  return true;
}

static bool split(const struct cursor *cursor, struct proc_path *out) {
  const char *at = cursor->text + sizeof "/proc" - 1, *end = cursor->text + cursor->length;
  const char *name;
  size_t length;
  if (!cursor_in_proc(cursor) || !next_component(&at, end, &name, &length))
    return false;
  out->pid = number_of(name, length);
  if (out->pid < 0 || !next_component(&at, end, &out->name, &out->length))
    return false;
  if (at == end)
    return true;
  return is_text(out->name, out->length, "task") && next_component(&at, end, &name, &length) &&
         next_component(&at, end, &out->name, &out->length) && at == end;
}

static bool is_own(const struct proc_path *path) {
  return path->pid == SYS_0(SYS_getpid) || path->pid == SYS_0(SYS_gettid);
}

bool proc_link_is_entry(const struct cursor *cursor, const char *name) {
  struct proc_path path;
  return split(cursor, &path) && is_text(path.name, path.length, name);
}

long proc_link_pid(const struct cursor *cursor) {
  struct proc_path path;
  return split(cursor, &path) ? path.pid : -1;
}

bool proc_link_is_magic(const char *text, size_t length) {
  if (length > 0 && text[0] == '/')
    return true;
  for (size_t i = 0; i < length; i++)
    if (text[i] == ':') // "pipe:[1234]", "anon_inode:[eventpoll]": the others are relative paths
      return true;
  return false;
}

// What runs in a guest process is the shim: the same image at the same address in each of them, where the variable lies
// that holds its program's path. Needs the rights of ptrace(2).
static long read_executable_of(long pid, char *text, size_t capacity) {
  enum { PAGE = 4096 };
  const char *start;
  struct iovec own = {&start, sizeof start}, its = {&path_own_executable, sizeof start};
  if (SYS_6(SYS_process_vm_readv, pid, &own, 1, &its, 1, 0) != sizeof start)
    return -EACCES;
  size_t first = PAGE - ((size_t)start & (PAGE - 1));
  if (first > capacity)
    first = capacity;
  struct iovec pages[2] = {{(void *)(uintptr_t)start, first}, {(void *)(uintptr_t)(start + first), capacity - first}};
  own = (struct iovec){text, capacity};
  long size = SYS_6(SYS_process_vm_readv, pid, &own, 1, pages, 2, 0);
  for (long length = 0; length < size; length++)
    if (text[length] == '\0')
      return length > 0 ? length : -EACCES;
  return -EACCES;
}

static bool names_program(const struct proc_path *path, const char *text, size_t length) {
  return is_text(path->name, path->length, "exe") && (is_own(path) || is_text(text, length, config.shim));
}

bool proc_link_misleads(const struct cursor *link, const char *text, size_t length) {
  struct proc_path path;
  return split(link, &path) && (is_text(path.name, path.length, "root") || names_program(&path, text, length));
}

static long put(const char *fixed, char *text, size_t capacity) {
  size_t length = strlen(fixed);
  if (length >= capacity)
    return -ENAMETOOLONG;
  memcpy(text, fixed, length + 1);
  return (long)length;
}

long proc_link_translate(const struct cursor *link, char *text, size_t length, size_t capacity) {
  struct proc_path path;
  if (split(link, &path)) {
    if (is_text(path.name, path.length, "root"))
      return put("/", text, capacity);
    if (names_program(&path, text, length))
      return is_own(&path) ? put(path_own_executable, text, capacity) : read_executable_of(path.pid, text, capacity);
  }
  if (length == 0 || text[0] != '/')
    return -ENOENT;
  return path_to_guest(text, length, capacity);
}

bool proc_may_hide(const char *name, size_t length) {
  return path_is_hidden_descriptor(number_of(name, length));
}

bool proc_hides(const struct cursor *directory, const char *name, size_t length) {
  struct proc_path path;
  return proc_may_hide(name, length) && split(directory, &path) &&
         (is_text(path.name, path.length, "fd") || is_text(path.name, path.length, "fdinfo"));
}

void proc_descriptor_path(int descriptor, char out[PROC_DESCRIPTOR_PATH_SIZE]) {
  static const char head[] = "/proc/self/fd/";
  char digits[sizeof "2147483648"];
  size_t at = sizeof digits;
  unsigned rest = descriptor < 0 ? 0 : (unsigned)descriptor;
  do
    digits[--at] = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  memcpy(out, head, sizeof head - 1);
  memcpy(out + sizeof head - 1, digits + at, sizeof digits - at);
  out[sizeof head - 1 + sizeof digits - at] = '\0';
}
