// Signals in the middle of system calls: a handler sees its own program, on its own stack, and may leave by a jump.
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 16, TICKS = 600 };

static atomic_int ticks, jumps;
static ino_t root;
static _Thread_local uintptr_t stack_start, stack_end;
static _Thread_local sigjmp_buf jump;
static _Thread_local volatile sig_atomic_t may_jump;
static unsigned long engine_start, engine_end;

// A handler's way back, by what unwinders know it by: mov $15, %rax; syscall. The other handler's may be the engine's.
static int is_signal_return(uintptr_t at) {
  static const unsigned char code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
  enum { MOVE_SIZE = 7 };
  return memcmp((const void *)at, code, sizeof code) == 0 ||
         memcmp((const void *)(at - MOVE_SIZE), code, sizeof code) == 0;
}

static void look(int number, siginfo_t *info, void *data) {
  int saved = errno;
  struct stat status;
  const greg_t *registers = ((const ucontext_t *)data)->uc_mcontext.gregs;
  uintptr_t pointer = (uintptr_t)registers[REG_RSP], at = (uintptr_t)registers[REG_RIP];
  CHECK(info->si_signo == number);
  CHECK(stack_start == 0 || (pointer >= stack_start && pointer < stack_end));
  CHECK(at < engine_start || at >= engine_end || is_signal_return(at));
  CHECK(stat("/", &status) == 0 && status.st_ino == root);
  CHECK_ERRNO(access("/anyproc-missing", F_OK), ENOENT);
  errno = saved;
  if (number == SIGALRM)
    ticks++;
  if (may_jump && number == SIGALRM && ticks % 4 == 0) {
    may_jump = 0;
    jumps++;
    siglongjmp(jump, 1);
  }
}

static void find_own_stack(void) {
  pthread_attr_t attributes;
  void *start;
  size_t size;
  CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
  CHECK(pthread_attr_getstack(&attributes, &start, &size) == 0);
  stack_start = (uintptr_t)start;
  stack_end = stack_start + size;
  pthread_attr_destroy(&attributes);
}

static void use_paths(void) {
  struct stat status;
  char directory[4096];
  sigset_t none, before;
  sigemptyset(&none);
  CHECK(stat("/", &status) == 0 && status.st_ino == root);
  CHECK_ERRNO(access("/anyproc-missing", F_OK), ENOENT);
  CHECK(getcwd(directory, sizeof directory) != NULL && directory[0] == '/');
  CHECK(pthread_sigmask(SIG_SETMASK, &none, &before) == 0);
  CHECK(!sigismember(&before, SIGALRM) && !sigismember(&before, SIGUSR1) && !sigismember(&before, SIGSEGV));
}

static void open_and_close(void) {
  int opened = open("/", O_RDONLY | O_CLOEXEC);
  CHECK(opened >= 0 && close(opened) == 0);
}

static void *work(void *data) {
  (void)data;
  find_own_stack();
  while (ticks < TICKS || jumps == 0) {
    if (sigsetjmp(jump, 1) == 0) {
      may_jump = 1;
      use_paths();
    }
    may_jump = 0;
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0);
    use_paths();
    open_and_close();
  }
  return NULL;
}

// What a handler was set with is what the guest is told, whatever the kernel has.
static void test_actions(void) {
  struct sigaction action = {.sa_sigaction = look, .sa_flags = SA_SIGINFO | SA_RESTART}, before;
  CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
  for (int i = 0; i < 6; i++) {
    CHECK(sigaction(SIGUSR2, NULL, &before) == 0);
    CHECK(before.sa_sigaction == look && (before.sa_flags & SA_SIGINFO) != 0);
    action.sa_handler = (void (*)(int))(void *)abort;
    action.sa_flags = 0;
    CHECK(sigaction(SIGUSR2, &action, &before) == 0);
    CHECK(before.sa_sigaction == look && (before.sa_flags & SA_RESTART) != 0);
    action.sa_sigaction = look;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    CHECK(sigaction(SIGUSR2, &action, &before) == 0);
    CHECK(before.sa_handler == (void (*)(int))(void *)abort && (before.sa_flags & SA_SIGINFO) == 0);
  }
  CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
  action.sa_flags = SA_SIGINFO | SA_RESETHAND;
  CHECK(sigaction(SIGUSR2, &action, NULL) == 0 && raise(SIGUSR2) == 0);
  CHECK(sigaction(SIGUSR2, NULL, &before) == 0 && before.sa_handler == SIG_DFL);
  CHECK(signal(SIGUSR2, SIG_IGN) == SIG_DFL && signal(SIGUSR2, SIG_DFL) == SIG_IGN);
}

int main(void) {
  struct stat status;
  struct sigaction action = {.sa_sigaction = look, .sa_flags = SA_SIGINFO | SA_RESTART};
  struct itimerval timer = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};
  pthread_t thread[THREADS];
  if (getenv("ANYPROC_TEST_INSIDE") != NULL && strcmp(getenv("ANYPROC_TEST_INSIDE"), "unpatched") != 0) {
    engine_start = 0x7e8f00000000;
    engine_end = 0x7e9000000000;
  }
  CHECK(stat("/", &status) == 0);
  root = status.st_ino;
  test_actions();
  sigaddset(&action.sa_mask, SIGUSR2);
  CHECK(sigaction(SIGALRM, &action, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
  int free_before = dup(0);
  close(free_before);
  ticks = 0;
  CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_create(&thread[i], NULL, work, NULL) == 0);
  // The kernel prefers the first thread for what is sent to the process, and that one does not jump.
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  CHECK(pthread_sigmask(SIG_BLOCK, &alarm, NULL) == 0);
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_join(thread[i], NULL) == 0);
  CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
  CHECK(jumps > 0);
  CHECK(dup(0) == free_before);
  return 0;
}
