// Opening a FIFO waits for the other end: signals interrupt it, restart it, or leave it with a jump, and no
// descriptor is lost on the way.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static sigjmp_buf escape;
static volatile sig_atomic_t seen, jump;
static char fifo[] = "/tmp/anyproc-fifo-XXXXXX";

static void handler(int number) {
  struct stat status;
  (void)number;
  seen++;
  CHECK(stat(fifo, &status) == 0);
  if (jump)
    siglongjmp(escape, 1);
}

// The signal repeats, so that none can come too early and be the only one.
static void alarm_soon(int restart, int every) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = restart ? SA_RESTART : 0};
  struct itimerval timer = {{0, every ? 20000 : 0}, {0, 20000}};
  seen = 0;
  CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void alarm_off(void) {
  struct itimerval none = {{0, 0}, {0, 0}};
  CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
}

static int lowest_free(void) {
  int descriptor = dup(0);
  close(descriptor);
  return descriptor;
}

int main(void) {
  CHECK(mkdtemp(fifo) != NULL && rmdir(fifo) == 0 && mkfifo(fifo, 0600) == 0);
  int free_before = lowest_free();

  alarm_soon(0, 1);
  CHECK_ERRNO(open(fifo, O_RDONLY), EINTR);
  CHECK(seen > 0);
  alarm_off();

  jump = 1;
  if (sigsetjmp(escape, 1) == 0) {
    alarm_soon(0, 1);
    CHECK(open(fifo, O_RDONLY) < 0);
  }
  jump = 0;
  alarm_off();

  pid_t child = fork();
  if (child == 0) {
    // Writes only after the reader has been interrupted several times.
    usleep(150000);
    int writer = open(fifo, O_WRONLY);
    _exit(write(writer, "x", 1) == 1 ? 0 : 1);
  }
  alarm_soon(1, 1);
  int reader = open(fifo, O_RDONLY);
  alarm_off();
  char byte;
  int status;
  CHECK(reader >= 0 && seen > 0);
  CHECK(read(reader, &byte, 1) == 1 && byte == 'x');
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  close(reader);
  CHECK(lowest_free() == free_before);
  CHECK(unlink(fifo) == 0);
  return 0;
}
