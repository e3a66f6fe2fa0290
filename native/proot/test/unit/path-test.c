// Path rules over a real tree: one function a rule, named after it.
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <linux/fs.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "expect.h"
#include "guest-call.h"
#include "identity.h"
#include "owners.h"
#include "path.h"
#include "scene.h"
#include "syscall-numbers.h"

static char scene[PATH_MAX]; // holds root/ and host/

static const char *host(const char *name) {
  static char paths[8][PATH_MAX];
  static unsigned next;
  char *out = paths[next++ % 8];
  if (snprintf(out, PATH_MAX, "%s/%s", scene, name) >= PATH_MAX)
    errx(1, "the path of the scene is too long");
  return out;
}

static void link_to(const char *target, const char *name) {
  if (symlink(target, host(name)) < 0)
    err(1, "%s", name);
}

static void build(void) {
  snprintf(scene, sizeof scene, "/tmp/anyproc-path-XXXXXX");
  if (mkdtemp(scene) == NULL)
    err(1, "%s", scene);
  make_path(host("root/usr/bin"));
  make_path(host("root/etc"));
  make_path(host("root/point"));
  make_path(host("root/tmp"));
  make_path(host("host/data/inner"));
  make_path(host("host/locked"));
  make_path(host("host/other/bin"));
  make_file(host("root/usr/bin/tool"), "tool");
  make_file(host("host/other/bin/tool"), "other tool");
  make_file(host("root/etc/file"), "file");
  make_file(host("root/point/covered"), "covered");
  make_file(host("host/data/shown"), "shown");
  make_file(host("host/locked/file"), "locked");
  make_file(host("host/hosts"), "hosts");
  link_to("usr/bin", "root/bin");
  link_to("/etc/file", "root/absolute");
  link_to("../../../../../../etc/file", "root/usr/upwards");
  link_to("/point/shown", "root/into-bind");
  link_to("/usr/bin/tool", "host/data/absolute");
  link_to("nowhere", "root/dangling");
  link_to("loop", "root/loop");
}

// Host path, below the scene, of what the guest path leads to; the negative errno as text otherwise.
static const char *leads_to(const char *guest_path) {
  static char text[PATH_MAX];
  char link[64];
  long descriptor = GUEST_3(SYS_openat, AT_FDCWD, guest_path, O_PATH | O_CLOEXEC);
  if (descriptor < 0) {
    snprintf(text, sizeof text, "%s", strerrorname_np((int)-descriptor));
    return text;
  }
  snprintf(link, sizeof link, "/proc/self/fd/%ld", descriptor);
  ssize_t length = readlink(link, text, sizeof text - 1);
  close((int)descriptor);
  if (length < 0)
    err(1, "%s", link);
  text[length] = '\0';
  size_t skip = strlen(scene);
  return strncmp(text, scene, skip) == 0 ? text + skip : text;
}

static void use(const struct bind *binds, size_t count, uint32_t flags) {
  guest_configure(host("root"), binds, count, flags);
  if (chdir(host("root")) < 0)
    err(1, "chdir");
}

static void use_plain(void) {
  use(NULL, 0, 0);
}

static void use_binds(uint32_t flags) {
  const struct bind binds[] = {
      {.guest = "/point", .host = host("host/data"), .flags = BIND_IS_DIRECTORY},
      {.guest = "/point/inner", .host = host("host/other"), .flags = BIND_IS_DIRECTORY},
      {.guest = "/etc/hosts", .host = host("host/hosts")},
      {.guest = "/missing/way/here", .host = host("host/data"), .flags = BIND_IS_DIRECTORY},
      {.guest = "/locked", .host = host("host/locked"), .flags = BIND_IS_DIRECTORY | BIND_READ_ONLY},
      {.guest = "/proc", .host = "/proc", .flags = BIND_IS_DIRECTORY},
  };
  use(binds, sizeof binds / sizeof *binds, flags);
}

static void root_is_the_top(void) {
  use_plain();
  EXPECT_TEXT(leads_to("/"), "/root");
  EXPECT_TEXT(leads_to("//"), "/root");
  EXPECT_TEXT(leads_to("/.."), "/root");
  EXPECT_TEXT(leads_to("/../../etc"), "/root/etc");
  EXPECT_TEXT(leads_to(".."), "/root");
  EXPECT_TEXT(leads_to("../../etc/file"), "/root/etc/file");
  EXPECT_TEXT(leads_to(host("host")), "ENOENT");
}

