// Root opens what a file's mode closes, and leaves the mode as it is; who has dropped root does not. Needs root, real
// or made-up.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char path[] = "/tmp/anyproc-closed-XXXXXX", link_path[sizeof path + 5];

// More often than a call traps before it is patched.
static void open_ways(void) {
  static const int ways[] = {O_RDONLY, O_RDWR, O_RDONLY | O_NOFOLLOW, O_WRONLY | O_APPEND};
  for (int i = 0; i < 20; i++) {
    int file = open(path, ways[i % 4]);
    CHECK(file >= 0 && close(file) == 0);
    file = open(link_path, ways[i % 2]);
    CHECK(file >= 0 && close(file) == 0);
    CHECK_ERRNO(open(link_path, O_RDONLY | O_NOFOLLOW), ELOOP);
  }
}

int main(void) {
  struct stat status;
  char text[8];
  if (getuid() != 0) {
    puts("skipped: not root");
    return 0;
  }
  int file = mkstemp(path);
  CHECK(file >= 0 && write(file, "text", 4) == 4 && fchmod(file, 0) == 0 && close(file) == 0);
  file = open(path, O_RDWR);
  CHECK(file >= 0 && read(file, text, sizeof text) == 4 && write(file, "more", 4) == 4 && close(file) == 0);
  snprintf(link_path, sizeof link_path, "%s-link", path);
  CHECK(symlink(path, link_path) == 0);
  open_ways();
  file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CHECK(file >= 0 && close(file) == 0);
  CHECK(stat(path, &status) == 0 && (status.st_mode & 07777) == 0 && status.st_size == 0);
  CHECK_ERRNO(open(path, O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
  pid_t child = fork();
  if (child == 0) {
    CHECK(setgid(1234) == 0 && setuid(1234) == 0);
    CHECK_ERRNO(open(path, O_RDONLY), EACCES);
    _exit(0);
  }
  int ended;
  CHECK(waitpid(child, &ended, 0) == child && ended == 0);
  CHECK(unlink(link_path) == 0 && unlink(path) == 0);
  return 0;
}
