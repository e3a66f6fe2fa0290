// What execve(2) hands to the new program: arguments, auxiliary vector, names, mask, dispositions, heap.
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern char **environ;
extern char _start[], __ehdr_start[];

static ssize_t read_file(const char *path, char *out, size_t size) {
  int file = open(path, O_RDONLY);
  CHECK(file >= 0);
  ssize_t got = read(file, out, size);
  close(file);
  return got;
}

static int second(int argc, char **argv) {
  char content[8192], itself[4096] = "";
  sigset_t mask;
  CHECK(argc == 3 && strcmp(argv[0], "chosen name") == 0 && strcmp(argv[2], "") == 0 && argv[3] == NULL);
  CHECK(strcmp(getenv("ANYPROC_TEST"), "value") == 0 && environ[1] == NULL);
  CHECK((uintptr_t)getauxval(AT_ENTRY) == (uintptr_t)_start);
  const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)__ehdr_start;
  CHECK(getauxval(AT_PHDR) == (unsigned long)__ehdr_start + header->e_phoff && getauxval(AT_PHNUM) == header->e_phnum);
  CHECK(getauxval(AT_SECURE) == 0 && getauxval(AT_PHENT) == sizeof(ElfW(Phdr)));
  CHECK(getauxval(AT_RANDOM) != 0 && getauxval(AT_PAGESZ) == (unsigned long)sysconf(_SC_PAGESIZE));
  CHECK(strcmp((const char *)getauxval(AT_EXECFN), "../proc/self/fd/9") == 0);
  CHECK(readlink("/proc/self/exe", itself, sizeof itself - 1) > 0 && strcmp(itself, argv[1]) == 0);
  CHECK(prctl(PR_GET_NAME, content) == 0 && (strcmp(content, "9") == 0 || strstr(itself, content) != NULL));
  ssize_t size = read_file("/proc/self/cmdline", content, sizeof content);
  CHECK(size > 12 && memcmp(content, "chosen name", 12) == 0 && content[size - 1] == '\0' && content[size - 2] == '\0');
  size = read_file("/proc/self/environ", content, sizeof content);
  CHECK(size == sizeof "ANYPROC_TEST=value" && strcmp(content, "ANYPROC_TEST=value") == 0);
  size = read_file("/proc/self/auxv", content, sizeof content);
  CHECK(size > 0);
  for (const ElfW(auxv_t) *entry = (const ElfW(auxv_t) *)content; entry->a_type != AT_NULL; entry++)
    if (entry->a_type == AT_ENTRY)
      CHECK(entry->a_un.a_val == (uintptr_t)_start);
  CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
  CHECK(sigismember(&mask, SIGUSR2) == 1 && sigismember(&mask, SIGUSR1) == 0 && sigismember(&mask, SIGTERM) == 0);
  CHECK(signal(SIGUSR1, SIG_DFL) == SIG_IGN && signal(SIGHUP, SIG_DFL) == SIG_DFL);
  char *heap = sbrk(0);
  CHECK(sbrk(1 << 20) == heap && heap > __ehdr_start);
  memset(heap, 1, 1 << 20);
  CHECK((uintptr_t)argv % sizeof(void *) == 0);
  CHECK(dup(9) < 0 || close(9) == 0);
  return 21;
}

int main(int argc, char **argv) {
  if (argc > 1)
    return second(argc, argv);
  char itself[4096] = "";
  sigset_t mask;
  CHECK(readlink("/proc/self/exe", itself, sizeof itself - 1) > 0);
  int file = open(itself, O_RDONLY);
  CHECK(file >= 0 && dup2(file, 9) == 9 && close(file) == 0 && chdir("/proc") == 0);
  pid_t child = fork();
  if (child == 0) {
    char *arguments[] = {"chosen name", itself, "", NULL}, *environment[] = {"ANYPROC_TEST=value", NULL};
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR && signal(SIGHUP, exit) != SIG_ERR);
    CHECK(sigprocmask(SIG_SETMASK, &mask, NULL) == 0);
    execve("../proc/self/fd/9", arguments, environment);
    _exit(99);
  }
  int ended;
  CHECK(waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 21);
  return 0;
}
