// pthread_cancel(3) of a thread that makes system calls and may be cancelled anywhere: what its frames hold is given up
// in every one of them, so the unwinder must find its way wherever the signal came.
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

enum { ROUNDS = 150 };

static sem_t running;
static int given_up, cleaned_up;
// The C library declares that these throw nothing.
static int (*volatile look_at)(const char *, struct stat *) = stat;
static int (*volatile ask)(const char *, int) = access;

static void give_up(int *held) {
  (void)held;
  given_up++;
}

static void clean_up(void *unused) {
  (void)unused;
  cleaned_up++;
}

__attribute__((noinline)) static void use_paths(void) {
  __attribute__((cleanup(give_up))) int held = 1;
  struct stat status;
  int ignored;
  CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &ignored) == 0);
  for (;;) {
    look_at("/", &status);
    ask("/anyproc-missing", F_OK);
  }
}

static void *work(void *unused) {
  (void)unused;
  pthread_cleanup_push(clean_up, NULL);
  CHECK(sem_post(&running) == 0);
  use_paths();
  pthread_cleanup_pop(0);
  return NULL;
}

int main(void) {
  CHECK(sem_init(&running, 0, 0) == 0);
  for (int i = 0; i < ROUNDS; i++) {
    pthread_t thread;
    void *result;
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0);
    CHECK(sem_wait(&running) == 0);
    struct timespec moment = {0, 1000 * (i % 50)};
    nanosleep(&moment, NULL);
    CHECK(pthread_cancel(thread) == 0);
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
  }
  CHECK(cleaned_up == ROUNDS);
  CHECK(given_up == ROUNDS);
  return 0;
}