static void symlinks_are_read_in_guest_terms(void) {
  use_plain();
  EXPECT_TEXT(leads_to("/absolute"), "/root/etc/file");
  EXPECT_TEXT(leads_to("absolute"), "/root/etc/file");
  EXPECT_TEXT(leads_to("/usr/upwards"), "/root/etc/file");
  EXPECT_TEXT(leads_to("/bin/tool"), "/root/usr/bin/tool");
  EXPECT_TEXT(leads_to("bin/../upwards"), "/root/etc/file");
  EXPECT_TEXT(leads_to("/dangling"), "ENOENT");
  EXPECT_TEXT(leads_to("/loop"), "ELOOP");
  EXPECT_TEXT(leads_to("/loop/x"), "ELOOP");
}

static void a_slash_in_a_symlink_asks_for_a_directory(void) {
  use_plain();
  EXPECT(GUEST_2(SYS_symlink, "slashed/", "/tmp/slashed"), 0);
  EXPECT(GUEST_2(SYS_symlink, "slashed", "/tmp/to-slashed"), 0);
  EXPECT(GUEST_3(SYS_open, "/tmp/slashed", O_WRONLY | O_CREAT, 0644), -EISDIR);
  EXPECT(GUEST_3(SYS_open, "/tmp/to-slashed", O_RDONLY | O_CREAT, 0644), -EISDIR);
  EXPECT(GUEST_3(SYS_open, "/tmp/slashed", O_WRONLY, 0), -ELOOP);
  EXPECT(GUEST_3(SYS_open, "/tmp/slashed", O_WRONLY | O_CREAT | O_NOFOLLOW, 0644), -ELOOP);
  EXPECT(GUEST_1(SYS_unlink, "/tmp/slashed"), 0);
  EXPECT(GUEST_1(SYS_unlink, "/tmp/to-slashed"), 0);
}

static void forty_symlinks_are_followed(void) {
  char name[32], target[32];
  use_plain();
  for (int i = 1; i <= 41; i++) {
    snprintf(target, sizeof target, i == 1 ? "/etc/file" : "chain-%d", i - 1);
    snprintf(name, sizeof name, "root/tmp/chain-%d", i);
    link_to(target, name);
  }
  EXPECT_TEXT(leads_to("/tmp/chain-40"), "/root/etc/file");
  EXPECT_TEXT(leads_to("/tmp/chain-41"), "ELOOP");
  struct stat status;
  EXPECT(GUEST_2(SYS_stat, "/tmp/chain-40", &status), 0);
  EXPECT(GUEST_2(SYS_stat, "/tmp/chain-41", &status), -ELOOP);
}

static void trailing_slashes_demand_a_directory(void) {
  use_plain();
  EXPECT_TEXT(leads_to("/etc/"), "/root/etc");
  EXPECT_TEXT(leads_to("/etc//"), "/root/etc");
  EXPECT_TEXT(leads_to("/bin/"), "/root/usr/bin");
  EXPECT_TEXT(leads_to("/etc/file/"), "ENOTDIR");
  EXPECT_TEXT(leads_to("/etc/file/."), "ENOTDIR");
  EXPECT_TEXT(leads_to("/etc/file/.."), "ENOTDIR");
  EXPECT_TEXT(leads_to("/absolute/"), "ENOTDIR");
  EXPECT(GUEST_3(SYS_openat, AT_FDCWD, "/etc/new/", O_CREAT | O_WRONLY), -EISDIR);
  EXPECT(GUEST_3(SYS_mkdirat, AT_FDCWD, "/tmp/made/", 0755), 0);
  EXPECT(GUEST_3(SYS_unlinkat, AT_FDCWD, "/tmp/made/", AT_REMOVEDIR), 0);
  struct stat status;
  EXPECT(GUEST_2(SYS_lstat, "/bin/", &status), 0);
  EXPECT(S_ISDIR(status.st_mode), true);
}

static void bad_paths_have_their_errors(void) {
  char longest[PATH_MAX + 1], name[300];
  use_plain();
  memset(longest, '/', sizeof longest - 1);
  longest[PATH_MAX] = '\0';
  EXPECT_TEXT(leads_to(longest), "ENAMETOOLONG");
  longest[PATH_MAX - 1] = '\0';
  EXPECT_TEXT(leads_to(longest), "/root");
  memset(name, 'n', sizeof name - 1);
  name[299] = '\0';
  EXPECT_TEXT(leads_to(name), "ENAMETOOLONG");
  EXPECT_TEXT(leads_to(""), "ENOENT");
  EXPECT_TEXT(leads_to((const char *)8), "EFAULT");
  EXPECT(GUEST_3(SYS_openat, 999, "name", O_RDONLY), -EBADF);
  EXPECT(GUEST_3(SYS_openat, 999, "a/b", O_RDONLY), -EBADF);
  EXPECT(GUEST_3(SYS_openat, 999, "/etc/file", O_PATH) >= 0, true);
}

