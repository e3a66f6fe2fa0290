// libFuzzer: whatever the path and the symlinks on the way, what is opened lies in the rootfs or in a bind.
//
// The input is a list of NUL-terminated texts: the last is the path to open, the others are symlinks' texts that are
// put at fixed names of the scene.
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest-call.h"
#include "scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char scene[PATH_MAX];

static void in_scene(const char *name, char out[PATH_MAX]) {
  if (snprintf(out, PATH_MAX, "%s/%s", scene, name) >= PATH_MAX)
    abort();
}

static void remove_scene(void) {
  remove_tree(scene);
}

static void build(void) {
  static const char *const directories[] = {"root/a/b/c", "root/point", "root/etc", "bound/x/inner", "outside/secret"};
  char path[PATH_MAX], host[PATH_MAX];
  strcpy(scene, "/tmp/anyproc-fuzz-XXXXXX");
  if (mkdtemp(scene) == NULL)
    err(1, "%s", scene);
  atexit(remove_scene);
  for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
    in_scene(directories[i], path);
    make_path(path);
  }
  in_scene("outside/file", path);
  make_file(path, "outside");
  in_scene("root/etc/file", path);
  make_file(path, "inside");
  in_scene("bound", host);
  struct bind binds[] = {{.guest = "/point", .host = host, .flags = BIND_IS_DIRECTORY},
                         {.guest = "/a/b/far/away", .host = host, .flags = BIND_IS_DIRECTORY}};
  in_scene("root", path);
  guest_configure(path, binds, 2, 0);
}

static void check_inside(long descriptor) {
  char link[64], target[PATH_MAX], root[PATH_MAX], bound[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%ld", descriptor);
  ssize_t length = readlink(link, target, sizeof target - 1);
  if (length < 0)
    abort();
  target[length] = '\0';
  in_scene("root", root);
  in_scene("bound", bound);
  if (strncmp(target, root, strlen(root)) != 0 && strncmp(target, bound, strlen(bound)) != 0) {
    fprintf(stderr, "escaped to %s\n", target);
    abort();
  }
}

static void open_and_check(const char *path, long flags) {
  long descriptor = GUEST_4(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
  if (descriptor < 0)
    return;
  check_inside(descriptor);
  close((int)descriptor);
}

static void open_limited(const char *path, uint64_t resolve) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = resolve};
  long descriptor = GUEST_4(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
  if (descriptor < 0)
    return;
  check_inside(descriptor);
  close((int)descriptor);
}

static const char *const link_names[] = {"root/a/l", "root/a/b/m", "bound/n", "root/o"};
enum { LINK_COUNT = sizeof link_names / sizeof *link_names };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char text[1024], path[PATH_MAX];
  if (scene[0] == '\0')
    build();
  if (size >= sizeof text)
    return 0;
  memcpy(text, data, size);
  text[size] = '\0';
  const char *at = text;
  for (size_t i = 0; i < LINK_COUNT && at + strlen(at) < text + size; i++) {
    in_scene(link_names[i], path);
    unlink(path);
    if (symlink(at, path) == 0)
      at += strlen(at) + 1;
  }
  // The links were changed behind the engine's back, as by another guest that has said so.
  config.shared->generation++;
  in_scene("root/a", path);
  if (chdir(path) < 0)
    err(1, "%s", path);
  open_and_check(at, O_PATH);
  open_and_check(at, O_PATH | O_NOFOLLOW);
  open_and_check(at, O_RDONLY | O_NONBLOCK | O_DIRECTORY);
  open_limited(at, RESOLVE_IN_ROOT);
  open_limited(at, RESOLVE_NO_XDEV);
  struct stat status;
  if (GUEST_2(SYS_stat, at, &status) == 0)
    open_and_check(at, O_PATH);
  return 0;
}
