// Calls that would get around the engine are not there; a program's own filter is accepted and harms nothing.
// Natively the same calls may work: only the engine's answers are checked strictly.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

int main(void) {
  struct stat status;
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {1, &allow};
  if (getenv("ANYPROC_TEST_INSIDE") != NULL) {
    CHECK_ERRNO(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS);
    CHECK_ERRNO(syscall(435 /* clone3 */, NULL, 0), ENOSYS);
    CHECK_ERRNO(syscall(100000), ENOSYS);
    CHECK_ERRNO(syscall(SYS_open_by_handle_at, 3, NULL, 0), EPERM);
  }
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
  CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
  CHECK_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0), EFAULT);
  CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
  CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1ul << 20, &program), EINVAL);
  CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
  CHECK_ERRNO(prctl(PR_SET_SECCOMP, 99, &program, 0, 0), EINVAL);
  program.len = 0;
  CHECK_ERRNO(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), EINVAL);
  CHECK(stat("/", &status) == 0);
  return 0;
}