static void a_path_may_end_at_the_end_of_memory(void) {
  long page = sysconf(_SC_PAGESIZE);
  char *map = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  use_plain();
  munmap(map + page, (size_t)page);
  char *path = map + page - sizeof "/etc/file";
  memcpy(path, "/etc/file", sizeof "/etc/file");
  EXPECT_TEXT(leads_to(path), "/root/etc/file");
  map[page - 1] = 'x';
  EXPECT_TEXT(leads_to(path), "EFAULT");
  munmap(map, (size_t)page);
}

static void hidden_descriptors_are_not_there(void) {
  struct stat status;
  char path[64];
  use_binds(0);
  EXPECT(GUEST_3(SYS_openat, TEST_DESCRIPTOR_BASE, "etc", O_PATH), -EBADF);
  EXPECT(GUEST_4(SYS_newfstatat, TEST_DESCRIPTOR_BASE, "", &status, AT_EMPTY_PATH), -EBADF);
  EXPECT(GUEST_1(SYS_fchdir, TEST_DESCRIPTOR_BASE), -EBADF);
  snprintf(path, sizeof path, "/proc/self/fd/%d", TEST_DESCRIPTOR_BASE);
  EXPECT(GUEST_2(SYS_lstat, path, &status), -ENOENT);
  EXPECT_TEXT(leads_to(path), "ENOENT");
}

static void binds_are_seen(uint32_t flags) {
  use_binds(flags);
  EXPECT_TEXT(leads_to("/point"), "/host/data");
  EXPECT_TEXT(leads_to("/point/shown"), "/host/data/shown");
  EXPECT_TEXT(leads_to("/point/covered"), "ENOENT");
  EXPECT_TEXT(leads_to("point/shown"), "/host/data/shown");
  EXPECT_TEXT(leads_to("tmp/../point/./shown"), "/host/data/shown");
  EXPECT_TEXT(leads_to("/into-bind"), "/host/data/shown");
  EXPECT_TEXT(leads_to("/point/absolute"), "/root/usr/bin/tool");
  EXPECT_TEXT(leads_to("/point/inner"), "/host/other");
  EXPECT_TEXT(leads_to("/point/inner/bin/tool"), "/host/other/bin/tool");
  EXPECT_TEXT(leads_to("/point/inner/.."), "/host/data");
  EXPECT_TEXT(leads_to("/point/.."), "/root");
  EXPECT_TEXT(leads_to("/etc/hosts"), "/host/hosts");
  EXPECT_TEXT(leads_to("/etc/hosts/"), "ENOTDIR");
  EXPECT_TEXT(leads_to("/missing/way/here/shown"), "/host/data/shown");
  EXPECT_TEXT(leads_to("/missing/way/here/../here"), "/host/data");
  EXPECT_TEXT(leads_to("/missing/way"), "ENOENT");
}

static void mount_points_stay(void) {
  use_binds(0);
  EXPECT(GUEST_1(SYS_rmdir, "/point"), -EBUSY);
  EXPECT(GUEST_1(SYS_unlink, "/etc/hosts"), -EBUSY);
  EXPECT(GUEST_1(SYS_unlink, "/point"), -EISDIR);
  EXPECT(GUEST_2(SYS_rename, "/point", "/elsewhere"), -EBUSY);
  EXPECT(GUEST_2(SYS_rename, "/etc", "/elsewhere"), -EBUSY);
  EXPECT(GUEST_1(SYS_rmdir, "/"), -EBUSY);
  EXPECT(GUEST_2(SYS_rename, "/etc/file", "/point/file"), -EXDEV);
  EXPECT(GUEST_2(SYS_link, "/etc/file", "/point/file"), -EXDEV);
  EXPECT(GUEST_2(SYS_mkdir, "/point", 0755), -EEXIST);
}

