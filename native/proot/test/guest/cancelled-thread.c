// pthread_cancel(3) of a thread that makes system calls and may be cancelled anywhere: what its frames hold is given
// up, so the unwinder must find its way wherever the signal came.
#include <pthread.h>
#include <semaphore.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

enum { ROUNDS = 150 };

static sem_t running;
static int given_up, cleaned_up;

static void give_up(int *held) {
  (void)held;
  given_up++;
}

static void clean_up(void *unused) {
  (void)unused;
  cleaned_up++;
}

// In a frame of its own, whose every instruction the unwinder knows how to leave.
static void use_paths_for_ever(void) {
  struct stat status;
  int ignored;
  CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &ignored) == 0);
  for (;;) {
    stat("/", &status);
    access("/anyproc-missing", F_OK);
  }
}

static void (*volatile entered)(void) = use_paths_for_ever;

static void hold_and_enter(void) {
  __attribute__((cleanup(give_up))) int held = 1;
  entered();
}

static void *work(void *unused) {
  (void)unused;
  pthread_cleanup_push(clean_up, NULL);
  CHECK(sem_post(&running) == 0);
  hold_and_enter();
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
