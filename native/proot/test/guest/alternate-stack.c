// Path calls inside a handler on a small alternate stack, and while that stack is in use.
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static volatile sig_atomic_t depth;

static void handler(int number) {
  struct stat status;
  char directory[4096];
  (void)number;
  CHECK(stat("/", &status) == 0 && getcwd(directory, sizeof directory) != NULL);
  if (++depth < 2)
    raise(SIGUSR1);
}

int main(void) {
  size_t size = (size_t)sysconf(_SC_SIGSTKSZ) * 2;
  stack_t stack = {.ss_size = size,
                   .ss_sp = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)};
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_NODEFER};
  struct stat status;
  CHECK(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
  CHECK(raise(SIGUSR1) == 0 && depth == 2);
  CHECK(stat("/", &status) == 0);
  return 0;
}
