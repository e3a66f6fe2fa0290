#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "arch.h"
#include "config.h"
#include "exec.h"
#include "identity.h"
#include "image.h"
#include "life.h"
#include "path.h"
#include "report.h"
#include "signals.h"
#include "start.h"
#include "sys.h"
#include "text.h"
#include "trace.h"
#include "trap.h"
#include "working-directory.h"

// Past the point of no return the kernel, too, can only kill. The run's first program has someone to tell.
static _Noreturn void give_up(int report, long error, const char *object) {
  if (report >= 0)
    report_and_exit(report, "not-executable", error, object);
  for (;;)
    SYS_2(SYS_kill, SYS_0(SYS_getpid), SIGKILL);
}

static long load(int descriptor, bool is_interpreter, struct mapped_image *mapped) {
  struct image image;
  unsigned short machine;
  long error = image_read(descriptor, &image);
  if (error == 0)
    error = image_check(&image, &machine);
  if (error == 0)
    error = image_map(&image, is_interpreter, mapped);
  SYS_1(SYS_close, descriptor);
  return error;
}

static void correct_identity(Elf64_auxv_t *entry) {
  const struct identity *identity = identity_current();
  const uint32_t *uid = identity->uid, *gid = identity->gid;
  uint64_t *value = &entry->a_un.a_val;
  switch (entry->a_type) {
  case AT_UID:
    *value = uid[ID_REAL];
    break;
  case AT_EUID:
    *value = uid[ID_EFFECTIVE];
    break;
  case AT_GID:
    *value = gid[ID_REAL];
    break;
  case AT_EGID:
    *value = gid[ID_EFFECTIVE];
    break;
  case AT_SECURE:
    *value = uid[ID_REAL] != uid[ID_EFFECTIVE] || gid[ID_REAL] != gid[ID_EFFECTIVE];
    break;
  }
}

// getauxval(3): the vector describes the guest's program, not the shim. Returns its size in bytes.
static size_t correct_auxiliary_vector(Elf64_auxv_t *vector, const struct mapped_image *program,
                                       const struct mapped_image *interpreter, const char *name) {
  Elf64_auxv_t *entry = vector;
  for (; entry->a_type != AT_NULL; entry++) {
    uint64_t *value = &entry->a_un.a_val;
    switch (entry->a_type) {
    case AT_PHDR:
      *value = program->headers;
      break;
    case AT_PHNUM:
      *value = program->headers_count;
      break;
    case AT_ENTRY:
      *value = program->entry;
      break;
    case AT_BASE:
      *value = interpreter->bias;
      break;
    case AT_EXECFN:
      *value = (uintptr_t)name;
      break;
    }
    if ((config.flags & CONFIG_FAKE_IDS) != 0)
      correct_identity(entry);
  }
  return (size_t)((char *)(entry + 1) - (char *)vector);
}

// PR_SET_NAME (prctl(2)): the last component. What a descriptor leads to may have lost its name meanwhile.
static void correct_name(const char *path) {
  static const char lost[] = " (deleted)";
  char name[NAME_MAX + 1];
  size_t start = 0, end = 0;
  for (; path[end] != '\0'; end++)
    if (path[end] == '/')
      start = end + 1;
  size_t length = end - start;
  if (length > sizeof lost && memcmp(path + end - (sizeof lost - 1), lost, sizeof lost - 1) == 0)
    length -= sizeof lost - 1;
  if (length > NAME_MAX)
    length = NAME_MAX;
  memcpy(name, path + start, length);
  name[length] = '\0';
  SYS_2(SYS_prctl, PR_SET_NAME, name);
}

// What /proc/PID/cmdline, environ, auxv and stat show (prctl(2), PR_SET_MM_MAP), and where brk(2) starts: behind the
// program, as usual, not behind the shim.
static void correct_memory_map(const struct initial_stack *stack, const struct mapped_image *program,
                               size_t auxiliary_size) {
  const char *arguments = stack->argv[0];
  const char *last = stack->argv[stack->argc - 1];
  const char *arguments_end = last + strlen(last) + 1, *environment_end = arguments_end;
  for (const char **variable = stack->envp; *variable != NULL; variable++)
    environment_end = *variable + strlen(*variable) + 1;
  struct prctl_mm_map map = {.start_code = program->code_start,
                             .end_code = program->code_end,
                             .start_data = program->data_start,
                             .end_data = program->data_end,
                             .start_brk = program->end,
                             .brk = program->end,
                             .start_stack = (uintptr_t)stack->base,
                             .arg_start = (uintptr_t)arguments,
                             .arg_end = (uintptr_t)arguments_end,
                             .env_start = (uintptr_t)arguments_end,
                             .env_end = (uintptr_t)environment_end,
                             .auxv = (void *)stack->auxv,
                             .auxv_size = (uint32_t)auxiliary_size,
                             .exe_fd = (uint32_t)-1};
  SYS_5(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0);
}

// Drops the shim's two arguments.
static void correct_stack(struct initial_stack *stack) {
  stack->base += 2;
  stack->argc -= 2;
  stack->argv += 2;
  stack->base[0] = stack->argc;
}

// madvise(2), MADV_WIPEONFORK: so that a fork copies nothing of it either.
static void keep_from_children(void) {
  extern char private_start[], image_end[];
  SYS_3(SYS_madvise, private_start, image_end - private_start, MADV_WIPEONFORK);
}

void program(struct initial_stack *stack, const char *handover) {
  int base = (int)text_read_number(&handover), report = (int)text_read_number(&handover);
  int descriptor = (int)text_read_number(&handover), interpreter_descriptor = (int)text_read_number(&handover);
  int flags = (int)text_read_number(&handover);
  const char *name = stack->argv[1], *path;
  long error = start_configuration(base);
  if (error < 0)
    give_up(report, error, handover);
  keep_from_children();
  life_arm();
  identity_read(&handover);
  path_own_executable = path = handover;
  struct mapped_image mapped, interpreter = {0};
  error = load(descriptor, false, &mapped);
  if (error == 0 && interpreter_descriptor >= 0)
    error = load(interpreter_descriptor, true, &interpreter);
  if (error < 0)
    give_up(report, error, path);
  correct_stack(stack);
  size_t size = correct_auxiliary_vector(stack->auxv, &mapped, &interpreter, name);
  // Since Linux 6.14; before, it was the descriptor's number.
  correct_name(flags & EXEC_BY_DESCRIPTOR ? path : name);
  correct_memory_map(stack, &mapped, size);
  if (mapped.executable_stack)
    SYS_3(SYS_mprotect, (uintptr_t)stack->base & ~(uintptr_t)(ARCH_PAGE_SIZE - 1), ARCH_PAGE_SIZE,
          PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN);
  if (report >= 0)
    SYS_1(SYS_close, report);
  if (flags & EXEC_DIRECTORY_SHARED)
    working_directory_share(true);
  if (flags & EXEC_TRACE_PUT_OFF)
    trace_catch_up();
  signals_start(!(flags & EXEC_TRAP_BLOCKED));
  enter_guest(stack->base, interpreter.start != 0 ? interpreter.entry : mapped.entry);
}
