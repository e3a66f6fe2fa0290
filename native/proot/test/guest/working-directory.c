// A relative path means the same however the working directory came to be: by chdir(2) and fchdir(2), of a thread, of a
// vfork child, of a process that has it in common. The same path leads through a directory here and a symlink there.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char base[] = "/tmp/anyproc-directory-XXXXXX";
static int plain, linked;

static const char *below(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", base, name);
  return path;
}

static void make_directory(const char *name) {
  CHECK(mkdir(below(name), 0755) == 0);
}

static void make_file(const char *name, const char *text) {
  int file = open(below(name), O_WRONLY | O_CREAT, 0644);
  CHECK(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text) && close(file) == 0);
}

static void build(void) {
  char target[sizeof base + 16];
  CHECK(mkdtemp(base) != NULL);
  make_directory("plain");
  make_directory("plain/way");
  make_directory("linked");
  make_directory("elsewhere");
  make_file("plain/way/file", "p");
  make_file("elsewhere/file", "l");
  snprintf(target, sizeof target, "%s/elsewhere", base);
  CHECK(symlink(target, below("linked/way")) == 0);
  plain = open(below("plain"), O_RDONLY | O_DIRECTORY);
  linked = open(below("linked"), O_RDONLY | O_DIRECTORY);
  CHECK(plain >= 0 && linked >= 0);
}

// Often enough for whatever is remembered to be used.
static void expect(char wanted) {
  struct stat status;
  for (int i = 0; i < 5; i++) {
    char text = 0;
    int file = open("way/file", O_RDONLY);
    CHECK(file >= 0 && read(file, &text, 1) == 1 && close(file) == 0);
    CHECK(text == wanted);
    CHECK(stat("way/file", &status) == 0 && lstat("way/file", &status) == 0 && access("way/file", R_OK) == 0);
    CHECK(stat("../elsewhere", &status) == 0 && stat("..", &status) == 0);
  }
}

static void test_changes(void) {
  for (int i = 0; i < 5; i++) {
    CHECK(fchdir(plain) == 0);
    expect('p');
    CHECK(chdir("../linked") == 0);
    expect('l');
    CHECK(chdir(below("plain")) == 0);
    expect('p');
    CHECK(fchdir(linked) == 0);
    expect('l');
  }
  CHECK_ERRNO(fchdir(-1), EBADF);
  CHECK_ERRNO(chdir("way/file"), ENOTDIR);
  expect('l');
}

static void wait_for(pid_t child) {
  int status;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void test_children(void) {
  CHECK(fchdir(plain) == 0);
  expect('p');
  pid_t child = fork();
  if (child == 0) {
    expect('p');
    CHECK(fchdir(linked) == 0);
    expect('l');
    _exit(0);
  }
  wait_for(child);
  expect('p');
  child = vfork();
  if (child == 0)
    _exit(fchdir(linked) == 0 ? access("way/file", R_OK) : 1);
  wait_for(child);
  expect('p');
}

// The two take turns.
static void *leave_alone(void *barrier) {
  CHECK(unshare(CLONE_FS) == 0 && fchdir(linked) == 0);
  pthread_barrier_wait(barrier);
  pthread_barrier_wait(barrier);
  expect('l');
  return NULL;
}

static void test_threads(void) {
  pthread_t thread;
  pthread_barrier_t barrier;
  CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0 && fchdir(plain) == 0);
  CHECK(pthread_create(&thread, NULL, leave_alone, &barrier) == 0);
  pthread_barrier_wait(&barrier);
  expect('p');
  pthread_barrier_wait(&barrier);
  CHECK(pthread_join(thread, NULL) == 0);
  expect('p');
}

static void *move(void *unused) {
  CHECK(fchdir(linked) == 0);
  return unused;
}

static void test_thread_moves_all(void) {
  pthread_t thread;
  CHECK(fchdir(plain) == 0);
  expect('p');
  CHECK(pthread_create(&thread, NULL, move, NULL) == 0 && pthread_join(thread, NULL) == 0);
  expect('l');
}

static void test_rename(void) {
  CHECK(fchdir(plain) == 0);
  expect('p');
  CHECK(rename("../plain", "../moved") == 0);
  expect('p');
  CHECK(rename("way", "was") == 0 && symlink("../linked/way", "way") == 0);
  expect('l');
  CHECK(unlink("way") == 0 && rename("was", "way") == 0 && rename("../moved", "../plain") == 0);
  expect('p');
}

static int ready[2], go[2];

static int execute(void *unused) {
  (void)unused;
  dup2(ready[1], 3), dup2(go[0], 4);
  execl("/proc/self/exe", "working-directory", "child", (char *)NULL);
  _exit(1);
}

static int run_child(void *unused) {
  char byte = 0;
  (void)unused;
  expect('p');
  CHECK(write(3, &byte, 1) == 1 && read(4, &byte, 1) == 1);
  expect('l');
  CHECK(chdir("../plain") == 0);
  return 0;
}

static int go_on(void *unused) {
  dup2(ready[1], 3), dup2(go[0], 4);
  return run_child(unused);
}

// The child has the directory in common with its parent, and maybe the memory.
static void have_in_common(pid_t (*start)(void)) {
  char byte = 0;
  CHECK(pipe(ready) == 0 && pipe(go) == 0 && fchdir(plain) == 0);
  expect('p');
  pid_t child = start();
  CHECK(close(ready[1]) == 0 && close(go[0]) == 0 && read(ready[0], &byte, 1) == 1);
  CHECK(fchdir(linked) == 0);
  expect('l');
  CHECK(write(go[1], &byte, 1) == 1);
  wait_for(child);
  expect('p');
  CHECK(close(ready[0]) == 0 && close(go[1]) == 0);
}

static char child_stack[256 * 1024];

static pid_t with_own_stack(int (*child)(void *), int flags) {
  return clone(child, child_stack + sizeof child_stack, flags | CLONE_FS | SIGCHLD, NULL);
}

static pid_t start_forked(void) {
  pid_t child = (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);
  return child == 0 ? execute(NULL) : child;
}

static pid_t start_on_own_stack(void) {
  return with_own_stack(go_on, 0);
}

static pid_t start_in_same_memory(void) {
  return with_own_stack(go_on, CLONE_VM);
}

static void test_common_directory(void) {
  static pid_t (*const starts[])(void) = {start_forked, start_on_own_stack, start_in_same_memory};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
    pid_t child = fork();
    if (child == 0) {
      have_in_common(starts[i]);
      _exit(0);
    }
    wait_for(child);
  }
}

int main(int argc, char **argv) {
  // Each in a process of its own, since what one does may end all remembering.
  static void (*const tests[])(void) = {test_changes, test_rename,  test_common_directory,
                                        test_children, test_threads, test_thread_moves_all};
  static const char *const made[] = {"plain/way/file", "linked/way", "elsewhere/file"};
  static const char *const directories[] = {"plain/way", "plain", "linked", "elsewhere", ""};
  if (argc > 1 && strcmp(argv[1], "child") == 0)
    return run_child(NULL);
  build();
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
    pid_t child = fork();
    if (child == 0) {
      tests[i]();
      _exit(0);
    }
    wait_for(child);
  }
  for (size_t i = 0; i < sizeof made / sizeof *made; i++)
    CHECK(unlink(below(made[i])) == 0);
  for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
    CHECK(rmdir(below(directories[i])) == 0);
  return 0;
}
