// chown(2) is remembered: every way of asking agrees, names and links come and go, and what somebody makes is theirs.
// Needs root, real or made-up.
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "check.h"
#include "children.h"

enum { USER = 1234, GROUP = 4321 };

static char directory[] = "/tmp/anyproc-owners-XXXXXX";

static int make(const char *name, mode_t mode) {
  int file = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  CHECK(file >= 0 && fchmod(file, mode) == 0);
  return file;
}

static void expect(const char *name, uid_t user, gid_t group) {
  struct stat status;
  struct statx extended;
  CHECK(lstat(name, &status) == 0 && status.st_uid == user && status.st_gid == group);
  CHECK(stat(name, &status) == 0 && status.st_uid == user && status.st_gid == group);
  CHECK(statx(AT_FDCWD, name, 0, STATX_BASIC_STATS, &extended) == 0);
  CHECK(extended.stx_uid == user && extended.stx_gid == group);
  int file = open(name, O_PATH);
  CHECK(file >= 0 && fstat(file, &status) == 0 && status.st_uid == user && status.st_gid == group);
  CHECK(fstatat(file, "", &status, AT_EMPTY_PATH) == 0 && status.st_uid == user && status.st_gid == group);
  CHECK(statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &extended) == 0 && extended.stx_uid == user);
  CHECK(close(file) == 0);
}

static void expect_mode(const char *name, mode_t mode) {
  struct stat status;
  CHECK(stat(name, &status) == 0 && (status.st_mode & 07777) == mode);
}

static void every_way_of_giving(void) {
  int file = make("by-path", 0644);
  CHECK(chown("by-path", USER, GROUP) == 0);
  expect("by-path", USER, GROUP);
  CHECK(lchown("by-path", (uid_t)-1, 7) == 0);
  expect("by-path", USER, 7);
  CHECK(fchown(file, 8, (gid_t)-1) == 0);
  expect("by-path", 8, 7);
  CHECK(fchownat(file, "", 9, 10, AT_EMPTY_PATH) == 0);
  expect("by-path", 9, 10);
  CHECK(chown("by-path", (uid_t)-1, (gid_t)-1) == 0);
  expect("by-path", 9, 10);
  CHECK(chown("by-path", 0, 0) == 0);
  expect("by-path", 0, 0);
  CHECK(chown("by-path", 4294967294u, 4294967294u) == 0);
  expect("by-path", 4294967294u, 4294967294u);
  CHECK_ERRNO(fchownat(AT_FDCWD, "by-path", 1, 1, 0x4000), EINVAL);
  CHECK(close(file) == 0);
  CHECK_ERRNO(fchown(file, 1, 1), EBADF);
  CHECK_ERRNO(chown("missing", 1, 1), ENOENT);
}

static void names_and_links(void) {
  CHECK(close(make("first", 0640)) == 0 && chown("first", USER, GROUP) == 0);
  CHECK(link("first", "second") == 0 && rename("first", "third") == 0 && symlink("third", "link") == 0);
  expect("second", USER, GROUP);
  expect("third", USER, GROUP);
  struct stat status;
  CHECK(stat("link", &status) == 0 && status.st_uid == USER);
  CHECK(chown("link", USER + 1, GROUP) == 0);
  expect("second", USER + 1, GROUP);
  CHECK(unlink("third") == 0 && close(make("third", 0600)) == 0);
  expect("third", 0, 0);
}

static void closed_files(void) {
  CHECK(close(make("closed", 0444)) == 0 && chown("closed", USER, GROUP) == 0);
  expect("closed", USER, GROUP);
  expect_mode("closed", 0444);
  CHECK(mkdir("closed-directory", 0700) == 0 && chmod("closed-directory", 01555) == 0);
  CHECK(chown("closed-directory", USER, GROUP) == 0);
  expect("closed-directory", USER, GROUP);
  expect_mode("closed-directory", 01555);
  CHECK(chdir("closed-directory") == 0 && stat(".", &(struct stat){0}) == 0);
  expect(".", USER, GROUP);
  CHECK(chdir(directory) == 0);
}

