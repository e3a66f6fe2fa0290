// Prints the least time that each of a few calls takes, in microseconds. Run it natively and as a guest.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void do_getppid(void) {
  syscall(SYS_getppid);
}

static void do_getuid(void) {
  syscall(SYS_getuid);
}

static void do_stat(void) {
  struct stat status;
  stat("/bin/true", &status);
}

static void do_stat_missing(void) {
  struct stat status;
  stat("/bin/anyproc-missing", &status);
}

static void do_open_and_close(void) {
  close(open("/bin/true", O_RDONLY));
}

static void do_getcwd(void) {
  char directory[4096];
  if (getcwd(directory, sizeof directory) == NULL)
    abort();
}

static void do_sigprocmask(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void wait_for(pid_t child) {
  int status;
  if (waitpid(child, &status, 0) != child || status != 0)
    abort();
}

static void do_vfork_and_exec(void) {
  char *argv[] = {"true", NULL};
  pid_t child = vfork();
  if (child == 0) {
    execve("/bin/true", argv, environ);
    _exit(1);
  }
  wait_for(child);
}

static void do_fork(void) {
  pid_t child = fork();
  if (child == 0)
    _exit(0);
  wait_for(child);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void measure(const char *name, void (*call)(void), int count) {
  double least = 1e9;
  for (int round = 0; round < 7; round++) {
    double start = now();
    for (int i = 0; i < count; i++)
      call();
    double each = (now() - start) / count;
    if (each < least)
      least = each;
  }
  printf("%-18s %8.2f\n", name, least);
}

int main(void) {
  measure("getppid", do_getppid, 20000);
  measure("getuid", do_getuid, 20000);
  measure("stat", do_stat, 20000);
  measure("stat, missing", do_stat_missing, 20000);
  measure("open and close", do_open_and_close, 20000);
  measure("getcwd", do_getcwd, 20000);
  measure("sigprocmask", do_sigprocmask, 20000);
  measure("vfork and exec", do_vfork_and_exec, 200);
  measure("fork", do_fork, 200);
  if (getuid() == 0 && setuid(1) == 0)
    measure("getuid, dropped", do_getuid, 20000);
  return 0;
}
