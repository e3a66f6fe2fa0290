// Daemons close every descriptor they can think of; the program must go on working, and exec too.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void works_still(char **argv) {
  struct stat status;
  CHECK(stat("/", &status) == 0);
  pid_t child = fork();
  if (child == 0) {
    char *arguments[] = {argv[0], "again", NULL};
    execv("/proc/self/exe", arguments);
    _exit(99);
  }
  int ended;
  CHECK(waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 9);
}

int main(int argc, char **argv) {
  struct stat status;
  struct rlimit limit;
  if (argc > 1)
    return stat("/", &status) == 0 ? 9 : 10;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  int end = limit.rlim_cur < 2048 ? (int)limit.rlim_cur : 2048;
  for (int i = 3; i < end; i++)
    close(i);
  works_still(argv);
  CHECK(syscall(SYS_close_range, 3, ~0u, 0) == 0);
  works_still(argv);
  for (int i = 3; i < end; i++)
    CHECK(fcntl(i, F_GETFD) < 0 && errno == EBADF);
  for (int i = 3; i < end; i++)
    CHECK(dup(i) < 0 && errno == EBADF);
  CHECK_ERRNO(syscall(SYS_close_range, 9, 3, 0), EINVAL);
  int high = fcntl(0, F_DUPFD, end / 2);
  CHECK(high == end / 2);
  CHECK(syscall(SYS_close_range, high, ~0u, 0) == 0 && fcntl(high, F_GETFD) < 0);
  works_still(argv);
  return 0;
}
