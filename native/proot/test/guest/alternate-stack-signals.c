// A handler on the alternate stack makes system calls while other signals that want that stack come: none of them may
// start at its top again, for the first handler's frames are there.
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { ROUNDS = 40, CALLS = 200, INTERVAL_NANOSECONDS = 100000, PATTERN_SIZE = 512 };

static char stack[64 * 1024];
static volatile sig_atomic_t interrupted;

static int is_on_alternate_stack(const void *at) {
  return (uintptr_t)at - (uintptr_t)stack < sizeof stack;
}

static void interrupt(int number) {
  struct stat status;
  int saved = errno;
  (void)number;
  CHECK(is_on_alternate_stack(&status));
  CHECK(stat("/", &status) == 0);
  interrupted++;
  errno = saved;
}

static void work(int number) {
  volatile unsigned char pattern[PATTERN_SIZE];
  struct stat status;
  (void)number;
  CHECK(is_on_alternate_stack((const void *)pattern));
  for (int i = 0; i < PATTERN_SIZE; i++)
    pattern[i] = (unsigned char)(i * 7);
  for (int i = 0; i < CALLS; i++) {
    CHECK(stat("/", &status) == 0);
    CHECK_ERRNO(access("/anyproc-missing", F_OK), ENOENT);
  }
  for (int i = 0; i < PATTERN_SIZE; i++)
    CHECK(pattern[i] == (unsigned char)(i * 7));
}

int main(void) {
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction worker = {.sa_handler = work, .sa_flags = SA_ONSTACK | SA_RESTART};
  struct sigaction interrupter = {.sa_handler = interrupt, .sa_flags = SA_ONSTACK | SA_RESTART};
  struct itimerspec interval = {{0, INTERVAL_NANOSECONDS}, {0, INTERVAL_NANOSECONDS}};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
  timer_t timer;
  CHECK(sigaltstack(&alternate, NULL) == 0);
  CHECK(sigaction(SIGUSR1, &worker, NULL) == 0 && sigaction(SIGUSR2, &interrupter, NULL) == 0);
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  for (int i = 0; i < ROUNDS; i++) {
    struct stat status;
    CHECK(timer_settime(timer, 0, &interval, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0);
    CHECK(stat("/", &status) == 0);
  }
  CHECK(timer_delete(timer) == 0);
  CHECK(interrupted > 0);
  return 0;
}
