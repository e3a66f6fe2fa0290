// execveat(2) of a descriptor, of a name below one, and of a file that has no name at all.
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { CHECK_ONLY = 0x10000 }; // AT_EXECVE_CHECK

extern char **environ;

static int exit_of(int dirfd, const char *path, char **argv, int flags) {
  pid_t child = fork();
  if (child == 0) {
    _exit(syscall(SYS_execveat, dirfd, path, argv, environ, flags) == 0 ? 0 : errno);
  }
  int ended;
  CHECK(waitpid(child, &ended, 0) == child && WIFEXITED(ended));
  return WEXITSTATUS(ended);
}

int main(int argc, char **argv) {
  if (argc > 2) {
    char name[17] = "";
    CHECK(prctl(PR_GET_NAME, name) == 0 && strncmp(name, argv[2], 15) == 0);
    return 25;
  }
  if (argc > 1) {
    CHECK(strncmp((const char *)getauxval(AT_EXECFN), "/dev/fd/", 8) == 0);
    return 23;
  }
  char *arguments[] = {argv[0], "again", NULL};
  char itself[4096] = "";
  struct stat status;
  CHECK(readlink("/proc/self/exe", itself, sizeof itself - 1) > 0);
  int file = open(itself, O_RDONLY | O_CLOEXEC);
  CHECK(file >= 0 && exit_of(file, "", arguments, AT_EMPTY_PATH) == 23);
  CHECK(exit_of(file, "", arguments, 0) == ENOENT);

  int memory = memfd_create("program", MFD_CLOEXEC);
  CHECK(fstat(file, &status) == 0 && sendfile(memory, file, NULL, (size_t)status.st_size) == status.st_size);
  CHECK(exit_of(memory, "", arguments, AT_EMPTY_PATH) == 23);

  int handle = open(itself, O_PATH | O_CLOEXEC);
  CHECK(exit_of(handle, "", arguments, AT_EMPTY_PATH) == 23);

  // Linux 6.14 names the process after the file; before, it was after the descriptor's number.
  char *name = strrchr(itself, '/');
  if (exit_of(file, "", arguments, AT_EMPTY_PATH | CHECK_ONLY) == 0) {
    char *named[] = {argv[0], "again", name + 1, NULL}, *memory_named[] = {argv[0], "again", "memfd:program", NULL};
    CHECK(exit_of(file, "", named, AT_EMPTY_PATH) == 25 && exit_of(memory, "", memory_named, AT_EMPTY_PATH) == 25);
  }

  *name++ = '\0';
  int directory = open(itself[0] != '\0' ? itself : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CHECK(directory >= 0 && exit_of(directory, name, arguments, 0) == 23);

  // A script by a descriptor that closes cannot be opened by its interpreter.
  int script = memfd_create("script", MFD_CLOEXEC);
  CHECK(write(script, "#!/bin/sh\nexit 24\n", 18) == 18);
  CHECK(exit_of(script, "", arguments, AT_EMPTY_PATH) == ENOENT);
  CHECK(fcntl(script, F_SETFD, 0) == 0);
  CHECK(exit_of(script, "", arguments, AT_EMPTY_PATH) == 24);
  return 0;
}
