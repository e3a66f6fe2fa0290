#include "configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "binds.h"
#include "failure.h"
#include "placeholders.h"
#include "scratch.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

enum { BLOB_CAPACITY = 1 << 20 };

// The kernel's descriptor table grows with the highest number and is copied by every fork, so "high" ends at 1024.
enum { DESCRIPTORS_END = 1024 };

static bool all_free(int base) {
  for (int i = 0; i < HIDDEN_COUNT; i++)
    if (fcntl(base + i, F_GETFD) >= 0)
      return false;
  return true;
}

static int choose_descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
    fail("internal", errno, "RLIMIT_NOFILE");
  int end = limit.rlim_cur < DESCRIPTORS_END ? (int)limit.rlim_cur : DESCRIPTORS_END;
  for (int base = end - HIDDEN_COUNT; base > 16; base--)
    if (all_free(base))
      return base;
  fail("descriptors", EMFILE, "the engine's own");
}

static void find_shim(const struct options *options, char out[PATH_MAX]) {
  static const char name[] = "/anyproc-proot-shim";
  char path[PATH_MAX + sizeof name];
  if (options->shim != NULL) {
    if (realpath(options->shim, out) == NULL)
      fail("shim", errno, options->shim);
    return;
  }
  ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
  if (length < 0)
    fail("proc", errno, "/proc/self/exe");
  path[length] = '\0';
  strcpy(strrchr(path, '/'), name);
  if (realpath(path, out) == NULL)
    fail("shim", errno, path);
}

static int anonymous_file(const char *name, const void *content, size_t size, int seals) {
  // sysctl vm.memfd_noexec may refuse files that could be executed; kernels before 6.3 have no flag to say so.
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int file = memfd_create(name, flags | MFD_NOEXEC_SEAL);
  if (file < 0 && errno == EINVAL)
    file = memfd_create(name, flags);
  if (file < 0)
    fail("memfd", errno, name);
  if (ftruncate(file, (off_t)size) < 0 || (content != NULL && write(file, content, size) != (ssize_t)size) ||
      fcntl(file, F_ADD_SEALS, seals) < 0)
    fail(errno == EFBIG ? "file-size" : "memfd", errno, name);
  return file;
}

// With real root shown as root there is nothing to pretend.
static void set_ids(const struct options *options, struct config *to) {
  if (!options->has_id || (geteuid() == 0 && options->uid == 0 && options->gid == 0))
    return;
  to->flags |= CONFIG_FAKE_IDS;
  to->guest_uid = options->uid;
  to->guest_gid = options->gid;
  to->host_uid = geteuid();
  to->host_gid = getegid();
}

void configuration_build(const struct options *options, struct configuration *out) {
  static char root[PATH_MAX], blob[BLOB_CAPACITY];
  static struct bind binds[CONFIG_BINDS_MAX];
  if (realpath(options->rootfs, root) == NULL)
    fail("rootfs", errno, options->rootfs);
  out->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (out->root < 0)
    fail("rootfs", errno, options->rootfs);
  if (access(root, X_OK) < 0)
    fail("rootfs", errno, options->rootfs);
  find_shim(options, out->shim);
  out->shim_file = open(out->shim, O_PATH | O_CLOEXEC);
  if (out->shim_file < 0)
    fail("shim", errno, out->shim);
  out->descriptor_base = choose_descriptors();
  struct config content = {.descriptor_base = out->descriptor_base,
                           .supervisor = getpid(),
                           .root = root,
                           .shim = out->shim,
                           .scratch = scratch_path(),
                           .mounts.binds = binds,
                           .runner_count = options->runner_count,
                           .runners = options->runners};
  content.flags = (options->no_cache ? CONFIG_NO_CACHE : 0u) |
                  (options->no_patch ? CONFIG_NO_PATCH : 0u) | (options->no_kill_on_exit ? CONFIG_NO_KILL_ON_EXIT : 0u) |
                  (options->pass_unknown ? CONFIG_PASS_UNKNOWN : 0u) |
                  (options->diagnostics >= 0 ? CONFIG_DIAGNOSTICS : 0u);
  set_ids(options, &content);
  content.mounts.count = placeholders_add(root, binds, binds_resolve(options, out->root, root, binds));
  long size = config_write(&content, blob, sizeof blob);
  if (size == -EINVAL)
    fail("usage", EINVAL, "a bind or --runner whose path is not canonical");
  if (size < 0)
    fail("internal", (int)-size, "configuration");
  out->config = anonymous_file("anyproc-config", blob, (size_t)size,
                               F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  out->shared = anonymous_file("anyproc-shared", NULL, SHARED_SIZE,
                               F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}
