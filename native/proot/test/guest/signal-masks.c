// Masks that block everything, SIGSYS too, neither stop path calls nor lose or leak other signals.
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static volatile sig_atomic_t seen;

static void count(int number) {
  (void)number;
  seen++;
}

int main(void) {
  struct stat status;
  struct sigaction action = {.sa_handler = count};
  sigset_t all, open_mask, now;
  sigfillset(&all);
  sigfillset(&open_mask);
  sigdelset(&open_mask, SIGUSR1);
  sigfillset(&action.sa_mask);
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
  CHECK(stat("/", &status) == 0 && access("/", F_OK) == 0);
  CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
  CHECK(sigismember(&now, SIGUSR1) == 1 && sigismember(&now, SIGTERM) == 1 && sigismember(&now, SIGKILL) == 0);

  raise(SIGUSR1);
  CHECK(seen == 0 && stat("/", &status) == 0 && seen == 0);
  CHECK_ERRNO(sigsuspend(&open_mask), EINTR);
  CHECK(seen == 1);

  raise(SIGUSR1);
  CHECK_ERRNO(ppoll(NULL, 0, NULL, &open_mask), EINTR);
  CHECK(seen == 2);

  raise(SIGUSR1);
  CHECK_ERRNO(pselect(0, NULL, NULL, NULL, NULL, &open_mask), EINTR);
  CHECK(seen == 3);

  int queue = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event;
  raise(SIGUSR1);
  CHECK_ERRNO(epoll_pwait(queue, &event, 1, -1, &open_mask), EINTR);
  CHECK(seen == 4);

  struct timespec none = {0, 0};
  CHECK(ppoll(NULL, 0, &none, &all) == 0);
  CHECK(pselect(0, NULL, NULL, NULL, &none, NULL) == 0);

  int descriptor = signalfd(-1, &all, SFD_CLOEXEC);
  struct signalfd_siginfo info;
  raise(SIGUSR1);
  CHECK(read(descriptor, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1);

  raise(SIGUSR1);
  CHECK(sigprocmask(SIG_UNBLOCK, &all, NULL) == 0 && seen == 5);
  CHECK_ERRNO(sigprocmask(99, &all, NULL), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, 4), EINVAL);
  CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, (void *)8, NULL, 8), EFAULT);
  CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &open_mask, (void *)8, 8), EFAULT);
  return 0;
}
