// "#!" lines: one argument, blanks around it, nested scripts, and the arguments that arrive (execve(2)).
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char directory[] = "/tmp/anyproc-script-XXXXXX";
static char itself[4096];

static void write_script(const char *path, const char *before, const char *interpreter, const char *after) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  CHECK(file >= 0 && dprintf(file, "#!%s%s%s", before, interpreter, after) > 0 && close(file) == 0);
}

// Runs the script, with two arguments or none; it must reach this program with exactly these arguments.
static void expect_with(int arguments, const char *script, const char *expected) {
  char *argv[] = {"ignored", arguments > 0 ? "a b" : NULL, "", NULL}, output[16384] = "";
  int pipe_[2];
  CHECK(pipe(pipe_) == 0);
  pid_t child = fork();
  if (child == 0) {
    dup2(pipe_[1], 1);
    setenv("ANYPROC_TEST_SHOW", "1", 1);
    execv(script, argv);
    _exit(99);
  }
  close(pipe_[1]);
  size_t size = 0;
  ssize_t got;
  while ((got = read(pipe_[0], output + size, sizeof output - 1 - size)) > 0)
    size += (size_t)got;
  close(pipe_[0]);
  int ended;
  CHECK(waitpid(child, &ended, 0) == child && ended == 0);
  if (strcmp(output, expected) != 0) {
    fprintf(stderr, "%s gave %s instead of %s\n", script, output, expected);
    exit(1);
  }
}

static void expect(const char *script, const char *expected) {
  expect_with(2, script, expected);
}

// The script names the process, the interpreter is what it executes.
static void show_names(void) {
  char name[17] = "", executable[4096] = "";
  CHECK(prctl(PR_GET_NAME, name) == 0 && readlink("/proc/self/exe", executable, sizeof executable - 1) > 0);
  printf("<%s><%s><%s>", (const char *)getauxval(AT_EXECFN), name, executable);
}

int main(int argc, char **argv) {
  if (getenv("ANYPROC_TEST_SHOW") != NULL) {
    for (int i = 0; i < argc; i++)
      printf("<%s>", argv[i]);
    if (argc == 2)
      show_names();
    return 0;
  }
  char first[128], second[128], expected[16384];
  CHECK(readlink("/proc/self/exe", itself, sizeof itself - 1) > 0 && mkdtemp(directory) != NULL);
  snprintf(first, sizeof first, "%s/first", directory);
  snprintf(second, sizeof second, "%s/second", directory);

  write_script(first, "", itself, "\nbody\n");
  snprintf(expected, sizeof expected, "<%s><%s><a b><>", itself, first);
  expect(first, expected);

  write_script(first, " \t", itself, "  -x  two words \t\nbody\n");
  snprintf(expected, sizeof expected, "<%s><-x  two words><%s><a b><>", itself, first);
  expect(first, expected);

  write_script(second, "", first, " nested\n");
  snprintf(expected, sizeof expected, "<%s><-x  two words><%s><nested><%s><a b><>", itself, first, second);
  expect(second, expected);

  write_script(first, "", itself, ""); // no end of line
  snprintf(expected, sizeof expected, "<%s><%s><a b><>", itself, first);
  expect(first, expected);

  CHECK(chdir(directory) == 0);
  snprintf(expected, sizeof expected, "<%s><./first><a b><>", itself);
  expect("./first", expected);
  write_script(second, "", itself, "\n");
  snprintf(expected, sizeof expected, "<%s><%s><%s><second><%s>", itself, second, second, itself);
  expect_with(0, second, expected);
  CHECK(unlink(first) == 0 && unlink(second) == 0 && rmdir(directory) == 0);
  return 0;
}
