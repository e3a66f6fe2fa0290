#include "memory-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "private-copy.h"

// memfd_create(2) and fcntl(2) of kernels newer than the build machine's headers.
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

static int fail(struct memory_file *file, const char *call) {
  file->failed_call = call;
  return -errno;
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

static int create_from_copy(const struct private_copy *copy, size_t size, struct memory_file *out) {
  for (size_t i = 0; i < DIGEST_SIZE; i++) snprintf(out->digest + 2 * i, 3, "%02x", copy->digest[i]);
  int descriptor = create_executable(out->digest);
  if (descriptor == -1) return fail(out, "memfd_create");
  int error = fill(descriptor, copy->data, size, out);
  close(descriptor);
  return error;
}

// The name of a memory file is given at its creation, so the digest has to be known before the bytes are written.
// Hashing a private copy, and writing that, keeps the two from ever differing.
int memory_file_create(const uint8_t *payload, size_t size, struct memory_file *out) {
  struct private_copy copy;
  int error = private_copy_create(payload, size, &copy);
  if (error != 0) {
    out->failed_call = "malloc";
    return error;
  }
  error = create_from_copy(&copy, size, out);
  free(copy.data);
  return error;
}