static void read_only_binds_refuse_changes(void) {
  struct timespec now[2] = {{0}};
  use_binds(0);
  EXPECT(GUEST_3(SYS_open, "/locked/file", O_RDWR, 0), -EROFS);
  EXPECT(GUEST_3(SYS_open, "/locked/file", O_RDONLY | O_TRUNC, 0), -EROFS);
  EXPECT(GUEST_3(SYS_open, "/locked/new", O_WRONLY | O_CREAT, 0644), -EROFS);
  EXPECT(GUEST_2(SYS_mkdir, "/locked/new", 0755), -EROFS);
  EXPECT(GUEST_2(SYS_symlink, "x", "/locked/new"), -EROFS);
  EXPECT(GUEST_1(SYS_unlink, "/locked/file"), -EROFS);
  EXPECT(GUEST_2(SYS_rename, "/locked/file", "/locked/other"), -EROFS);
  EXPECT(GUEST_2(SYS_link, "/locked/file", "/locked/other"), -EROFS);
  EXPECT(GUEST_2(SYS_chmod, "/locked/file", 0600), -EROFS);
  EXPECT(GUEST_3(SYS_chown, "/locked/file", -1, -1), -EROFS);
  EXPECT(GUEST_2(SYS_truncate, "/locked/file", 0), -EROFS);
  EXPECT(GUEST_4(SYS_utimensat, AT_FDCWD, "/locked/file", now, 0), -EROFS);
  EXPECT(GUEST_5(SYS_setxattr, "/locked/file", "user.x", "y", 1, 0), -EROFS);
  EXPECT(GUEST_2(SYS_access, "/locked/file", W_OK), -EROFS);
  EXPECT(GUEST_2(SYS_access, "/locked/file", R_OK), 0);
  EXPECT(GUEST_2(SYS_mkdir, "/locked/file", 0755), -EEXIST);
  EXPECT(GUEST_1(SYS_chdir, "/locked"), 0);
  EXPECT(GUEST_2(SYS_chmod, "file", 0600), -EROFS);
  long opened = GUEST_3(SYS_open, "file", O_RDONLY | O_CREAT, 0644);
  EXPECT(opened >= 0, true);
  close((int)opened);
}

static void read_only_binds_refuse_changes_by_descriptor(void) {
  struct timespec now[2] = {{0}};
  int flags = 0;
  use_binds(0);
  int locked = (int)GUEST_3(SYS_open, "/locked/file", O_RDONLY, 0);
  int open_one = (int)GUEST_3(SYS_open, "/etc/file", O_RDONLY, 0);
  int path_only = (int)GUEST_3(SYS_open, "/locked/file", O_PATH, 0);
  EXPECT(GUEST_2(SYS_fchmod, locked, 0600), -EROFS);
  EXPECT(GUEST_3(SYS_fchown, locked, -1, -1), -EROFS);
  EXPECT(GUEST_5(SYS_fsetxattr, locked, "user.x", "y", 1, 0), -EROFS);
  EXPECT(GUEST_2(SYS_fremovexattr, locked, "user.x"), -EROFS);
  EXPECT(GUEST_3(SYS_ioctl, locked, FS_IOC_SETFLAGS, &flags), -EROFS);
  EXPECT(GUEST_4(SYS_utimensat, locked, NULL, now, 0), -EROFS);
  EXPECT(GUEST_2(SYS_fchmod, path_only, 0600), -EBADF);
  EXPECT(GUEST_2(SYS_fchmod, 500, 0600), -EBADF);
  EXPECT(GUEST_2(SYS_fchmod, open_one, 0644), 0);
  EXPECT(GUEST_3(SYS_fchown, open_one, -1, -1), 0);
  close(locked);
  close(open_one);
  close(path_only);
}

static void working_directory_is_a_guest_path(void) {
  char path[PATH_MAX];
  use_binds(0);
  EXPECT(GUEST_1(SYS_chdir, "/bin"), 0);
  EXPECT(GUEST_2(SYS_getcwd, path, sizeof path), sizeof "/usr/bin");
  EXPECT_TEXT(path, "/usr/bin");
  EXPECT(GUEST_2(SYS_getcwd, path, sizeof "/usr/bin"), sizeof "/usr/bin");
  EXPECT(GUEST_2(SYS_getcwd, path, sizeof "/usr/bin" - 1), -ERANGE);
  EXPECT(GUEST_1(SYS_chdir, "/point/inner/bin"), 0);
  EXPECT(GUEST_1(SYS_chdir, "/point"), 0);
  EXPECT(GUEST_2(SYS_getcwd, path, sizeof path), sizeof "/point");
  EXPECT_TEXT(path, "/point");
  EXPECT(GUEST_1(SYS_chdir, ".."), 0);
  EXPECT(GUEST_2(SYS_getcwd, path, sizeof path), sizeof "/");
  EXPECT(GUEST_1(SYS_chdir, "/etc/file"), -ENOTDIR);
}

