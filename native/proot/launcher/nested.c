#include "nested.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../src/layout.h"
#include "failure.h"

// A guest's mappings hold the shim.
bool is_nested(void) {
  unsigned char resident;
  return mincore((void *)SHIM_TEXT, 1, &resident) == 0;
}

// Where a bind's guest path lies now. Symlinks are those of the new root. mount(2) follows the last one too, so that it
// cannot be covered.
static void find_in_root(const char *root, const struct bind_option *bind, char out[PATH_MAX]) {
  const char *guest = bind->guest;
  struct open_how how = {.flags = O_PATH | O_CLOEXEC | (bind->no_follow ? O_NOFOLLOW : 0), .resolve = RESOLVE_IN_ROOT};
  struct stat status;
  char link[64];
  int directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int found = (int)syscall(SYS_openat2, directory, guest, &how, sizeof how);
  if (found < 0 || fstat(found, &status) < 0)
    fail("nested-bind", errno, guest);
  if (S_ISLNK(status.st_mode))
    fail("nested-bind", ELOOP, guest);
  snprintf(link, sizeof link, "/proc/self/fd/%d", found);
  ssize_t length = readlink(link, out, PATH_MAX - 1);
  if (length < 0)
    fail("nested-bind", errno, guest);
  out[length] = '\0';
  close(found);
  close(directory);
}

static void make_bind(const struct bind_option *bind, const char *root) {
  char target[PATH_MAX];
  if (bind->host[0] != '/' || bind->guest[0] != '/')
    fail("bind", 0, bind->host[0] != '/' ? bind->host : bind->guest);
  if (access(bind->host, F_OK) < 0)
    fail("bind", errno, bind->host);
  find_in_root(root, bind, target);
  if (mount(bind->host, target, NULL, MS_BIND | MS_REC, NULL) < 0 ||
      (bind->read_only && mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0))
    fail("nested-bind", errno, bind->guest);
}

static void take_ids(const struct options *options) {
  if (!options->has_id || (options->uid == getuid() && options->gid == getgid()))
    return;
  if (setgroups(1, &options->gid) < 0 || setgid(options->gid) < 0 || setuid(options->uid) < 0)
    fail("nested-id", errno, "--id");
}

static _Noreturn void run(const struct options *options) {
  const char *name = options->command[0];
  char **argv = options->command;
  if (options->argv0 != NULL)
    argv[0] = (char *)options->argv0;
  execvp(name, argv);
  int error = errno;
  if (error == E2BIG || error == ENAMETOOLONG)
    fail("too-long", error, name);
  if (error != ENOENT && error != ENOTDIR)
    fail("not-executable", error, name);
  fail(strchr(name, '/') != NULL && access(name, F_OK) == 0 ? "interpreter" : "not-found", error, name);
}

void become_nested_guest(const struct options *options) {
  char root[PATH_MAX];
  if (realpath(options->rootfs, root) == NULL)
    fail("rootfs", errno, options->rootfs);
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
    fail("nested", errno, "unshare");
  for (size_t i = 0; i < options->bind_count; i++)
    make_bind(&options->binds[i], root);
  if (chroot(root) < 0)
    fail("rootfs", errno, options->rootfs);
  if (chdir(options->cwd) < 0)
    fail("cwd", errno, options->cwd);
  take_ids(options);
  run(options);
}
