// A handler may edit the mask that its return restores (sigaction(2), SA_SIGINFO).
#include <signal.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

static void handler(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  sigfillset(&((ucontext_t *)context)->uc_sigmask);
}

int main(void) {
  struct stat status;
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigset_t now;
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && raise(SIGUSR1) == 0);
  CHECK(stat("/", &status) == 0);
  CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGTERM) == 1);
  return 0;
}
