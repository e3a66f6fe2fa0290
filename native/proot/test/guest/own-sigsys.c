// A program may have its own handler for SIGSYS, and none of it changes how path calls work.
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static volatile sig_atomic_t seen;

static void handler(int number, siginfo_t *info, void *context) {
  struct stat status;
  (void)context;
  CHECK(number == SIGSYS && info->si_pid == getpid());
  CHECK(stat("/", &status) == 0);
  seen++;
}

int main(void) {
  struct stat status;
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, before;
  CHECK(sigaction(SIGSYS, NULL, &before) == 0 && before.sa_handler == SIG_DFL);
  CHECK(sigaction(SIGSYS, &action, NULL) == 0);
  CHECK(kill(getpid(), SIGSYS) == 0 && seen == 1);
  CHECK(stat("/", &status) == 0 && seen == 1);
  CHECK(sigaction(SIGSYS, NULL, &before) == 0 && before.sa_sigaction == handler && before.sa_flags & SA_SIGINFO);
  pid_t child = fork();
  if (child == 0) {
    signal(SIGSYS, SIG_IGN);
    kill(getpid(), SIGSYS);
    signal(SIGSYS, SIG_DFL);
    kill(getpid(), SIGSYS);
    _exit(0);
  }
  int ended;
  CHECK(waitpid(child, &ended, 0) == child && WIFSIGNALED(ended) && WTERMSIG(ended) == SIGSYS);
  return 0;
}