static void relative_paths_mean_the_same(uint32_t flags) {
  use_binds(flags);
  for (int i = 0; i < 3; i++) { // the directories are known from the second time on
    EXPECT(GUEST_1(SYS_chdir, "/usr"), 0);
    EXPECT_TEXT(leads_to("./bin/tool"), "/root/usr/bin/tool");
    EXPECT_TEXT(leads_to("../bin/tool"), "/root/usr/bin/tool");
    EXPECT_TEXT(leads_to("..//usr//bin/tool"), "/root/usr/bin/tool");
    EXPECT_TEXT(leads_to("../point/inner/bin/tool"), "/host/other/bin/tool");
    EXPECT_TEXT(leads_to("../absolute"), "/root/etc/file");
    EXPECT(GUEST_2(SYS_rename, "../etc", "../elsewhere"), -EBUSY);
    EXPECT(GUEST_2(SYS_rename, "../etc/file", "../point/file"), -EXDEV);
    EXPECT(GUEST_1(SYS_unlink, "../etc/hosts"), -EBUSY);
    EXPECT(GUEST_2(SYS_chmod, "../locked/file", 0600), -EROFS);
    EXPECT(GUEST_2(SYS_mkdir, "../usr/bin", 0755), -EEXIST);
    EXPECT(GUEST_1(SYS_rmdir, "../usr"), -ENOTEMPTY);
    EXPECT(GUEST_1(SYS_chdir, "/usr/bin"), 0);
    EXPECT(GUEST_2(SYS_rename, "../../etc", "../../elsewhere"), -EBUSY);
    EXPECT(GUEST_1(SYS_chdir, "/point"), 0);
    EXPECT_TEXT(leads_to("../usr/bin/tool"), "/root/usr/bin/tool");
    EXPECT_TEXT(leads_to("inner/bin/tool"), "/host/other/bin/tool");
    EXPECT(GUEST_1(SYS_chdir, "/"), 0);
    EXPECT_TEXT(leads_to("../usr/bin/tool"), "/root/usr/bin/tool");
  }
}

static void a_removed_directory_has_no_path(void) {
  char path[PATH_MAX];
  use_plain();
  EXPECT(GUEST_2(SYS_mkdir, "/tmp/gone", 0755), 0);
  EXPECT(GUEST_1(SYS_chdir, "/tmp/gone"), 0);
  EXPECT(GUEST_1(SYS_rmdir, "/tmp/gone"), 0);
  EXPECT(GUEST_2(SYS_getcwd, path, sizeof path), -ENOENT);
  EXPECT_TEXT(leads_to("x"), "ENOENT");
  EXPECT_TEXT(leads_to("a/b"), "ENOENT");
  EXPECT_TEXT(leads_to("../chain-1"), "/root/etc/file");
}

static void a_directory_outside_is_unreachable(void) {
  char path[PATH_MAX];
  use_plain();
  if (chdir(host("host")) < 0)
    err(1, "chdir");
  EXPECT(GUEST_2(SYS_getcwd, path, sizeof path) > 0, true);
  EXPECT(strncmp(path, "(unreachable)/", 14), 0);
  EXPECT_TEXT(leads_to("data/shown"), "/host/data/shown");
  EXPECT_TEXT(leads_to(".."), "ENOENT");
  EXPECT_TEXT(leads_to("../host"), "ENOENT");
}

static const char *link_text(const char *guest_path) {
  static char text[PATH_MAX];
  long length = GUEST_3(SYS_readlink, guest_path, text, sizeof text - 1);
  if (length < 0)
    return strerrorname_np((int)-length);
  text[length] = '\0';
  return text;
}

static void proc_tells_guest_paths(void) {
  char path[64];
  use_binds(0);
  path_own_executable = "/usr/bin/tool";
  EXPECT_TEXT(link_text("/proc/self/exe"), "/usr/bin/tool");
  EXPECT_TEXT(link_text("/proc/thread-self/exe"), "/usr/bin/tool");
  snprintf(path, sizeof path, "/proc/%d/exe", getpid());
  EXPECT_TEXT(link_text(path), "/usr/bin/tool");
  EXPECT_TEXT(leads_to("/proc/self/exe"), "/root/usr/bin/tool");
  snprintf(path, sizeof path, "/proc/self/task/%d/exe", getpid());
  EXPECT_TEXT(leads_to(path), "/root/usr/bin/tool");
  EXPECT_TEXT(link_text("/proc/self/root"), "/");
  EXPECT_TEXT(leads_to("/proc/self/root"), "/root");
  EXPECT_TEXT(leads_to("/proc/self/root/etc/file"), "/root/etc/file");
  EXPECT(GUEST_1(SYS_chdir, "/point"), 0);
  EXPECT_TEXT(link_text("/proc/self/cwd"), "/point");
  EXPECT_TEXT(leads_to("/proc/self/cwd/shown"), "/host/data/shown");
  EXPECT_TEXT(leads_to("/proc/self/cwd/.."), "/root");
  int file = open(host("root/etc/file"), O_RDONLY | O_CLOEXEC);
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  EXPECT_TEXT(link_text(path), "/etc/file");
  EXPECT_TEXT(leads_to(path), "/root/etc/file");
  close(file);
  int ends[2];
  if (pipe(ends) < 0)
    err(1, "pipe");
  snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
  EXPECT(strncmp(link_text(path), "pipe:[", 6), 0);
  long again = GUEST_3(SYS_open, path, O_WRONLY, 0);
  EXPECT(write((int)again, "x", 1), 1);
  close((int)again);
  strcat(path, "/x");
  EXPECT_TEXT(leads_to(path), "ENOTDIR");
  close(ends[0]);
  close(ends[1]);
}

