// The working directory: chdir(2), getcwd(2). The kernel's own working directory stays the
// truth, so that threads and CLONE_FS need no care.
#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>

#include "guest.h"
#include "path-calls.h"
#include "sys.h"
#include "working-directory.h"

long call_chdir(struct call *call) {
  struct place place;
  long result = path_resolve(AT_FDCWD, path_argument(call, 0), PATH_FOLLOW, &place);
  if (result < 0)
    return result;
  working_directory_forget();
  result = path_call_plain(&place, call->number, call->argument, 0);
  working_directory_changed();
  path_release(&place);
  return result;
}

long call_fchdir(struct call *call) {
  working_directory_forget();
  long result = pass_on(call, 0);
  working_directory_changed();
  return result;
}

// What getcwd(2) says of a directory that no path from the root leads to.
static long mark_unreachable(char *path, size_t length, size_t capacity) {
  static const char mark[] = "(unreachable)";
  if (length + sizeof mark > capacity)
    return -ENAMETOOLONG;
  memmove(path + sizeof mark - 1, path, length + 1);
  memcpy(path, mark, sizeof mark - 1);
  return (long)(length + sizeof mark - 1);
}

static long working_directory(char *buffer, size_t capacity, size_t host_length) {
  long length = path_to_guest(buffer, host_length, capacity);
  return length == -ENOENT ? mark_unreachable(buffer, host_length, capacity) : length;
}

long call_getcwd(struct call *call) {
  char *guest_buffer = (char *)call->argument[0];
  size_t size = (size_t)call->argument[1];
  char own_buffer[PATH_MAX];
  // With room for any path, what the kernel has just written can be corrected in place.
  bool in_place = size >= PATH_MAX;
  char *buffer = in_place ? guest_buffer : own_buffer;
  long host_size = SYS_2(SYS_getcwd, buffer, PATH_MAX);
  if (host_size < 0)
    return host_size;
  long length = working_directory(buffer, PATH_MAX, (size_t)host_size - 1);
  if (length < 0 || in_place)
    return length < 0 ? length : length + 1;
  if ((size_t)length + 1 > size)
    return -ERANGE;
  long result = guest_copy_out(guest_buffer, buffer, (size_t)length + 1);
  return result < 0 ? result : length + 1;
}
