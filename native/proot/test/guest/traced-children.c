// Children that ask to be traced: by vfork(2), whose parent sleeps until they exec, and by fork(2).
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char **environ;

static char itself[4096];

static pid_t start(pid_t (*make)(void), const char *path, const char *argument) {
  char *arguments[] = {itself, (char *)argument, NULL};
  pid_t child = make();
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
      _exit(100);
    execve(path, arguments, environ);
    _exit(errno);
  }
  CHECK(child > 0);
  return child;
}

// Tracers see a guest's trapped calls as a signal, which they pass on.
static int wait_for(pid_t child) {
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSYS) {
    CHECK(ptrace(PTRACE_CONT, child, NULL, (void *)(long)SIGSYS) == 0);
    CHECK(waitpid(child, &status, 0) == child);
  }
  return status;
}

static void expect_stop(pid_t child, int signal) {
  int status = wait_for(child);
  CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == signal);
}

static void run_to_end(pid_t child, int code) {
  CHECK(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
  int status = wait_for(child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

// A system call's entry and its exit are stops of their own, and the program still ends as it would.
static void count_calls(pid_t child, int code) {
  int stops = 0, pass = 0, status;
  CHECK(ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(long)PTRACE_O_TRACESYSGOOD) == 0);
  do {
    CHECK(ptrace(PTRACE_SYSCALL, child, NULL, (void *)(long)pass) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    pass = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSYS ? SIGSYS : 0;
    stops += WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80);
  } while (WIFSTOPPED(status));
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == code && stops > 1);
}

static void check(pid_t (*make)(void)) {
  pid_t child = start(make, itself, "exit");
  expect_stop(child, SIGTRAP);
  run_to_end(child, 7);

  child = start(make, itself, "exit");
  expect_stop(child, SIGTRAP);
  count_calls(child, 7);

  child = start(make, itself, "raise");
  expect_stop(child, SIGTRAP);
  CHECK(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
  int status = wait_for(child);
  CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGUSR1);
  run_to_end(child, 8);

  child = start(make, itself, "exit");
  expect_stop(child, SIGTRAP);
  CHECK(kill(child, SIGKILL) == 0);
  status = wait_for(child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

  status = wait_for(start(make, "/anyproc-missing", "exit"));
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == ENOENT);
}

int main(int argc, char **argv) {
  if (argc > 1) {
    if (strcmp(argv[1], "raise") == 0)
      return raise(SIGUSR1) == 0 && access("/", F_OK) == 0 ? 8 : 1;
    return access("/", F_OK) == 0 ? 7 : 1;
  }
  ssize_t length = readlink("/proc/self/exe", itself, sizeof itself - 1);
  CHECK(length > 0);
  itself[length] = '\0';
  (void)argv;
  check(fork);
  check(vfork);
  return 0;
}