static bool file_contains(const char *guest_path, const char *text) {
  static char content[1 << 20];
  long file = GUEST_3(SYS_open, guest_path, O_RDONLY | O_CLOEXEC, 0), size = 0, part;
  if (file < 0)
    errx(1, "%s: %s", guest_path, strerror((int)-file));
  while ((part = read((int)file, content + size, sizeof content - 1 - (size_t)size)) > 0)
    size += part;
  content[size] = '\0';
  close((int)file);
  return strstr(content, text) != NULL;
}

static void proc_files_tell_guest_paths(void) {
  use_binds(CONFIG_FAKE_IDS);
  config.guest_uid = 4321;
  identity_start();
  int file = open(host("root/etc/file"), O_RDONLY | O_CLOEXEC);
  void *map = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, file, 0);
  EXPECT(file_contains("/proc/self/maps", " /etc/file\n"), true);
  EXPECT(file_contains("/proc/self/maps", scene), false);
  EXPECT(file_contains("/proc/thread-self/status", "Uid:\t4321\t4321\t"), true);
  EXPECT(file_contains("/proc/mounts", " / "), true);
  EXPECT(file_contains("/proc/mounts", " /proc proc "), true);
  EXPECT(GUEST_1(SYS_chdir, "/proc/self"), 0);
  EXPECT(file_contains("maps", " /etc/file\n"), true);
  munmap(map, 1);
  close(file);
}

// `tmp` says how the path to "/tmp" is written.
static void the_cache_follows_changes(const char *tmp) {
  char in_directory[PATH_MAX], tool[PATH_MAX], moved[PATH_MAX];
  snprintf(in_directory, sizeof in_directory, "%s/dir/file", tmp);
  snprintf(tool, sizeof tool, "%s/dir/tool", tmp);
  snprintf(moved, sizeof moved, "%s/moved/tool", tmp);
  use_plain();
  EXPECT(GUEST_1(SYS_chdir, "/usr"), 0);
  EXPECT(GUEST_2(SYS_mkdir, "/tmp/dir", 0755), 0);
  EXPECT(GUEST_2(SYS_link, "/etc/file", "/tmp/dir/file"), 0);
  EXPECT_TEXT(leads_to(in_directory), "/root/tmp/dir/file");
  EXPECT_TEXT(leads_to(in_directory), "/root/tmp/dir/file");
  EXPECT(GUEST_2(SYS_rename, "/tmp/dir", "/tmp/moved"), 0);
  EXPECT(GUEST_2(SYS_symlink, "/etc", "/tmp/dir"), 0);
  EXPECT_TEXT(leads_to(in_directory), "/root/etc/file");
  EXPECT(GUEST_1(SYS_unlink, "/tmp/dir"), 0);
  EXPECT(GUEST_2(SYS_symlink, "/usr/bin", "/tmp/dir"), 0);
  EXPECT_TEXT(leads_to(tool), "/root/usr/bin/tool");
  EXPECT(GUEST_2(SYS_rename, "/tmp/moved", "/tmp/taken"), 0);
  EXPECT(GUEST_2(SYS_rename, "/tmp/dir", "/tmp/moved"), 0);
  EXPECT_TEXT(leads_to(moved), "/root/usr/bin/tool");
  EXPECT_TEXT(leads_to(tool), "ENOENT");
  EXPECT(GUEST_1(SYS_unlink, "/tmp/moved"), 0);
  EXPECT(GUEST_1(SYS_unlink, "/tmp/taken/file"), 0);
  EXPECT(GUEST_1(SYS_rmdir, "/tmp/taken"), 0);
}

static void the_host_uid_is_shown_as_the_guest_s(void) {
  struct stat status;
  struct statx extended;
  use(NULL, 0, CONFIG_FAKE_IDS);
  config.guest_uid = 4321;
  config.guest_gid = 1234;
  EXPECT(GUEST_2(SYS_stat, "/etc/file", &status), 0);
  EXPECT(status.st_uid, 4321);
  EXPECT(status.st_gid, 1234);
  EXPECT(GUEST_5(SYS_statx, AT_FDCWD, "/etc/file", 0, STATX_BASIC_STATS, &extended), 0);
  EXPECT(extended.stx_uid, 4321);
  EXPECT(GUEST_3(SYS_chown, "/etc/none", 55, 55), -ENOENT);
}

