// Every error of execve(2) is the kernel's own and leaves the caller alive.
#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char directory[] = "/tmp/anyproc-exec-XXXXXX";

static const char *write_file(const char *name, const char *content, size_t size, mode_t mode) {
  static char path[8][128];
  static int next;
  char *out = path[next++ % 8];
  snprintf(out, sizeof path[0], "%s/%s", directory, name);
  int file = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0700);
  CHECK(file >= 0 && write(file, content, size) == (ssize_t)size && fchmod(file, mode) == 0 && close(file) == 0);
  return out;
}

static const char *write_text(const char *name, const char *content, mode_t mode) {
  return write_file(name, content, strlen(content), mode);
}

static long run(const char *path) {
  char *argv[] = {"name", "argument", NULL}, *envp[] = {NULL};
  return execve(path, argv, envp);
}

// This program itself with another interpreter: elf(5), PT_INTERP.
static const char *interpreted_by(const char *interpreter) {
  static char content[1 << 20];
  static const char own[] = "/lib64/ld-linux-x86-64.so.2";
  int file = open("/proc/self/exe", O_RDONLY);
  ssize_t size = read(file, content, sizeof content);
  CHECK(file >= 0 && size > 0 && close(file) == 0 && strlen(interpreter) < sizeof own);
  char *at = memmem(content, (size_t)size, own, sizeof own);
  CHECK(at != NULL);
  memset(at, 0, sizeof own);
  strcpy(at, interpreter);
  return write_file("interpreted", content, (size_t)size, 0755);
}

static void test_interpreter(void) {
  static const char blanks[100];
  char place[32];
  snprintf(place, sizeof place, "/tmp/anyproc-%ld", (long)getpid());
  if (getauxval(AT_BASE) == 0)
    return; // a static program has none
  CHECK_ERRNO(run(interpreted_by("/anyproc-missing")), ENOENT);
  CHECK_ERRNO(run(interpreted_by("/tmp")), EACCES);
  CHECK_ERRNO(run(interpreted_by("/etc/passwd")), EACCES);
  CHECK(symlink(write_text("short", "x", 0755), place) == 0);
  CHECK_ERRNO(run(interpreted_by(place)), EIO);
  CHECK(unlink(place) == 0 && symlink(write_file("no-elf", blanks, sizeof blanks, 0755), place) == 0);
  CHECK_ERRNO(run(interpreted_by(place)), ELIBBAD);
  CHECK(unlink(place) == 0);
}

// Linux 6.14 made execveat(2) tell without executing. It also judges programs that are being written.
static void test_check(void) {
  enum { CHECK_ONLY = 0x10000 }; // AT_EXECVE_CHECK
  char *argv[] = {"", NULL}, *envp[] = {NULL};
  if (syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, envp, CHECK_ONLY) < 0) {
    CHECK(errno == EINVAL);
    return;
  }
  const char *text = write_text("being-written", "#!/bin/sh\n", 0755), *plain = write_text("data", "", 0644);
  CHECK(syscall(SYS_execveat, AT_FDCWD, text, argv, envp, CHECK_ONLY) == 0);
  CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, plain, argv, envp, CHECK_ONLY), EACCES);
  CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, "/anyproc-missing", argv, envp, CHECK_ONLY), ENOENT);
  int opened = open(text, O_RDONLY);
  CHECK(syscall(SYS_execveat, opened, "", argv, envp, AT_EMPTY_PATH | CHECK_ONLY) == 0 && close(opened) == 0);

  int writer = open(text, O_WRONLY);
  CHECK_ERRNO(run(text), ETXTBSY);
  char interpreted[256];
  snprintf(interpreted, sizeof interpreted, "#!%s\n", text);
  CHECK_ERRNO(run(write_text("interpreted", interpreted, 0755)), ETXTBSY);
  CHECK(close(writer) == 0);
}

int main(void) {
  char text[256], next[256];
  const Elf32_Ehdr foreign = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                              .e_type = ET_EXEC,
                              .e_machine = EM_SPARC,
                              .e_version = EV_CURRENT,
                              .e_ehsize = sizeof foreign};
  CHECK(mkdtemp(directory) != NULL);
  CHECK_ERRNO(run("/anyproc-missing"), ENOENT);
  CHECK_ERRNO(run(""), ENOENT);
  CHECK_ERRNO(run("/bin/sh/below"), ENOTDIR);
  CHECK_ERRNO(run("/"), EACCES);
  CHECK_ERRNO(run(write_text("plain", "just text\n", 0644)), EACCES);
  CHECK_ERRNO(run(write_text("text", "just text\n", 0755)), ENOEXEC);
  CHECK_ERRNO(run(write_text("empty", "", 0755)), ENOEXEC);
  CHECK_ERRNO(run(write_text("nothing", "#!\n", 0755)), ENOEXEC);
  CHECK_ERRNO(run(write_text("blanks", "#!  \t \n", 0755)), ENOEXEC);
  CHECK_ERRNO(run(write_text("lost", "#!/anyproc-missing\n", 0755)), ENOENT);
  CHECK_ERRNO(run(write_text("elf", "\177ELF", 0755)), ENOEXEC);
  CHECK_ERRNO(run(write_file("foreign", (const char *)&foreign, sizeof foreign, 0755)), ENOEXEC);
  snprintf(text, sizeof text, "%s/circle", directory);
  CHECK(symlink(text, text) == 0);
  CHECK_ERRNO(run(text), ELOOP);
  snprintf(text, sizeof text, "%s/fifo", directory);
  CHECK(mkfifo(text, 0755) == 0);
  CHECK_ERRNO(run(text), EACCES);

  // Five scripts may name each other, not six.
  const char *path = "/bin/true";
  for (int level = 0; level < 6; level++) {
    char name[16];
    snprintf(next, sizeof next, "#!%s\n", path);
    snprintf(name, sizeof name, "level%d", level);
    path = write_text(name, next, 0755);
    pid_t child = fork();
    if (child == 0) {
      run(path);
      _exit(errno == ELOOP ? 40 : 41);
    }
    int ended;
    CHECK(waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == (level < 5 ? 0 : 40));
  }

  char *large = malloc(140 * 1024);
  CHECK(large != NULL);
  memset(large, 'a', 140 * 1024);
  large[140 * 1024 - 1] = '\0';
  char *argv[] = {"true", large, NULL};
  CHECK_ERRNO(execv("/bin/true", argv), E2BIG);
  memset(large, '/', 5000);
  large[5000] = '\0';
  CHECK_ERRNO(run(large), ENAMETOOLONG);
  CHECK_ERRNO(syscall(SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0x40), EINVAL);
  CHECK_ERRNO(syscall(SYS_execveat, 999, "", NULL, NULL, AT_EMPTY_PATH), EBADF);
  // Many small arguments: a quarter of the stack's limit is theirs (execve(2), "Limits on size").
  enum { MANY = 100000 };
  char **many = calloc(MANY + 1, sizeof *many);
  CHECK(many != NULL);
  large[100] = '\0';
  for (int i = 0; i < MANY; i++)
    many[i] = large;
  CHECK_ERRNO(execv("/bin/true", many), E2BIG);
  CHECK_ERRNO(syscall(SYS_execve, "/bin/true", argv, 1L), EFAULT);
  CHECK_ERRNO(syscall(SYS_execve, "/bin/true", 1L, NULL), EFAULT);
  free(many);
  free(large);
  test_check();
  test_interpreter();
  snprintf(text, sizeof text, "rm -rf %s", directory);
  return system(text);
}
