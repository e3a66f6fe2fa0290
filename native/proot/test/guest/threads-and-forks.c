// Threads with path calls, forks and spawns under a fast timer signal: no wrong result and no descriptor lost.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 8, ROUNDS = 400 };

static ino_t root;
static volatile sig_atomic_t ticks;

static void tick(int number) {
  struct stat status;
  int saved = errno;
  (void)number;
  CHECK(stat("/", &status) == 0 && status.st_ino == root);
  ticks++;
  errno = saved;
}

static pid_t wait_for(pid_t child, int *status) {
  pid_t got;
  while ((got = waitpid(child, status, 0)) < 0 && errno == EINTR) {
  }
  return got;
}

static void *use_paths(void *unused) {
  (void)unused;
  for (int i = 0; i < ROUNDS; i++) {
    struct stat status;
    char directory[4096];
    CHECK(stat("/", &status) == 0 && status.st_ino == root);
    CHECK_ERRNO(access("/anyproc-missing", F_OK), ENOENT);
    CHECK(getcwd(directory, sizeof directory) != NULL && directory[0] == '/');
    int opened;
    while ((opened = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 && errno == EINTR) {
    }
    CHECK(opened >= 0 && fstat(opened, &status) == 0 && status.st_ino == root);
    CHECK(close(opened) == 0);
    if (i % 40 == 0) {
      int ended;
      pid_t child = fork();
      if (child == 0)
        _exit(stat("/", &status) == 0 && status.st_ino == root ? 3 : 4);
      CHECK(wait_for(child, &ended) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 3);
    }
  }
  return NULL;
}

int main(void) {
  struct stat status;
  struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
  struct itimerval timer = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};
  pthread_t thread[THREADS];
  CHECK(stat("/", &status) == 0);
  root = status.st_ino;
  int free_before = dup(0);
  close(free_before);
  CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &timer, NULL) == 0);
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_create(&thread[i], NULL, use_paths, NULL) == 0);
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_join(thread[i], NULL) == 0);
  CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
  CHECK(ticks > 0);
  int free_after = dup(0);
  CHECK(free_after == free_before);
  return 0;
}
