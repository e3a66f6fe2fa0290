// A mount namespace of its own: what is mounted there is seen by threads, children and programs, and by nobody else.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "children.h"

static char base[] = "/tmp/anyproc-mounts-XXXXXX";

// Where the privilege is missing the namespace comes with a user namespace. Natively nobody could make files in that
// one before its ids are mapped.
static bool enter_namespace(void) {
  bool is_inside = getenv("ANYPROC_TEST_INSIDE") != NULL;
  return unshare(CLONE_NEWNS) == 0 || (is_inside && unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
}

static void in_namespace(void (*test)(void)) {
  pid_t child = fork();
  if (child == 0) {
    CHECK(chdir(base) == 0 && enter_namespace());
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    test();
    exit(0);
  }
  expect_success(child);
}

static void make_file(const char *path) {
  int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  CHECK(file >= 0 && write(file, path, 1) == 1 && close(file) == 0);
}

static bool exists(const char *path) {
  return access(path, F_OK) == 0;
}

static void expect_in_mountinfo(const char *directory, const char *options, bool is_there) {
  char line[4096], wanted[4096];
  bool found = false;
  FILE *file = fopen("/proc/self/mountinfo", "re");
  CHECK(file != NULL);
  snprintf(wanted, sizeof wanted, " %s %s", directory, options);
  while (fgets(line, sizeof line, file) != NULL)
    found |= strstr(line, wanted) != NULL;
  fclose(file);
  CHECK(found == is_there);
}

static void binds_come_and_go(void) {
  CHECK(mount("source", "target", NULL, MS_BIND, NULL) == 0);
  CHECK(exists("target/file") && !exists("target/covered"));
  CHECK_ERRNO(rename("target/file", "moved"), EXDEV);
  CHECK_ERRNO(rmdir("target"), EBUSY);
  CHECK_ERRNO(rename("target", "moved"), EBUSY);
  make_file("target/new");
  CHECK(exists("source/new") && unlink("source/new") == 0);
  CHECK(umount("target") == 0 && !exists("target/file") && exists("target/covered"));
  CHECK_ERRNO(umount("target"), EINVAL);
  CHECK_ERRNO(mount("missing", "target", NULL, MS_BIND, NULL), ENOENT);
  CHECK_ERRNO(mount("source/file", "target", NULL, MS_BIND, NULL), ENOTDIR);
  CHECK_ERRNO(mount("none", "target", "anyproc-unknown", 0, NULL), ENODEV);
}

static void files_can_be_bound(void) {
  CHECK(mount("source/file", "target/covered", NULL, MS_BIND, NULL) == 0);
  struct stat bound, original;
  CHECK(stat("target/covered", &bound) == 0 && stat("source/file", &original) == 0);
  CHECK(bound.st_ino == original.st_ino && umount("target/covered") == 0);
  CHECK(stat("target/covered", &bound) == 0 && bound.st_ino != original.st_ino);
}

static void binds_can_be_read_only(void) {
  char path[64];
  snprintf(path, sizeof path, "%s/target", base);
  CHECK(mount("source", "target", NULL, MS_BIND, NULL) == 0);
  CHECK(mount(NULL, "target", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
  CHECK_ERRNO(open("target/new", O_WRONLY | O_CREAT, 0644), EROFS);
  int file = open("target/file", O_RDONLY | O_CLOEXEC);
  CHECK_ERRNO(fchmod(file, 0600), EROFS);
  close(file);
  expect_in_mountinfo(path, "ro", true);
  CHECK(mount(NULL, "target", NULL, MS_REMOUNT | MS_BIND, NULL) == 0);
  make_file("target/new");
  CHECK(unlink("target/new") == 0);
  expect_in_mountinfo(path, "rw", true);
  CHECK_ERRNO(mount(NULL, "source", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EINVAL);
}

static void mounts_below_follow_when_asked(void) {
  CHECK(mount("none", "source/inner", "tmpfs", 0, NULL) == 0);
  make_file("source/inner/deep");
  CHECK(mount("source", "target", NULL, MS_BIND, NULL) == 0 && !exists("target/inner/deep"));
  CHECK(umount("target") == 0);
  CHECK(mount("source", "target", NULL, MS_BIND | MS_REC, NULL) == 0 && exists("target/inner/deep"));
  CHECK_ERRNO(umount("target"), EBUSY);
  CHECK(umount2("target", MNT_DETACH) == 0 && !exists("target/inner/deep") && exists("source/inner/deep"));
}

static void mounts_hide_what_is_below(void) {
  struct stat status;
  CHECK(mount("target", "source/inner", NULL, MS_BIND, NULL) == 0 && exists("source/inner/covered"));
  CHECK(mount("none", "source", "tmpfs", 0, "size=1m,mode=0750") == 0);
  CHECK(!exists("source/inner") && stat("source", &status) == 0 && (status.st_mode & 07777) == 0750);
  CHECK(mkdir("source/inner", 0755) == 0 && !exists("source/inner/covered"));
  CHECK(umount("source") == 0 && exists("source/inner/covered"));
}

static void *sees_mount(void *unused) {
  (void)unused;
  return exists("target/file") ? NULL : base;
}

static char program[4096];

static void execute(const char *what) {
  char *arguments[] = {program, (char *)what, NULL};
  execv(program, arguments);
  _exit(99);
}

static void everybody_inside_sees_them(void) {
  pthread_t thread;
  void *failure;
  CHECK(mount("source", "target", NULL, MS_BIND, NULL) == 0);
  CHECK(pthread_create(&thread, NULL, sees_mount, NULL) == 0 && pthread_join(thread, &failure) == 0 && failure == NULL);
  pid_t child = vfork();
  if (child == 0)
    execute("target/file");
  expect_success(child);
  child = fork();
  if (child == 0) { // a mount by a child is seen by its parent
    CHECK(mount("target", "source/inner", NULL, MS_BIND, NULL) == 0);
    _exit(0);
  }
  expect_success(child);
  CHECK(exists("source/inner/file"));
  child = fork();
  if (child == 0) { // but not from a namespace of its own
    CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(umount("source/inner") == 0 && !exists("source/inner/file"));
    _exit(0);
  }
  expect_success(child);
  CHECK(exists("source/inner/file"));
}

static void cloned_children_get_namespaces(void) {
  pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWNS, NULL, NULL, NULL, NULL);
  if (child == 0) {
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mount("source", "target", NULL, MS_BIND, NULL) == 0 && exists("target/file"));
    execute("target/file");
  }
  expect_success(child);
  CHECK(!exists("target/file"));
}

static void root_can_be_changed(void) {
  char path[4096], text[64];
  CHECK(symlink("/inner/name", "source/link") == 0);
  CHECK(mount("none", "source/inner", "tmpfs", 0, NULL) == 0);
  make_file("source/inner/name");
  CHECK(chroot("source") == 0 && chdir("/") == 0);
  CHECK(exists("/file") && exists("/inner/name") && exists("/link") && exists("/../file") && !exists("/tmp"));
  CHECK(getcwd(path, sizeof path) != NULL && strcmp(path, "/") == 0);
  CHECK(chdir("inner") == 0 && getcwd(path, sizeof path) != NULL && strcmp(path, "/inner") == 0);
  ssize_t length = readlink("/link", text, sizeof text);
  CHECK(length == (ssize_t)strlen("/inner/name") && memcmp(text, "/inner/name", (size_t)length) == 0);
  CHECK_ERRNO(rmdir("/inner"), EBUSY);
  CHECK(unlink("/link") == 0);
}

// As bubblewrap does it.
static void root_can_be_pivoted(void) {
  char here[64], file[96];
  snprintf(here, sizeof here, "/oldroot%s", base);
  snprintf(file, sizeof file, "%s/source/file", here);
  CHECK(mount("none", "target", "tmpfs", 0, NULL) == 0 && chdir("target") == 0);
  CHECK(mkdir("newroot", 0755) == 0 && mkdir("oldroot", 0755) == 0);
  CHECK(mount("newroot", "newroot", NULL, MS_BIND, NULL) == 0);
  snprintf(here, sizeof here, "%s/target", base);
  CHECK(syscall(SYS_pivot_root, here, "oldroot") == 0 && chdir("/") == 0);
  CHECK(exists("/newroot") && exists(file) && !exists("/tmp"));
  CHECK(mkdir("/newroot/data", 0755) == 0);
  snprintf(here, sizeof here, "/oldroot%s/source", base);
  CHECK(mount(here, "/newroot/data", NULL, MS_BIND, NULL) == 0);
  CHECK(umount2("oldroot", MNT_DETACH) == 0 && !exists(file));
  int old = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CHECK(old >= 0 && chdir("/newroot") == 0 && syscall(SYS_pivot_root, ".", ".") == 0);
  CHECK(fchdir(old) == 0 && umount2(".", MNT_DETACH) == 0 && chdir("/") == 0);
  CHECK(exists("/data/file") && !exists("/newroot") && !exists("/oldroot"));
}

static void needs_the_privilege(void) {
  CHECK(setgid(1234) == 0 && setuid(1234) == 0);
  CHECK_ERRNO(mount("source", "target", NULL, MS_BIND, NULL), EPERM);
  CHECK_ERRNO(mount("missing", "missing", NULL, MS_BIND, NULL), ENOENT);
  CHECK_ERRNO(unshare(CLONE_NEWNS), EPERM);
  CHECK_ERRNO(syscall(SYS_clone, SIGCHLD | CLONE_NEWNS, NULL, NULL, NULL, NULL), EPERM);
  CHECK_ERRNO(chroot("source"), EPERM);
}

static bool can_test(void) {
  pid_t child = fork();
  int status;
  if (child == 0)
    _exit(enter_namespace() && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ? 0 : 1);
  CHECK(waitpid(child, &status, 0) == child);
  return status == 0;
}

int main(int argc, char **argv) {
  if (argc > 1)
    return exists(argv[1]) ? 0 : 1;
  if (getenv("ANYPROC_TEST_INSIDE") == NULL && !can_test()) {
    puts("skipped: mount namespaces are refused here");
    return 0;
  }
  CHECK(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
  CHECK(mkdtemp(base) != NULL && chmod(base, 0755) == 0 && chdir(base) == 0);
  CHECK(mkdir("source", 0755) == 0 && mkdir("source/inner", 0755) == 0 && mkdir("target", 0755) == 0);
  make_file("source/file");
  make_file("target/covered");
  in_namespace(binds_come_and_go);
  in_namespace(files_can_be_bound);
  in_namespace(binds_can_be_read_only);
  in_namespace(mounts_below_follow_when_asked);
  in_namespace(mounts_hide_what_is_below);
  in_namespace(everybody_inside_sees_them);
  in_namespace(cloned_children_get_namespaces);
  in_namespace(root_can_be_changed);
  in_namespace(root_can_be_pivoted);
  if (getuid() == 0 && getenv("ANYPROC_TEST_MADE_UP_IDS") != NULL) {
    pid_t child = fork();
    if (child == 0) {
      needs_the_privilege();
      exit(0);
    }
    expect_success(child);
  }
  CHECK(exists("target/covered") && !exists("target/file"));
  CHECK(chdir("/") == 0);
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", base);
  CHECK(system(command) == 0);
  return 0;
}