static void set_id_bits(void) {
  CHECK(close(make("privileged", 06755)) == 0 && chown("privileged", USER, GROUP) == 0);
  expect_mode("privileged", 0755);
  CHECK(chmod("privileged", 02644) == 0 && chown("privileged", USER, GROUP) == 0);
  expect_mode("privileged", 02644); // mandatory locking, chown(2)
  CHECK(mkdir("shared", 0755) == 0 && chmod("shared", 02775) == 0 && chown("shared", 0, GROUP) == 0);
  expect_mode("shared", 02775);
}

static void hidden_attribute(void) {
  static const char name[] = "user.anyproc.owner";
  char list[256], value[32];
  int file = make("hidden", 0600);
  CHECK(fchown(file, USER, GROUP) == 0 && fsetxattr(file, "user.a", "1", 1, 0) == 0);
  CHECK(setxattr("hidden", "user.z", "2", 1, 0) == 0);
  long size = listxattr("hidden", list, sizeof list);
  CHECK(size >= (long)sizeof "user.a" + (long)sizeof "user.z" && memmem(list, (size_t)size, name, sizeof name) == NULL);
  CHECK(memmem(list, (size_t)size, "user.a", sizeof "user.a") != NULL);
  CHECK(memmem(list, (size_t)size, "user.z", sizeof "user.z") != NULL);
  CHECK(flistxattr(file, list, sizeof list) == size && llistxattr("hidden", list, sizeof list) == size);
  CHECK_ERRNO(getxattr("hidden", name, value, sizeof value), ENODATA);
  CHECK_ERRNO(fgetxattr(file, name, value, sizeof value), ENODATA);
  CHECK_ERRNO(lremovexattr("hidden", name), ENODATA);
  CHECK_ERRNO(fremovexattr(file, name), ENODATA);
  CHECK(fgetxattr(file, "user.a", value, sizeof value) == 1 && value[0] == '1' && close(file) == 0);
  expect("hidden", USER, GROUP);
}

static int open_below(const char *name, unsigned long flags) {
  struct open_how how = {.flags = flags, .mode = 0600, .resolve = RESOLVE_BENEATH};
  return (int)syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof how);
}

static void expect_open(int file, uid_t user, gid_t group) {
  struct stat status;
  CHECK(file >= 0 && fstat(file, &status) == 0 && status.st_uid == user && status.st_gid == group && close(file) == 0);
}

static void somebody(void) {
  CHECK(setgid(GROUP) == 0 && setuid(USER) == 0 && chdir("theirs") == 0);
  CHECK(close(open("file", O_WRONLY | O_CREAT, 0400)) == 0);
  expect("file", USER, GROUP);
  expect_mode("file", 0400);
  CHECK(mkdir("directory", 0700) == 0 && mknod("node", S_IFREG | 0600, 0) == 0);
  expect("directory", USER, GROUP);
  expect("node", USER, GROUP);
  CHECK(close(creat("directory/inner", 0600)) == 0);
  expect("directory/inner", USER, GROUP);
  expect_open(open(".", O_RDWR | O_TMPFILE, 0600), USER, GROUP);
  expect_open(open_below("below", O_RDWR | O_CREAT), USER, GROUP);
  expect_open(open_below("directory/exclusive", O_RDWR | O_CREAT | O_EXCL), USER, GROUP);
  expect_open(open_below("directory", O_RDWR | O_TMPFILE), USER, GROUP);
  expect("below", USER, GROUP);
  CHECK(chdir("..") == 0);
  expect_open(open_below("existing", O_RDWR | O_CREAT), 0, 0);
  CHECK(chdir("theirs") == 0);
  CHECK(close(open("../existing", O_WRONLY | O_CREAT, 0600)) == 0);
  expect("../existing", 0, 0);
  CHECK_ERRNO(chown("file", 0, (gid_t)-1), EPERM);
  CHECK_ERRNO(chown("file", (uid_t)-1, GROUP + 1), EPERM);
  CHECK(chown("file", USER, GROUP) == 0);
}

