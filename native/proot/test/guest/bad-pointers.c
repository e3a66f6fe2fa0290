// Addresses that lead nowhere are answered with EFAULT, and strings may end with their page.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

int main(void) {
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pages != MAP_FAILED && munmap(pages + 4096, 4096) == 0);
  char *none = pages + 4096;
  void *kernel = (void *)0xffff800000000000UL;
  struct stat status;
  CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, none, &status, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, kernel, &status, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, "/", none, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY), EFAULT);
  CHECK_ERRNO(syscall(SYS_openat, AT_FDCWD, none, O_RDONLY), EFAULT);
  CHECK_ERRNO(syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", none, 100), EFAULT);
  CHECK_ERRNO(syscall(SYS_getcwd, none, 4096), EFAULT);
  CHECK_ERRNO(syscall(SYS_mkdirat, AT_FDCWD, none, 0700), EFAULT);
  CHECK_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "/tmp/anyproc-a", AT_FDCWD, none, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_execve, none, NULL, NULL), EFAULT);
  CHECK_ERRNO(syscall(SYS_execve, "/bin/true", none, NULL), EFAULT);
  CHECK_ERRNO(syscall(SYS_execve, "/bin/true", NULL, none), EFAULT);
  CHECK_ERRNO(syscall(SYS_rt_sigaction, 10, none, NULL, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_rt_sigsuspend, none, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_ppoll, NULL, 0, NULL, none, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, none), EFAULT);
  int socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_ERRNO(syscall(SYS_connect, socket_, none, sizeof(struct sockaddr_un)), EFAULT);

  strcpy(none - 2, "/");
  CHECK(stat(none - 2, &status) == 0);
  memset(pages, 'x', 4096);
  CHECK_ERRNO(syscall(SYS_newfstatat, AT_FDCWD, none - 8, &status, 0), EFAULT);
  char *argv = none - 8;
  memset(argv, 0, 8);
  CHECK_ERRNO(syscall(SYS_execve, "/anyproc-missing", argv, NULL), ENOENT);
  return 0;
}
