#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdbool.h>
#include <string.h>

#include "config.h"
#include "exec.h"
#include "filter.h"
#include "owners.h"
#include "path.h"
#include "report.h"
#include "start.h"
#include "sys.h"
#include "text.h"

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct first_program {
  struct initial_stack *stack;
  const char *name;
  const char **argv;
  int report;
  const char *denial; // what to report when only permission is missing
};

static const char *variable(const char **environment, const char *name) {
  size_t length = strlen(name);
  for (; *environment != NULL; environment++)
    if (strlen(*environment) > length && memcmp(*environment, name, length) == 0 && (*environment)[length] == '=')
      return *environment + length + 1;
  return NULL;
}

static const char *machine_name(int machine) {
  switch (machine) {
  case EM_386:
    return "i386";
  case EM_X86_64:
    return "x86-64";
  case EM_ARM:
    return "arm";
  case EM_AARCH64:
    return "aarch64";
  case EM_RISCV:
    return "riscv";
  case EM_PPC64:
    return "ppc64";
  case EM_S390:
    return "s390x";
  case EM_MIPS:
    return "mips";
  default:
    return "another processor";
  }
}

static _Noreturn void report_wrong_machine(int report, const char *path, const struct exec_plan *plan) {
  char object[PATH_MAX + 64];
  struct text suffix = {0};
  size_t length = strlen(path);
  text_add(&suffix, " (");
  text_add(&suffix, machine_name(plan->machine));
  text_add(&suffix, ")");
  memcpy(object, path, length);
  memcpy(object + length, text_end(&suffix), suffix.length + 1);
  report_and_exit(report, "wrong-architecture", -ENOEXEC, object);
}

static bool keeps_looking(long error) {
  return error == -ENOENT || error == -ENOTDIR || error == -EACCES || error == -ENAMETOOLONG || error == -ELOOP;
}

// Runs the program if it can; otherwise returns the error, having reported what is wrong with a file that is there.
static long run(struct first_program *first, const char *path) {
  struct exec_request request = {.dirfd = AT_FDCWD, .path = path, .argv = first->argv, .report = first->report,
                                 .trap_blocked = true}; // leave it as it is
  struct exec_plan *plan;
  long error = exec_prepare(&request, &plan);
  if (error == 0)
    error = SYS_3(SYS_execve, config.shim, plan->argv, first->stack->envp);
  if (plan == NULL)
    report_and_exit(first->report, "internal", error, "memory");
  if (plan->machine != 0)
    report_wrong_machine(first->report, path, plan);
  if (plan->interpreter_missing && !plan->mount_forbids)
    report_and_exit(first->report, "interpreter", error, plan->interpreter);
  if (error == -E2BIG || error == -ENAMETOOLONG)
    report_and_exit(first->report, "too-long", error, path);
  if (!keeps_looking(error))
    report_and_exit(first->report, "not-executable", error, path);
  if (error == -EACCES)
    first->denial = plan->mount_forbids ? "noexec" : "not-executable";
  exec_plan_abandon(plan);
  return error;
}

// execvp(3): a name with a slash is a path; a file without permission is passed over, but remembered.
static _Noreturn void search(struct first_program *first) {
  const char *name = first->name, *path = variable(first->stack->envp, "PATH");
  size_t name_length = strlen(name);
  long seen = -ENOENT;
  if (path == NULL)
    path = default_path;
  if (name_length >= PATH_MAX)
    report_and_exit(first->report, "too-long", -ENAMETOOLONG, name);
  for (size_t i = 0; i < name_length; i++)
    if (name[i] == '/') {
      long error = run(first, name);
      report_and_exit(first->report, error == -EACCES ? first->denial : "not-found", error, name);
    }
  while (name_length > 0) {
    size_t length = 0;
    while (path[length] != '\0' && path[length] != ':')
      length++;
    char candidate[PATH_MAX];
    if (length + 1 + name_length < sizeof candidate) {
      memcpy(candidate, path, length);
      candidate[length] = '/';
      memcpy(candidate + (length > 0 ? length + 1 : 0), name, name_length + 1);
      if (run(first, candidate) == -EACCES)
        seen = -EACCES;
    }
    if (path[length] == '\0')
      break;
    path += length + 1;
  }
  report_and_exit(first->report, seen == -EACCES ? first->denial : "not-found", seen, name);
}

static long change_directory(const char *path) {
  long directory = path_open(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (directory < 0)
    return directory;
  long error = SYS_1(SYS_fchdir, directory);
  SYS_1(SYS_close, directory);
  return error;
}

// Arguments: the handover, the working directory, the program, its argv.
void bootstrap(struct initial_stack *stack, const char *handover) {
  int base = (int)text_read_number(&handover);
  struct first_program first = {.stack = stack, .report = (int)text_read_number(&handover)};
  if (stack->argc < 4)
    report_and_exit(first.report, "internal", -EINVAL, "bootstrap arguments");
  const char *directory = stack->argv[1];
  first.name = stack->argv[2];
  first.argv = &stack->argv[3];
  long error = start_configuration(base);
  if (error < 0)
    report_and_exit(first.report, "internal", error, "configuration");
  owners_start();
  error = filter_install();
  if (error < 0)
    report_and_exit(first.report, "seccomp", error, "filter");
  error = change_directory(directory);
  if (error < 0)
    report_and_exit(first.report, "cwd", error, directory);
  search(&first);
}
