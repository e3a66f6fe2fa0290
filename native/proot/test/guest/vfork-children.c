// Children that share their parent's memory until they exec leave nothing behind in it, however many live at once.
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { CHILDREN = 100 };

extern char **environ;

static pid_t vfork_and_exec(const char *path, char **arguments, int unwanted) {
  pid_t child = vfork();
  if (child == 0) {
    close(unwanted);
    execve(path, arguments, environ);
    _exit(errno);
  }
  return child;
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "wait") == 0) {
    char byte;
    return read(0, &byte, 1) == 0 ? 5 : 6;
  }
  struct stat status;
  int gate[2];
  pid_t child[CHILDREN];
  char *arguments[] = {argv[0], "wait", NULL};
  char itself[4096];
  ssize_t length = readlink("/proc/self/exe", itself, sizeof itself - 1);
  CHECK(length > 0);
  itself[length] = '\0';
  CHECK(pipe(gate) == 0 && dup2(gate[0], 0) == 0);
  CHECK(close(gate[0]) == 0);
  for (int i = 0; i < CHILDREN; i++) {
    if (i % 2 == 0) {
      child[i] = vfork_and_exec(itself, arguments, gate[1]);
    } else {
      posix_spawn_file_actions_t actions;
      CHECK(posix_spawn_file_actions_init(&actions) == 0);
      CHECK(posix_spawn_file_actions_addclose(&actions, gate[1]) == 0);
      CHECK(posix_spawn(&child[i], itself, &actions, NULL, arguments, environ) == 0);
      CHECK(posix_spawn_file_actions_destroy(&actions) == 0);
    }
    CHECK(child[i] > 0 && stat("/", &status) == 0);
  }
  for (int i = 0; i < CHILDREN; i++) {
    pid_t missing = vfork_and_exec("/anyproc-missing", arguments, -1);
    int ended;
    CHECK(waitpid(missing, &ended, 0) == missing && WEXITSTATUS(ended) == ENOENT);
  }
  close(gate[1]);
  for (int i = 0; i < CHILDREN; i++) {
    int ended;
    CHECK(waitpid(child[i], &ended, 0) == child[i] && WIFEXITED(ended) && WEXITSTATUS(ended) == 5);
  }
  return 0;
}
