#include "memory-file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// memfd_create(2), fcntl(2) and madvise(2) of kernels newer than the build machine's headers.
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
  HASH_STEP = 256 * 1024, // fits into the processor's cache between the copy and the hash
  HUGE_PAGE = 2 * 1024 * 1024,
};

static int fail(struct memory_file *file, const char *call) {
  file->failed_call = call;
  return -errno;
}

static int no_memory(struct memory_file *file) {
  errno = ENOMEM;
  return fail(file, "malloc");
}

// The name of a memory file is given at its creation, so the digest has to be known before the bytes are written.
// Hashing a private copy, and writing that, keeps the two from ever differing.
static int copy_and_hash(const uint8_t *payload, size_t size, uint8_t *copy, uint8_t out[DIGEST_SIZE]) {
  struct digest *digest = digest_new();
  if (digest == NULL) return -ENOMEM;
  int error = 0;
  for (size_t done = 0; done < size && error == 0; done += HASH_STEP) {
    size_t step = size - done < HASH_STEP ? size - done : HASH_STEP;
    memcpy(copy + done, payload + done, step);
    error = digest_update(digest, copy + done, step);
  }
  if (error == 0) error = digest_final(digest, out);
  digest_free(digest);
  return error;
}

// memfd_create() came to C libraries later than to kernels.
static int create(const char *name, unsigned int flags) {
  return (int)syscall(SYS_memfd_create, name, flags);
}

static int create_executable(const char *name) {
  // sysctl vm.memfd_noexec (kernel 6.3): 1 makes files executable on request only, 2 refuses the request.
  int descriptor = create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (descriptor == -1 && errno == EINVAL) descriptor = create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return descriptor;
}

static int write_all(int descriptor, const uint8_t *data, size_t size) {
  while (size > 0) {
    ssize_t written = write(descriptor, data, size);
    if (written == -1 && errno == EINTR) continue;
    if (written == -1) return -1;
    data += written;
    size -= (size_t)written;
  }
  return 0;
}

static int seal(int descriptor) {
  int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  // F_SEAL_EXEC (kernel 6.3) keeps a payload from taking its own execute permission away.
  if (fcntl(descriptor, F_ADD_SEALS, seals | F_SEAL_EXEC) == 0) return 0;
  return errno == EINVAL ? fcntl(descriptor, F_ADD_SEALS, seals) : -1;
}

// A second, read-only open file: the one that wrote never leaves this function. It also shows that /proc is there,
// which running the file depends on.
static int reopen(int descriptor) {
  char path[sizeof "/proc/self/fd/-2147483648"];
  snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
  return open(path, O_RDONLY | O_CLOEXEC);
}

static int fill(int descriptor, const uint8_t *data, size_t size, struct memory_file *out) {
  if (write_all(descriptor, data, size) == -1) return fail(out, "write");
  if (seal(descriptor) == -1) return fail(out, "fcntl");
  out->descriptor = reopen(descriptor);
  return out->descriptor == -1 ? fail(out, "open") : 0;
}

static int create_from_copy(const uint8_t *payload, size_t size, uint8_t *copy, struct memory_file *out) {
  uint8_t digest[DIGEST_SIZE];
  int error = copy_and_hash(payload, size, copy, digest);
  if (error != 0) {
    out->failed_call = "EVP_Digest";
    return error;
  }
  for (size_t i = 0; i < DIGEST_SIZE; i++) snprintf(out->digest + 2 * i, 3, "%02x", digest[i]);
  int descriptor = create_executable(out->digest);
  if (descriptor == -1) return fail(out, "memfd_create");
  error = fill(descriptor, copy, size, out);
  close(descriptor);
  return error;
}

struct region {
  uint8_t *start;
  size_t size;
};

// Where kernels are older than 5.14 it does nothing, and the pages come one by one as they are written.
static void *populate(void *data) {
  const struct region *region = data;
  madvise(region->start, region->size, MADV_POPULATE_WRITE);
  return NULL;
}

static int create_large(const uint8_t *payload, size_t size, struct memory_file *out) {
  struct region copy = {.size = (size + HUGE_PAGE - 1) & -(size_t)HUGE_PAGE};
  copy.start = aligned_alloc(HUGE_PAGE, copy.size);
  if (copy.start == NULL) return no_memory(out);
  madvise(copy.start, copy.size, MADV_HUGEPAGE);
  // Clearing new pages takes as long as copying does, and can be done beside it.
  pthread_t thread;
  bool has_thread = pthread_create(&thread, NULL, populate, &copy) == 0;
  int error = create_from_copy(payload, size, copy.start, out);
  if (has_thread) pthread_join(thread, NULL);
  free(copy.start);
  return error;
}

static int create_small(const uint8_t *payload, size_t size, struct memory_file *out) {
  uint8_t *copy = malloc(size);
  if (copy == NULL) return no_memory(out);
  int error = create_from_copy(payload, size, copy, out);
  free(copy);
  return error;
}

int memory_file_create(const uint8_t *payload, size_t size, struct memory_file *out) {
  return size < 4 * (size_t)HUGE_PAGE ? create_small(payload, size, out) : create_large(payload, size, out);
}
