#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

// Runs a trial in a child, because it cannot be undone. Returns 0 or the errno it ended with.
static int try_in_child(int (*trial)(void)) {
  pid_t child = fork();
  if (child < 0)
    return errno;
  if (child == 0)
    _exit(trial());
  int status;
  if (waitpid(child, &status, 0) < 0)
    return errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : EPERM; // killed for it
}

static int try_no_new_privs(void) {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0;
}

// A filter with the one action that the engine lives by.
static int try_seccomp(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof code[0], code};
  int error = try_no_new_privs();
  if (error != 0)
    return error;
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? errno : 0;
}

static bool has_openat2(void) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
  long opened = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);
  if (opened >= 0)
    close((int)opened);
  return opened >= 0;
}

// A page of code of its own, changed as the shim changes call sites.
static bool may_patch(void) {
  long size = sysconf(_SC_PAGESIZE);
  void *code = (void *)((uintptr_t)may_patch & ~((uintptr_t)size - 1));
  return mprotect(code, (size_t)size, PROT_READ | PROT_WRITE | PROT_EXEC) == 0 &&
         mprotect(code, (size_t)size, PROT_READ | PROT_EXEC) == 0;
}

// Returns 0 or an errno.
static int try_memfd(void) {
  int file = memfd_create("probe", MFD_CLOEXEC);
  if (file < 0)
    return errno;
  close(file);
  return 0;
}

static bool has_proc(void) {
  return access("/proc/self/fd", X_OK) == 0;
}

static long landlock_version(void) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : version;
}

// Yama's setting, or 0 where Yama is not there to restrict anything.
static int ptrace_scope(void) {
  FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
  int scope = 0;
  if (file == NULL)
    return 0;
  if (fscanf(file, "%d", &scope) != 1)
    scope = 0;
  fclose(file);
  return scope;
}

static const char *yes_or_no(bool value) {
  return value ? "true" : "false";
}

int probe(void) {
  struct utsname name;
  uname(&name);
  int seccomp_error = try_in_child(try_seccomp), memfd_error = try_memfd();
  printf("{\"kernel\":\"%s\",\"seccomp\":%s,\"seccompErrno\":%d,\"openat2\":%s,\"patching\":%s,\"memfd\":%s,\"memfdErrno\":%d,"
         "\"proc\":%s,\"landlock\":%ld,\"noNewPrivs\":%s,\"ptraceScope\":%d}\n",
         name.release, yes_or_no(seccomp_error == 0), seccomp_error, yes_or_no(has_openat2()), yes_or_no(may_patch()),
         yes_or_no(memfd_error == 0), memfd_error, yes_or_no(has_proc()), landlock_version(),
         yes_or_no(try_in_child(try_no_new_privs) == 0), ptrace_scope());
  return fflush(stdout) == 0 ? 0 : 1;
}
