// Path calls on stacks that have little more room than the kernel needs for a signal.
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

extern char **environ;

static ino_t root;
static char itself[4096], directory[4096];
static ucontext_t outside, inside;

static void use_paths(void) {
  static struct stat status;
  static struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/anyproc-missing"};
  char *arguments[] = {itself, "exit", NULL};
  CHECK(stat("/", &status) == 0 && status.st_ino == root);
  CHECK_ERRNO(access("/anyproc-missing", F_OK), ENOENT);
  CHECK(getcwd(directory, sizeof directory) != NULL && directory[0] == '/');
  CHECK(readlink("/proc/self/exe", directory, sizeof directory) > 0);
  int opened = open("/", O_RDONLY | O_DIRECTORY);
  CHECK(opened >= 0 && close(opened) == 0);
  int socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK_ERRNO(connect(socket_, (struct sockaddr *)&name, sizeof name), ENOENT);
  CHECK(close(socket_) == 0);
  int ended;
  pid_t child = vfork();
  if (child == 0) {
    execve(itself, arguments, environ);
    _exit(1);
  }
  CHECK(waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 7);
}

static void *thread(void *unused) {
  use_paths();
  return unused;
}

// A stack with a guard below it, so that what goes too deep is seen.
static void *make_stack(size_t size) {
  char *memory = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED && mprotect(memory, 4096, PROT_NONE) == 0);
  return memory + 4096;
}

int main(int argc, char **argv) {
  struct stat status;
  (void)argv;
  if (argc > 1)
    return 7;
  CHECK(stat("/", &status) == 0);
  root = status.st_ino;
  CHECK(readlink("/proc/self/exe", itself, sizeof itself - 1) > 0);

  pthread_attr_t attributes;
  pthread_t id;
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0);
  CHECK(pthread_create(&id, &attributes, thread, NULL) == 0 && pthread_join(id, NULL) == 0);

  // A coroutine: all it has is what one signal takes, and two pages.
  size_t size = ((getauxval(AT_MINSIGSTKSZ) + 4095) & ~4095UL) + 8192;
  CHECK(getcontext(&inside) == 0);
  inside.uc_stack = (stack_t){.ss_sp = make_stack(size), .ss_size = size};
  inside.uc_link = &outside;
  makecontext(&inside, use_paths, 0);
  CHECK(swapcontext(&outside, &inside) == 0);
  return 0;
}
