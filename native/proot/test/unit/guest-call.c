#include "guest-call.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "identity.h"
#include "path.h"
#include "sys.h"

static struct shared shared;

void guest_configure(const char *root, const struct bind *binds, size_t bind_count, uint32_t flags) {
  static char blob[1 << 16];
  struct config wanted = {
      .flags = flags,
      .guest_uid = 0,
      .guest_gid = 0,
      .host_uid = getuid(),
      .host_gid = getgid(),
      .descriptor_base = TEST_DESCRIPTOR_BASE,
      .root = root,
      .shim = "/nowhere/anyproc-proot-shim",
      .scratch = "/nowhere/scratch",
      .mounts.count = bind_count,
      .mounts.binds = binds,
  };
  long size = config_write(&wanted, blob, sizeof blob);
  if (size < 0 || config_read(blob, (size_t)size, &config) < 0)
    errx(1, "cannot configure the root %s", root);
  config.shared = &shared;
  identity_start();
  shared.generation++; // what the cache knows belongs to the configuration before
  shared.has_owners = 0;
  int directory = open(root[0] == '\0' ? "/" : root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0 || dup3(directory, TEST_DESCRIPTOR_BASE + HIDDEN_ROOT, O_CLOEXEC) < 0)
    err(1, "%s", root);
  close(directory);
}

// What the trampoline does: the arguments, with the one that points at the copied data, and the pointer in that.
static long make_deferred(struct deferred *deferred) {
  long *a = deferred->argument;
  if (deferred->data_argument >= 0)
    a[deferred->data_argument] = (long)deferred->data;
  if (deferred->data_pointer >= 0) {
    uintptr_t offset;
    memcpy(&offset, deferred->data + deferred->data_pointer, sizeof offset);
    offset += (uintptr_t)deferred->data;
    memcpy(deferred->data + deferred->data_pointer, &offset, sizeof offset);
  }
  return sys_call(deferred->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static bool asks_again(const struct deferred *deferred, long result) {
  const long *results = deferred->resume_results;
  return deferred->resume == RESUME_ALWAYS ||
         (deferred->resume == RESUME_ON_RESULTS && (result == results[0] || result == results[1]));
}

long guest_call(long number, long a, long b, long c, long d, long e, long f) {
  static struct deferred deferred;
  struct call call = {.number = number, .argument = {a, b, c, d, e, f}, .deferred = &deferred};
  deferred.data_argument = deferred.data_pointer = -1;
  deferred.resume = RESUME_NEVER;
  for (;;) {
    long result = path_call(&call);
    if (result != CALL_DEFERRED)
      return result;
    result = make_deferred(&deferred);
    if (!asks_again(&deferred, result))
      return result;
    if (call.stage++ > 0)
      errx(1, "a call was resumed twice");
    call.result = result;
  }
}
