#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>
#include <sys/stat.h>

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

// A removed directory has no path; what readlink(2) says of it ends in a mark that might also be part of a name.
static bool is_removed(int descriptor, const char *path, size_t length) {
  static const char mark[] = " (deleted)";
  struct stat stat;
  return length >= sizeof mark && memcmp(path + length - (sizeof mark - 1), mark, sizeof mark - 1) == 0 &&
         SYS_2(SYS_fstat, descriptor, &stat) == 0 && stat.st_nlink == 0;
}

static long host_path_of_descriptor(int dirfd, char *out, size_t capacity) {
  if (dirfd == AT_FDCWD) {
    long size = SYS_2(SYS_getcwd, out, capacity);
    return size < 0 ? size : size - 1;
  }
  if (dirfd < 0)
    return -EBADF;
  char link[PROC_DESCRIPTOR_PATH_SIZE];
  proc_descriptor_path(dirfd, link);
  long length = SYS_4(SYS_readlinkat, AT_FDCWD, link, out, capacity);
  if (length == -ENOENT)
    return -EBADF;
  if (length == (long)capacity)
    return -ENAMETOOLONG;
  return length > 0 && is_removed(dirfd, out, (size_t)length) ? -ENOENT : length;
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
