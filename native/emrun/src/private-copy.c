#include "private-copy.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
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
  size_t step_count;
  atomic_size_t taken; // how many steps are being copied, or have been
  atomic_bool *copied; // which of them have been
};

static size_t step_size(const struct copying *copying, size_t step) {
  size_t rest = copying->size - step * STEP;
  return rest < STEP ? rest : STEP;
}

// Copies a step that no thread has taken yet; false when there is none.
static bool copy_step(struct copying *copying) {
  size_t step = atomic_fetch_add(&copying->taken, 1);
  if (step >= copying->step_count) return false;
  memcpy(copying->to + step * STEP, copying->from + step * STEP, step_size(copying, step));
  atomic_store(&copying->copied[step], true);
  return true;
}

static void *copy_steps(void *copying) {
  while (copy_step(copying)) continue;
  return NULL;
}

static int hash_steps(struct copying *copying, struct digest *digest) {
  int error = 0;
  for (size_t step = 0; step < copying->step_count && error == 0; step++) {
    // What the other thread has not come to is done here, so that nobody waits for it to get a processor.
    while (!atomic_load(&copying->copied[step])) {
      if (!copy_step(copying)) sched_yield();
    }
    error = digest_update(digest, copying->to + step * STEP, step_size(copying, step));
  }
  return error;
}

static int hash(struct copying *copying, uint8_t out[DIGEST_SIZE]) {
  struct digest *digest = digest_new();
  if (digest == NULL) return -ENOMEM;
  int error = hash_steps(copying, digest);
  if (error == 0) error = digest_final(digest, out);
  digest_free(digest);
  return error;
}

// Copying takes a fraction of what hashing takes, with the clearing of new pages that it causes, so a second thread
// soon has it done beside the hashing.
static int copy_and_hash(struct copying *copying, uint8_t out[DIGEST_SIZE]) {
  pthread_t thread;
  bool has_thread = copying->size >= LARGE && pthread_create(&thread, NULL, copy_steps, copying) == 0;
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
  struct copying copying = {
    .from = payload,
    .to = allocate(size),
    .size = size,
    .step_count = (size + STEP - 1) / STEP,
  };
  copying.copied = calloc(copying.step_count, sizeof *copying.copied);
  bool has_memory = copying.to != NULL && copying.copied != NULL;
  int error = has_memory ? copy_and_hash(&copying, out->digest) : -ENOMEM;
  free(copying.copied);
  if (error != 0) free(copying.to);
  else out->data = copying.to;
  return error;
}
