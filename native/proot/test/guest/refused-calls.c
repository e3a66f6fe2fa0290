// Calls that would get around the engine are not there; a program's own filter is accepted and harms nothing.
// Natively the same calls may work: only the engine's answers are checked strictly.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/syscall-numbers.h"
#include "check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

// What the engine refuses whatever the arguments: the caller's libraries fall back, or root's tools say why not.
static void test_refusals(void) {
  static const long missing[] = {SYS_io_uring_setup,          SYS_io_uring_enter,    SYS_io_uring_register,
                                 SYS_landlock_create_ruleset, SYS_landlock_add_rule, SYS_landlock_restrict_self,
                                 SYS_clone3,                  SYS_statmount,         SYS_listmount,
                                 SYS_open_tree,               SYS_open_tree_attr,    SYS_move_mount,
                                 SYS_fsopen,                  SYS_fspick,            SYS_fsconfig,
                                 SYS_fsmount,                 SYS_mount_setattr,     SYS_uselib,
                                 SYS_lookup_dcookie,          100000,                SYSCALL_LAST_KNOWN + 1};
  static const long forbidden[] = {SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, SYS_bpf, SYS_open_by_handle_at};
  for (size_t i = 0; i < COUNT(missing); i++)
    CHECK_ERRNO(syscall(missing[i], 0, "/", 0, 0, 0, 0), ENOSYS);
  for (size_t i = 0; i < COUNT(forbidden); i++)
    CHECK_ERRNO(syscall(forbidden[i], 0, "/", 0, 0, 0, 0), EPERM);
}

int main(void) {
  struct stat status;
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {1, &allow};
  if (getenv("ANYPROC_TEST_INSIDE") != NULL)
    test_refusals();
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
