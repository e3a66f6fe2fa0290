// Times one system call in a loop: `system-calls NAME COUNT` prints nanoseconds a call. Static, so that the same file
// runs in every root filesystem.
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char file_path[] = "/usr/share/doc/bash/copyright";
static const char relative_path[] = "share/doc/bash/copyright"; // from directory_path
static const char directory_path[] = "/usr";
static const char link_path[] = "/etc/alternatives/awk";
static char buffer[PATH_MAX];

static void call_getppid(void) { syscall(SYS_getppid); }

static void call_stat(void) {
  struct stat status;
  if (stat(file_path, &status) != 0) exit(1);
}

static void call_stat_relative(void) {
  struct stat status;
  if (stat(relative_path, &status) != 0) exit(1);
}

static void call_stat_parent(void) {
  struct stat status;
  if (stat("../usr/bin", &status) != 0) exit(1);
}

static void call_open(void) {
  int descriptor = open(file_path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) exit(1);
  close(descriptor);
}

static void call_open_relative(void) {
  int descriptor = open(relative_path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) exit(1);
  close(descriptor);
}

static void call_access(void) {
  if (access(file_path, R_OK) != 0) exit(1);
}

static void call_access_missing(void) {
  if (access("/usr/share/doc/no-such-file", F_OK) == 0) exit(1);
}

static void call_readlink(void) {
  if (readlink(link_path, buffer, sizeof(buffer)) < 0) exit(1);
}

static void call_getcwd(void) {
  if (!getcwd(buffer, sizeof(buffer))) exit(1);
}

static void call_exec(void) {
  pid_t child = vfork();
  if (child == 0) {
    execl("/bin/true", "true", (char *)NULL);
    _exit(127);
  }
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) exit(1);
}

static void call_fork(void) {
  pid_t child = fork();
  if (child == 0) _exit(0);
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) exit(1);
}

static const struct {
  const char *name;
  void (*run)(void);
} calls[] = {
    {"getppid", call_getppid},
    {"stat", call_stat},
    {"stat-relative", call_stat_relative},
    {"stat-parent", call_stat_parent},
    {"open", call_open},
    {"open-relative", call_open_relative},
    {"access", call_access},
    {"access-missing", call_access_missing},
    {"readlink", call_readlink},
    {"getcwd", call_getcwd},
    {"exec", call_exec},
    {"fork", call_fork},
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv) {
  enum { BATCHES = 10 };
  if (argc != 3 || chdir(directory_path) != 0) return 2;
  long count = strtol(argv[2], NULL, 10);
  for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
    if (strcmp(calls[i].name, argv[1]) != 0) continue;
    double least = 1e18;
    for (int batch = 0; batch < BATCHES; batch++) {
      double start = now();
      for (long n = 0; n < count; n++) calls[i].run();
      double each = (now() - start) / (double)count;
      if (each < least) least = each;
    }
    printf("%.1f\n", least);
    return 0;
  }
  return 2;
}