static void what_others_make(void) {
  CHECK(mkdir("theirs", 0700) == 0 && chown("theirs", USER, GROUP) == 0);
  int existing = make("existing", 0666);
  CHECK(existing >= 0 && close(existing) == 0);
  CHECK(chmod(".", 0755) == 0);
  in_child(somebody);
  expect("theirs/file", USER, GROUP);
  expect("theirs/directory/inner", USER, GROUP);
}

// inode(7): what is made there has the directory's group, and a directory the bit too.
static void make_in_team(uid_t user) {
  umask(022);
  expect_open(open("file", O_WRONLY | O_CREAT, 0644), user, GROUP);
  expect_open(open(".", O_WRONLY | O_TMPFILE, 0600), user, GROUP);
  expect_open(open_below("below", O_WRONLY | O_CREAT), user, GROUP);
  expect_open(open_below(".", O_WRONLY | O_TMPFILE), user, GROUP);
  CHECK(mknod("node", S_IFREG | 0600, 0) == 0 && mkdir("directory", 0755) == 0);
  expect("file", user, GROUP);
  expect("node", user, GROUP);
  expect("below", user, GROUP);
  expect("directory", user, GROUP);
  expect_mode("directory", 02755);
  CHECK(mkdir("directory/inner", 0700) == 0);
  expect("directory/inner", user, GROUP);
  expect_mode("directory/inner", 02700);
  CHECK(chown("file", (uid_t)-1, (gid_t)-1) == 0);
  expect("file", user, GROUP);
}

static void somebody_in_team(void) {
  CHECK(setgid(7) == 0 && setuid(USER) == 0);
  make_in_team(USER);
}

static void make_team(const char *name) {
  CHECK(mkdir(name, 0755) == 0 && chown(name, 0, GROUP) == 0 && chmod(name, 02777) == 0 && chdir(name) == 0);
}

static void teams(void) {
  make_team("team");
  make_in_team(0);
  CHECK(chdir(directory) == 0);
  make_team("another-team");
  in_child(somebody_in_team);
  expect("file", USER, GROUP);
  CHECK(chdir(directory) == 0);
}

static void copy_program(const char *to) {
  char buffer[65536];
  int from = open("/proc/self/exe", O_RDONLY), copy = open(to, O_WRONLY | O_CREAT | O_EXCL, 0700);
  ssize_t size;
  CHECK(from >= 0 && copy >= 0);
  while ((size = read(from, buffer, sizeof buffer)) > 0)
    CHECK(write(copy, buffer, (size_t)size) == size);
  CHECK(size == 0 && close(from) == 0 && close(copy) == 0);
}

static void run_copy(void) {
  execl("./program", "program", "ids", NULL);
}

// A set-user-ID program runs as the owner that it was given. The engine cannot take no_new_privs back from real root.
static void programs(void) {
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0)
    return;
  copy_program("program");
  CHECK(chown("program", USER, GROUP) == 0 && chmod("program", 06755) == 0);
  in_child(run_copy);
}

static void remove_all(void) {
  pid_t child = fork();
  if (child == 0) {
    execlp("rm", "rm", "-rf", directory, NULL);
    _exit(127);
  }
  expect_success(child);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "ids") == 0)
    return geteuid() == USER && getegid() == GROUP ? 0 : 1;
  if (getuid() != 0) {
    puts("skipped: not root");
    return 0;
  }
  CHECK(mkdtemp(directory) != NULL && chdir(directory) == 0);
  every_way_of_giving();
  names_and_links();
  closed_files();
  set_id_bits();
  hidden_attribute();
  what_others_make();
  teams();
  programs();
  CHECK(chdir("/") == 0);
  remove_all();
  return 0;
}
