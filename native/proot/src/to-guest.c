#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>

#include "cursor.h"
#include "path.h"
#include "proc-link.h"
#include "sys.h"

long path_to_guest(char *path, size_t length, size_t capacity) {
  if (length == 0 || path[0] != '/' || length >= capacity)
    return -ENOENT;
  struct cursor cursor = {.text = path};
  if (!cursor_from_host(&cursor, length))
    return -ENOENT;
  return cursor_guest_path(&cursor, path, capacity);
}

bool path_is_hidden_descriptor(long descriptor) {
  return descriptor >= config.descriptor_base && descriptor < config.descriptor_base + HIDDEN_COUNT;
}

static long host_path_of_descriptor(int dirfd, char *out, size_t capacity) {
  if (dirfd == AT_FDCWD) {
    long size = SYS_2(SYS_getcwd, out, capacity);
    return size < 0 ? size : size - 1;
  }
  char link[PROC_DESCRIPTOR_PATH_SIZE];
  proc_descriptor_path(dirfd, link);
  long length = SYS_4(SYS_readlinkat, AT_FDCWD, link, out, capacity);
  if (length == -ENOENT)
    return -EBADF;
  if (length == (long)capacity)
    return -ENAMETOOLONG;
  return length;
}

bool cursor_from_descriptor(struct cursor *cursor, int dirfd) {
  long length = host_path_of_descriptor(dirfd, cursor->text, CURSOR_CAPACITY);
  return length > 0 && cursor->text[0] == '/' && cursor_from_host(cursor, (size_t)length);
}

long path_of_descriptor(int dirfd, char *out, size_t capacity) {
  if (path_is_hidden_descriptor(dirfd))
    return -EBADF;
  long length = host_path_of_descriptor(dirfd, out, capacity);
  if (length < 0)
    return length;
  return path_to_guest(out, (size_t)length, capacity);
}
