// mount(2) and its like on tables in shared memory, without a kernel that knows of them.
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "expect.h"
#include "guest-call.h"
#include "proc-mounts.h"
#include "scene.h"

static char scene[] = "/tmp/anyproc-mount-XXXXXX";

static const char *host(const char *name) {
  static char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", scene, name);
  return path;
}

// Fresh shared memory, in which everybody may mount.
static void start(void) {
  static char scratch[PATH_MAX];
  static struct shared *memory;
  guest_configure(host("root"), NULL, 0, 0);
  if (memory != NULL)
    munmap(memory, SHARED_SIZE);
  memory = mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    err(1, "mmap");
  static uint32_t generation;
  memory->generation = generation += 1000; // what the cache knows belongs to the test before
  memory->is_owned = 1;
  config.shared = memory;
  snprintf(scratch, sizeof scratch, "%s", host("scratch"));
  config.scratch = scratch;
}

static long guest_mount(const char *source, const char *target, const char *type, unsigned long flags,
                        const char *options) {
  return GUEST_5(SYS_mount, source, target, type, flags, options);
}

static bool exists(const char *guest_path) {
  return GUEST_2(SYS_access, guest_path, F_OK) == 0;
}

static void mounts_are_stacked(void) {
  start();
  EXPECT(guest_mount("/a", "/point", NULL, MS_BIND, NULL), 0);
  EXPECT(exists("/point/in-a"), true);
  EXPECT(guest_mount("/b", "/point", NULL, MS_BIND, NULL), 0);
  EXPECT(exists("/point/in-b"), true);
  EXPECT(exists("/point/in-a"), false);
  EXPECT(GUEST_2(SYS_umount2, "/point", 0), 0);
  EXPECT(exists("/point/in-a"), true);
  EXPECT(GUEST_2(SYS_umount2, "/point", 0), 0);
  EXPECT(exists("/point/in-a"), false);
  EXPECT(GUEST_2(SYS_umount2, "/point", 0), -EINVAL);
  EXPECT(GUEST_2(SYS_umount2, "/point", 1 << 20), -EINVAL);
}

static void the_cache_follows_mounts(void) {
  start();
  EXPECT(exists("/point/deep/none"), false);
  EXPECT(guest_mount("/a", "/point/deep", NULL, MS_BIND, NULL), 0);
  EXPECT(exists("/point/deep/in-a"), true);
  EXPECT(GUEST_2(SYS_umount2, "/point/deep", 0), 0);
  EXPECT(exists("/point/deep/in-a"), false);
}

static void a_mount_can_be_moved(void) {
  start();
  EXPECT(guest_mount("/a", "/point", NULL, MS_BIND, NULL), 0);
  EXPECT(guest_mount("/point", "/b", NULL, MS_MOVE, NULL), 0);
  EXPECT(exists("/b/in-a"), true);
  EXPECT(exists("/point/in-a"), false);
  EXPECT(guest_mount("/a", "/point", NULL, MS_MOVE, NULL), -EINVAL);
}

static void the_root_changes(void) {
  char path[PATH_MAX];
  start();
  EXPECT(guest_mount("tmpfs", "/point", "tmpfs", 0, "mode=0711"), 0);
  EXPECT(GUEST_2(SYS_mkdir, "/point/old", 0755), 0);
  EXPECT(GUEST_2(SYS_pivot_root, "/a", "/a"), -EINVAL);
  EXPECT(GUEST_2(SYS_pivot_root, "/point", "/b"), -EINVAL);
  EXPECT(GUEST_2(SYS_pivot_root, "/point", "/point/old"), 0);
  EXPECT(exists("/old/a/in-a"), true);
  EXPECT(exists("/a"), false);
  EXPECT(GUEST_1(SYS_chdir, "/old/a"), 0);
  EXPECT(GUEST_2(SYS_getcwd, path, sizeof path), sizeof "/old/a");
  EXPECT_TEXT(path, "/old/a");
  EXPECT(GUEST_1(SYS_chdir, "/../.."), 0);
  EXPECT(GUEST_2(SYS_getcwd, path, sizeof path), sizeof "/");
  EXPECT(GUEST_1(SYS_rmdir, "/old"), -EBUSY);
  EXPECT(GUEST_1(SYS_rmdir, "/"), -EBUSY);
  EXPECT(GUEST_2(SYS_umount2, "/", 0), -EINVAL);
  EXPECT(GUEST_2(SYS_umount2, "/old", 0), 0);
  EXPECT(exists("/old/a"), false);
  EXPECT(exists("/old"), true);
}

static const char *mounts_text(bool is_mountinfo) {
  static char text[8192];
  int file = (int)syscall(SYS_memfd_create, "mounts", 0);
  EXPECT(proc_mounts_write(file, is_mountinfo), 0);
  ssize_t size = pread(file, text, sizeof text - 1, 0);
  text[size < 0 ? 0 : size] = '\0';
  close(file);
  return text;
}

static void proc_tells_them(void) {
  start();
  EXPECT(proc_mounts_changed(), false);
  EXPECT(guest_mount("/a", "/with space", NULL, MS_BIND, NULL), 0);
  EXPECT(guest_mount(NULL, "/with space", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
  EXPECT(proc_mounts_changed(), true);
  EXPECT(strstr(mounts_text(true), " / /with\\040space ro,relatime - ") != NULL, true);
  EXPECT(strstr(mounts_text(true), " / / rw,relatime - ") != NULL, true);
  EXPECT(strstr(mounts_text(false), " /with\\040space ") != NULL, true);
}

static void the_memory_is_limited(void) {
  start();
  long result = 0;
  for (int i = 0; i < 100000 && result == 0; i++)
    result = guest_mount("/a", "/point", NULL, MS_BIND, NULL);
  EXPECT(result, -ENOSPC);
  EXPECT(exists("/point/in-a"), true);
  EXPECT(guest_mount("/a", "/point", NULL, MS_BIND, NULL), -ENOSPC);
}

int main(void) {
  static const char *const directories[] = {"root/a", "root/b", "root/point/deep", "root/with space"};
  if (mkdtemp(scene) == NULL)
    err(1, "%s", scene);
  for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
    make_path(host(directories[i]));
  make_file(host("root/a/in-a"), "a");
  make_file(host("root/b/in-b"), "b");
  mounts_are_stacked();
  the_cache_follows_mounts();
  a_mount_can_be_moved();
  the_root_changes();
  proc_tells_them();
  the_memory_is_limited();
  if (chdir("/") < 0)
    err(1, "/");
  remove_tree(scene);
  return expect_finish("mounts");
}
