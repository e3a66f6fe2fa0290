// Children that share their parent's memory and are killed in the midst of path calls take nothing of it along.
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { CHILDREN = 120, CALLS = 20 };

static volatile unsigned calls;
static char stack[64 * 1024] __attribute__((aligned(16)));

// Sets no errno: that is the parent's own.
static int use_paths(void *unused) {
  (void)unused;
  for (;;) {
    struct stat status;
    stat("/tmp/../tmp/.././tmp", &status);
    calls++;
  }
  return 0;
}

int main(void) {
  for (int i = 0; i < CHILDREN; i++) {
    struct stat status;
    int ended;
    calls = 0;
    pid_t child = clone(use_paths, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
    CHECK(child > 0);
    while (calls < CALLS + (unsigned)i % 7)
      sched_yield();
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, &ended, 0) == child && WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
    CHECK(stat("/", &status) == 0);
  }
  return 0;
}