static uid_t owner_of(const char *guest_path) {
  struct stat status = {.st_uid = 99};
  EXPECT(GUEST_2(SYS_stat, guest_path, &status), 0);
  return status.st_uid;
}

static const char *attribute_of(const char *host_path) {
  static char value[64];
  ssize_t length = lgetxattr(host_path, OWNERS_ATTRIBUTE, value, sizeof value - 1);
  value[length < 0 ? 0 : length] = '\0';
  return length < 0 ? strerrorname_np(errno) : value;
}

static void an_owner_is_remembered_in_the_rootfs_alone(void) {
  use_binds(CONFIG_FAKE_IDS);
  if (setxattr(host("root/usr"), "user.test", "", 0, 0) < 0) {
    fprintf(stderr, "owners: not tested, since %s has no attributes of users: %s\n", scene, strerror(errno));
    return;
  }
  EXPECT(GUEST_3(SYS_chown, "/etc/file", 0, 0), 0);
  EXPECT_TEXT(attribute_of(host("root/etc/file")), "ENODATA");
  EXPECT_TEXT(attribute_of(host("root")), "ENODATA");
  EXPECT(GUEST_3(SYS_chown, "/etc/file", 55, 66), 0);
  EXPECT_TEXT(attribute_of(host("root/etc/file")), "55:66");
  EXPECT_TEXT(attribute_of(host("root")), "0:0");
  EXPECT(owner_of("/etc/file"), 55);
  EXPECT(GUEST_3(SYS_chown, "/point/shown", 55, 66), 0);
  EXPECT_TEXT(attribute_of(host("host/data/shown")), "ENODATA");
  EXPECT(owner_of("/point/shown"), 0);
  EXPECT(GUEST_3(SYS_chown, "/locked/file", 55, 66), -EROFS);
}

static void another_run_shows_the_owner(void) {
  use_plain();
  owners_start();
  EXPECT(owner_of("/etc/file"), getuid()); // nobody pretends to be somebody else
  use(NULL, 0, CONFIG_FAKE_IDS);
  owners_start();
  EXPECT(owner_of("/etc/file"), 55);
  EXPECT(owner_of("/usr/bin/tool"), 0);
}

static void an_attribute_that_is_no_owner_is_nobody_s(void) {
  static const char *const values[] = {"", ":", "55", "55:", ":66", "55:66 ", "55:66:", "-1:0", "4294967295:0",
                                       "99999999999999999999:0", "0x1:0"};
  use(NULL, 0, CONFIG_FAKE_IDS);
  owners_start();
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    EXPECT(setxattr(host("root/etc/file"), OWNERS_ATTRIBUTE, values[i], strlen(values[i]), 0), 0);
    EXPECT(owner_of("/etc/file"), 0);
  }
  EXPECT(removexattr(host("root/etc/file"), OWNERS_ATTRIBUTE), 0);
  EXPECT(removexattr(host("root"), OWNERS_ATTRIBUTE), 0);
}

static void owners(void) {
  an_owner_is_remembered_in_the_rootfs_alone();
  if (config.shared->has_owners == 0)
    return;
  another_run_shows_the_owner();
  an_attribute_that_is_no_owner_is_nobody_s();
}

// Linux before 6.13 has no getxattrat(2).
static void owners_on_an_older_kernel(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getxattrat, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {sizeof code / sizeof *code, code};
  pid_t child = fork();
  if (child == 0) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
      err(1, "seccomp");
    owners();
    exit(expect_finish("owners on an older kernel"));
  }
  int status;
  EXPECT(waitpid(child, &status, 0), child);
  EXPECT(status, 0);
}

static void socket_names_may_grow_too_long(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  char deep[PATH_MAX];
  use_plain();
  memset(name.sun_path, 's', sizeof name.sun_path - 1);
  memcpy(name.sun_path, "/tmp/", 5);
  name.sun_path[90] = '\0';
  int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT(GUEST_3(SYS_bind, server, &name, sizeof name), 0);
  EXPECT(listen(server, 1), 0);
  EXPECT(GUEST_3(SYS_connect, client, &name, sizeof name), 0);
  EXPECT(GUEST_3(SYS_bind, client, &name, sizeof name), -EADDRINUSE);
  snprintf(deep, sizeof deep, "root%.90s", name.sun_path);
  struct stat status;
  EXPECT(stat(host(deep), &status), 0);
  close(server);
  close(client);
}

