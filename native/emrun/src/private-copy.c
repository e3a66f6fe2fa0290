#include "private-copy.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
  STEP = 256 * 1024, // fits into the processor's cache between the copy and the hash
  HUGE_PAGE = 2 * 1024 * 1024,
  LARGE = 4 * HUGE_PAGE,
};

struct copying {
  const uint8_t *from;
  uint8_t *to;
  size_t size;
  sem_t copied; // how many steps are there that have not been hashed
};

static size_t step_at(size_t done, size_t size) {
  return size - done < STEP ? size - done : STEP;
}

static void *copy(void *data) {
  struct copying *copying = data;
  for (size_t done = 0; done < copying->size; done += STEP) {
    memcpy(copying->to + done, copying->from + done, step_at(done, copying->size));
    sem_post(&copying->copied);
  }
  return NULL;
}

static int hash_steps(struct copying *copying, struct digest *digest) {
  for (size_t done = 0; done < copying->size; done += STEP) {
    while (sem_wait(&copying->copied) == -1 && errno == EINTR) continue;
    int error = digest_update(digest, copying->to + done, step_at(done, copying->size));
    if (error != 0) return error;
  }
  return 0;
}

static int hash(struct copying *copying, uint8_t out[DIGEST_SIZE]) {
  struct digest *digest = digest_new();
  if (digest == NULL) return -ENOMEM;
  int error = hash_steps(copying, digest);
  if (error == 0) error = digest_final(digest, out);
  digest_free(digest);
  return error;
}

// Copying takes a fraction of what hashing takes, so on a thread of its own it costs no time, with the clearing of new
// pages that it causes.
static int copy_and_hash(struct copying *copying, uint8_t out[DIGEST_SIZE]) {
  pthread_t thread;
  bool has_thread = copying->size >= LARGE && pthread_create(&thread, NULL, copy, copying) == 0;
  if (!has_thread) copy(copying);
  int error = hash(copying, out);
  if (has_thread) pthread_join(thread, NULL);
  return error;
}

static uint8_t *allocate(size_t size) {
  if (size < LARGE) return malloc(size);
  size_t whole_pages = (size + HUGE_PAGE - 1) & -(size_t)HUGE_PAGE;
  uint8_t *memory = aligned_alloc(HUGE_PAGE, whole_pages);
  if (memory != NULL) madvise(memory, whole_pages, MADV_HUGEPAGE);
  return memory;
}

int private_copy_create(const uint8_t *payload, size_t size, struct private_copy *out) {
  struct copying copying = {.from = payload, .to = allocate(size), .size = size};
  if (copying.to == NULL) return -ENOMEM;
  sem_init(&copying.copied, 0, 0);
  int error = copy_and_hash(&copying, out->digest);
  sem_destroy(&copying.copied);
  out->data = copying.to;
  if (error != 0) free(out->data);
  return error;
}
