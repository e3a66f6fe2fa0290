// pthread_cancel(3) ends a thread that waits in open(2).
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char fifo[] = "/tmp/anyproc-fifo-XXXXXX";

static void *wait_for_writer(void *unused) {
  (void)unused;
  open(fifo, O_RDONLY);
  return NULL;
}

int main(void) {
  pthread_t thread;
  void *result;
  CHECK(mkdtemp(fifo) != NULL && rmdir(fifo) == 0 && mkfifo(fifo, 0600) == 0);
  CHECK(pthread_create(&thread, NULL, wait_for_writer, NULL) == 0);
  CHECK(pthread_cancel(thread) == 0);
  CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
  CHECK(unlink(fifo) == 0);
  return 0;
}
