// Path calls that are too new, or too rare, for the C library: they find what other calls have made, in guest terms.
// ENOSYS is right where the kernel lacks the call, and for these it is the kernel's own.
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/syscall-numbers.h"
#include "check.h"

static char directory[] = "/tmp/anyproc-newer-XXXXXX", file[64], missing[64], link_path[64];
static int held;

struct value { // struct xattr_args
  uint64_t address;
  uint32_t size;
  uint32_t flags;
};

// The file system may have no such thing. Everything else is a fault: above all ENOENT, of a path taken as it is.
static bool is_supported(long result) {
  if (result >= 0)
    return true;
  CHECK(errno == ENOSYS || errno == EOPNOTSUPP || errno == ENOTTY);
  return false;
}

static bool is_there(void) {
  return errno != ENOSYS;
}

static void test_xattrat(void) {
  char text[16] = "", names[64];
  struct value set = {.address = (uintptr_t)"value", .size = 5}, get = {.address = (uintptr_t)text, .size = sizeof text};
  if (!is_supported(syscall(SYS_setxattrat, AT_FDCWD, file, 0, "user.anyproc", &set, sizeof set)))
    return;
  CHECK(syscall(SYS_getxattrat, held, "file", 0, "user.anyproc", &get, sizeof get) == 5 && strcmp(text, "value") == 0);
  CHECK(syscall(SYS_getxattrat, AT_FDCWD, link_path, 0, "user.anyproc", &get, sizeof get) == 5);
  CHECK_ERRNO(syscall(SYS_getxattrat, AT_FDCWD, link_path, AT_SYMLINK_NOFOLLOW, "user.anyproc", &get, sizeof get),
              ENODATA);
  CHECK(syscall(SYS_listxattrat, AT_FDCWD, file, 0, names, sizeof names) >= 13);
  int opened = open(file, O_RDONLY);
  CHECK(syscall(SYS_getxattrat, opened, "", AT_EMPTY_PATH, "user.anyproc", &get, sizeof get) == 5);
  CHECK(syscall(SYS_removexattrat, opened, "", AT_EMPTY_PATH, "user.anyproc") == 0);
  CHECK_ERRNO(syscall(SYS_removexattrat, AT_FDCWD, file, 0, "user.anyproc"), ENODATA);
  CHECK_ERRNO(syscall(SYS_getxattrat, AT_FDCWD, missing, 0, "user.anyproc", &get, sizeof get), ENOENT);
  close(opened);
}

static void test_attributes(void) {
  struct { // struct file_attr
    uint64_t xflags;
    uint32_t extent_size, extents, project, copy_extent_size;
  } attributes = {0};
  if (!is_supported(syscall(SYS_file_getattr, AT_FDCWD, file, &attributes, sizeof attributes, 0)))
    return;
  CHECK(syscall(SYS_file_setattr, held, "file", &attributes, sizeof attributes, 0) == 0 || errno == EOPNOTSUPP ||
        errno == EPERM);
  CHECK_ERRNO(syscall(SYS_file_getattr, AT_FDCWD, missing, &attributes, sizeof attributes, 0), ENOENT);
}

static void test_mode(void) {
  struct stat status;
  if (syscall(SYS_fchmodat2, AT_FDCWD, file, 0640, 0) < 0 && !is_there())
    return;
  CHECK(stat(file, &status) == 0 && (status.st_mode & 07777) == 0640);
  CHECK(syscall(SYS_fchmodat2, held, "file", 0600, AT_SYMLINK_NOFOLLOW) == 0);
  CHECK_ERRNO(syscall(SYS_fchmodat2, AT_FDCWD, link_path, 0600, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
  CHECK_ERRNO(syscall(SYS_fchmodat2, AT_FDCWD, missing, 0600, 0), ENOENT);
}

static void test_handle(void) {
  struct file_handle none = {0};
  int mount;
  // EOVERFLOW tells the size that is wanted: the path has been found.
  if (name_to_handle_at(AT_FDCWD, file, &none, &mount, 0) < 0 && errno != EOPNOTSUPP)
    CHECK(errno == EOVERFLOW && none.handle_bytes > 0);
  CHECK_ERRNO(name_to_handle_at(AT_FDCWD, missing, &none, &mount, 0), ENOENT);
}

static void test_watches(void) {
  int watcher = inotify_init1(IN_CLOEXEC);
  CHECK(watcher >= 0 && inotify_add_watch(watcher, directory, IN_CREATE) >= 0);
  CHECK_ERRNO(inotify_add_watch(watcher, missing, IN_CREATE), ENOENT);
  close(watcher);
  // An ordinary user may watch by file handle (Linux 5.13), on file systems that have them.
  watcher = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID, O_RDONLY);
  if (watcher < 0)
    return;
  CHECK(fanotify_mark(watcher, FAN_MARK_ADD, FAN_ATTRIB, AT_FDCWD, file) == 0 || errno == ENODEV ||
        errno == EOPNOTSUPP || errno == EXDEV);
  CHECK_ERRNO(fanotify_mark(watcher, FAN_MARK_ADD, FAN_ATTRIB, AT_FDCWD, missing), ENOENT);
  close(watcher);
}

int main(void) {
  CHECK(mkdtemp(directory) != NULL);
  snprintf(file, sizeof file, "%s/file", directory);
  snprintf(missing, sizeof missing, "%s/missing", directory);
  snprintf(link_path, sizeof link_path, "%s/link", directory);
  int made = open(file, O_CREAT | O_WRONLY, 0600);
  CHECK(made >= 0 && close(made) == 0 && symlink("file", link_path) == 0);
  held = open(directory, O_PATH | O_DIRECTORY);
  CHECK(held >= 0);
  test_xattrat();
  test_attributes();
  test_mode();
  test_handle();
  test_watches();
  CHECK(unlink(file) == 0 && unlink(link_path) == 0 && rmdir(directory) == 0);
  return 0;
}