static void socket_names_are_told_as_given(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/tmp/socket"}, told;
  const socklen_t size = offsetof(struct sockaddr_un, sun_path) + sizeof "/tmp/socket";
  socklen_t told_size = sizeof told;
  use_plain();
  int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  EXPECT(GUEST_3(SYS_bind, server, &name, sizeof name), 0);
  EXPECT(GUEST_3(SYS_getsockname, server, &told, &told_size), 0);
  EXPECT_TEXT(told.sun_path, "/tmp/socket");
  EXPECT(told_size, size);
  EXPECT(guest_call(SYS_sendto, client, (long)"x", 1, 0, (long)&name, sizeof name), 1);
  EXPECT(GUEST_3(SYS_connect, client, &name, sizeof name), 0);
  told_size = sizeof told;
  EXPECT(GUEST_3(SYS_getpeername, client, &told, &told_size), 0);
  EXPECT_TEXT(told.sun_path, "/tmp/socket");
  char small[6];
  told_size = sizeof small;
  EXPECT(GUEST_3(SYS_getsockname, server, small, &told_size), 0);
  EXPECT(told_size, size);
  EXPECT(memcmp(small + 2, "/tmp", 4), 0);
  close(server);
  close(client);
}

static void openat2_flags_hold_in_guest_terms(void) {
  static const struct {
    const char *path;
    uint64_t resolve;
    long expected;
  } table[] = {
      {"/bin/tool", RESOLVE_NO_SYMLINKS, -ELOOP},    {"/usr/bin/tool", RESOLVE_NO_SYMLINKS, 0},
      {"/etc/file", RESOLVE_BENEATH, -EXDEV},        {"etc/file", RESOLVE_BENEATH, 0},
      {"absolute", RESOLVE_BENEATH, -EXDEV},         {"absolute", RESOLVE_IN_ROOT, 0},
      {"../etc/file", RESOLVE_BENEATH, -EXDEV},      {"../etc/file", RESOLVE_IN_ROOT, 0},
      {"/point/shown", RESOLVE_NO_XDEV, -EXDEV},     {"into-bind", RESOLVE_IN_ROOT, 0},
      {"/proc/self/cwd", RESOLVE_NO_MAGICLINKS, -ELOOP}, {"/etc/file", RESOLVE_NO_XDEV, 0},
      {"/etc/file", 1u << 30, -EINVAL},
  };
  use_binds(0);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = table[i].resolve};
    long result = GUEST_4(SYS_openat2, AT_FDCWD, table[i].path, &how, sizeof how);
    if (result >= 0)
      close((int)result);
    expect_number(__FILE__, __LINE__, table[i].path, result < 0 ? result : 0, table[i].expected);
  }
}

static void host_paths_come_back_as_guest_paths(void) {
  static const struct {
    const char *host, *guest;
  } table[] = {
      {"root", "/"},
      {"root/etc", "/etc"},
      {"host/data/x", "/point/x"},
      {"root/usr/bin", "/usr/bin"},
      {"host/other/bin", "/point/inner/bin"},
      {"host/hosts", "/etc/hosts"},
      {"root/point/covered", NULL},
      {"host/elsewhere", NULL},
      {"rootless", NULL},
  };
  use_binds(0);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", host(table[i].host));
    long length = path_to_guest(path, strlen(path), sizeof path);
    if (table[i].guest == NULL) {
      EXPECT(length, -ENOENT);
      EXPECT_TEXT(path, host(table[i].host));
    } else {
      EXPECT(length, strlen(table[i].guest));
      EXPECT_TEXT(path, table[i].guest);
    }
  }
}

int main(void) {
  build();
  root_is_the_top();
  symlinks_are_read_in_guest_terms();
  a_slash_in_a_symlink_asks_for_a_directory();
  forty_symlinks_are_followed();
  trailing_slashes_demand_a_directory();
  bad_paths_have_their_errors();
  a_path_may_end_at_the_end_of_memory();
  hidden_descriptors_are_not_there();
  binds_are_seen(0);
  binds_are_seen(CONFIG_NO_CACHE);
  mount_points_stay();
  read_only_binds_refuse_changes();
  read_only_binds_refuse_changes_by_descriptor();
  working_directory_is_a_guest_path();
  relative_paths_mean_the_same(0);
  relative_paths_mean_the_same(CONFIG_NO_CACHE);
  a_removed_directory_has_no_path();
  a_directory_outside_is_unreachable();
  proc_tells_guest_paths();
  proc_files_tell_guest_paths();
  the_cache_follows_changes("/tmp");
  the_cache_follows_changes("../tmp");
  the_host_uid_is_shown_as_the_guest_s();
  owners_on_an_older_kernel();
  owners();
  socket_names_may_grow_too_long();
  socket_names_are_told_as_given();
  openat2_flags_hold_in_guest_terms();
  host_paths_come_back_as_guest_paths();
  if (chdir("/") < 0)
    err(1, "/");
  remove_tree(scene);
  return expect_finish("path");
}
