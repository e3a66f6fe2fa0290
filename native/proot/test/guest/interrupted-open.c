// Opens by the thousand under a fast timer: a signal that comes between the engine and the kernel's own open(2) changes
// neither its arguments nor its result, and the vector registers survive as with any system call.
#include <fcntl.h>
#include <immintrin.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { OPENS = 20000, INTERVAL_NANOSECONDS = 50000, VECTOR_SIZE = 32 };

static volatile sig_atomic_t ticks;

static void tick(int number) {
  (void)number;
  ticks++;
}

static int open_and_read(const char *path) {
  char head[4];
  int opened = open(path, O_RDONLY | O_CLOEXEC);
  CHECK(opened >= 0);
  CHECK(read(opened, head, sizeof head) == sizeof head && memcmp(head, "\177ELF", sizeof head) == 0);
  return close(opened);
}

__attribute__((target("avx"))) static void open_with_vectors(const char *path) {
  unsigned char before[VECTOR_SIZE], after[VECTOR_SIZE];
  for (int i = 0; i < VECTOR_SIZE; i++)
    before[i] = (unsigned char)(i + 1);
  long result = SYS_open;
  __asm__ volatile("vmovdqu %[before], %%ymm15\n"
                   "syscall\n"
                   "vmovdqu %%ymm15, %[after]\n"
                   : "+a"(result), [after] "=m"(after)
                   : "D"(path), "S"((long)(O_RDONLY | O_CLOEXEC)), "d"(0L), [before] "m"(before)
                   : "rcx", "r11", "memory", "xmm15");
  CHECK(result >= 0 && close((int)result) == 0);
  CHECK(memcmp(before, after, VECTOR_SIZE) == 0);
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
  struct itimerspec interval = {{0, INTERVAL_NANOSECONDS}, {0, INTERVAL_NANOSECONDS}};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  timer_t timer;
  CHECK(argc == 1 && argv[0][0] == '/');
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  for (int i = 0; i < 10 && __builtin_cpu_supports("avx"); i++)
    open_with_vectors(argv[0]);
  CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &interval, NULL) == 0);
  for (int i = 0; i < OPENS; i++)
    CHECK(open_and_read(argv[0]) == 0);
  CHECK(timer_delete(timer) == 0);
  CHECK(ticks > 0);
  return 0;
}
