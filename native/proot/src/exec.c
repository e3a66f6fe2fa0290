#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "arch.h"
#include "config.h"
#include "guest.h"
#include "image.h"
#include "path.h"
#include "process.h"
#include "slot.h"
#include "sys.h"
#include "text.h"
#include "trace.h"

enum { MAX_ARGUMENTS = 1 << 20 }; // their addresses alone would pass the kernel's limit for the new stack

// A tracer learns of an execve(2) by SIGTRAP. It waits until the program has been loaded: before, there is only the
// shim to look at.
static const uint64_t sigtrap_bit = (uint64_t)1 << (SIGTRAP - 1);

// Plans outlive the trap that makes them: execve(2) reads them in the guest's own context.
__attribute__((section(".bss.plans"))) static struct exec_plan plans[EXEC_BUFFER_COUNT];

// A vfork child takes its plan along when it execs. The kernel then marks the owner word in the memory that its
// parent still uses, as it does for a robust mutex (set_robust_list(2)). Threads that have such a list already are
// no fresh vfork children.
static void bind_to_thread(struct exec_plan *plan) {
  struct robust_list_head *present = NULL;
  size_t size;
  if (SYS_3(SYS_get_robust_list, 0, &present, &size) < 0 || present != NULL)
    return;
  *plan->owner = (uint32_t)SYS_0(SYS_gettid);
  plan->robust.list.next = &plan->robust.list;
  plan->robust.futex_offset = 0;
  plan->robust.list_op_pending = (struct robust_list *)plan->owner;
  SYS_2(SYS_set_robust_list, &plan->robust, sizeof plan->robust);
}

static void unbind_from_thread(struct exec_plan *plan) {
  if (*plan->owner != SLOT_BUSY)
    SYS_2(SYS_set_robust_list, 0, sizeof plan->robust);
}

static struct exec_plan *plan_acquire(void) {
  struct exec_plan *plan;
  int i = owner_claim(process.exec_buffer_owner, EXEC_BUFFER_COUNT);
  if (i >= 0) {
    plan = &plans[i];
    plan->owner = &process.exec_buffer_owner[i];
  } else {
    long at = SYS_6(SYS_mmap, 0, sizeof *plan, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0)
      return NULL;
    plan = (struct exec_plan *)at;
    plan->owner = NULL;
  }
  plan->image = -1;
  plan->machine = 0;
  plan->interpreter_missing = false;
  plan->mapped = 0;
  plan->argv = plan->inline_argv;
  return plan;
}

void exec_abandon(struct exec_plan *plan) {
  if (plan->image >= 0)
    SYS_1(SYS_close, plan->image);
  if (plan->mapped > 0)
    SYS_2(SYS_munmap, plan->argv, plan->mapped);
  if (plan->owner == NULL) {
    SYS_2(SYS_munmap, plan, sizeof *plan);
    return;
  }
  unbind_from_thread(plan);
  __atomic_store_n(plan->owner, 0, __ATOMIC_RELEASE);
}

static void descriptor_path(struct text *out, int descriptor) {
  text_add(out, "/proc/self/fd/");
  text_add_number(out, descriptor);
  text_end(out);
}

static bool executable(int descriptor) {
  long error = SYS_4(SYS_faccessat2, descriptor, "", 1, AT_EMPTY_PATH | AT_EACCESS);
  if (error == -ENOSYS) {
    struct text path = {0};
    descriptor_path(&path, descriptor);
    error = SYS_3(SYS_faccessat, AT_FDCWD, path.bytes, 1);
  }
  return error == 0;
}

// Opens a program or interpreter. Opening a FIFO must not wait, and a device is never run.
static long open_program(int dirfd, const char *path, int flags) {
  long how = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  long descriptor;
  if (path[0] == '\0' && (flags & AT_EMPTY_PATH)) {
    struct text own = {0};
    descriptor_path(&own, dirfd);
    descriptor = SYS_4(SYS_openat, AT_FDCWD, own.bytes, how, 0);
    if (descriptor == -ENOENT)
      descriptor = -EBADF;
  } else {
    descriptor = path_open(dirfd, path, flags & AT_SYMLINK_NOFOLLOW ? how | O_NOFOLLOW : how, 0);
  }
  if (descriptor < 0)
    return descriptor == -ENXIO ? -EACCES : descriptor;
  struct stat status;
  if (SYS_2(SYS_fstat, descriptor, &status) < 0 || !S_ISREG(status.st_mode) || !executable((int)descriptor)) {
    SYS_1(SYS_close, descriptor);
    return -EACCES;
  }
  return descriptor;
}

// The name under which the program knows itself, as in AT_EXECFN and in a script's argument (execveat(2)).
static const char *name_program(struct exec_plan *plan, const struct exec_request *request) {
  if (request->path[0] == '/' || request->dirfd == AT_FDCWD)
    return request->path;
  struct text prefix = {0};
  text_add(&prefix, "/dev/fd/");
  text_add_number(&prefix, request->dirfd);
  if (request->path[0] != '\0')
    text_add(&prefix, "/");
  text_end(&prefix);
  memcpy(plan->path_name, prefix.bytes, prefix.length);
  memcpy(plan->path_name + prefix.length, request->path, strlen(request->path) + 1);
  return plan->path_name;
}

// An unreadable or foreign interpreter fails the whole call (load_elf_binary() in the kernel).
static long check_interpreter(struct exec_plan *plan, const struct image *program) {
  long length = image_interpreter(program, plan->interpreter, sizeof plan->interpreter);
  if (length <= 0)
    return length;
  plan->interpreter_missing = true;
  long descriptor = open_program(AT_FDCWD, plan->interpreter, 0);
  if (descriptor < 0)
    return descriptor;
  struct image interpreter;
  unsigned short machine;
  long error = image_read((int)descriptor, &interpreter);
  if (error == 0 && image_check(&interpreter, &machine) < 0)
    error = -ELIBBAD;
  SYS_1(SYS_close, descriptor);
  plan->interpreter_missing = error < 0;
  return error;
}

// What the scripts on the way to the program put before the guest's own arguments, written from the end.
struct prefix {
  const char *argument[3 * EXEC_DEPTH];
  int start;
};

static void prefix_push(struct prefix *prefix, const char *argument) {
  prefix->argument[--prefix->start] = argument;
}

// Follows "#!" lines to the ELF file behind them; its descriptor stays in plan->image.
static long find_program(struct exec_plan *plan, const struct exec_request *request, struct prefix *prefix) {
  int dirfd = request->dirfd, flags = request->flags;
  const char *path = request->path, *name = name_program(plan, request);
  for (int depth = 0; depth <= EXEC_DEPTH; depth++) {
    long opened = open_program(dirfd, path, flags);
    if (opened < 0) {
      plan->interpreter_missing = depth > 0;
      return opened;
    }
    plan->image = (int)opened;
    struct image image;
    long error = image_read(plan->image, &image);
    if (error < 0)
      return error;
    struct script *script = &plan->script[depth < EXEC_DEPTH ? depth : 0];
    if (depth == EXEC_DEPTH && image.head[0] == '#' && image.head[1] == '!')
      return -ELOOP;
    long is_script = depth < EXEC_DEPTH ? script_read(image.head, image.size, script) : 0;
    if (is_script < 0)
      return is_script;
    if (is_script == 0) {
      error = image_check(&image, &plan->machine);
      return error < 0 ? error : check_interpreter(plan, &image);
    }
    SYS_1(SYS_close, plan->image);
    plan->image = -1;
    if (depth == 0 && request->path[0] != '/' && request->dirfd != AT_FDCWD &&
        (SYS_2(SYS_fcntl, request->dirfd, F_GETFD) & FD_CLOEXEC))
      return -ENOENT; // the interpreter could not open it by its name
    if (depth > 0)
      prefix->start++; // replaces the name by which it was called
    prefix_push(prefix, name);
    if (script->argument != NULL)
      prefix_push(prefix, script->argument);
    prefix_push(prefix, script->interpreter);
    name = path = script->interpreter;
    dirfd = AT_FDCWD;
    flags = 0;
  }
  return -ELOOP;
}

static long count_arguments(const char *const *argv) {
  if (argv == NULL)
    return 0;
  for (long count = 0; count < MAX_ARGUMENTS; count++) {
    const char *argument;
    if (((uintptr_t)&argv[count] % ARCH_PAGE_SIZE == 0 || count == 0 || (uintptr_t)argv % sizeof *argv != 0) &&
        guest_probe(&argv[count], sizeof *argv) < 0)
      return -EFAULT;
    memcpy(&argument, &argv[count], sizeof argument);
    if (argument == NULL)
      return count;
  }
  return -E2BIG;
}

// The shim's own two arguments (an even number, so that dropping them keeps the stack's alignment), then the guest's.
static long build_arguments(struct exec_plan *plan, const struct exec_request *request, const struct prefix *prefix) {
  long count = count_arguments(request->argv);
  if (count < 0)
    return count;
  size_t prefixed = 3 * EXEC_DEPTH - (size_t)prefix->start, total = 2 + prefixed + (size_t)count + 2;
  if (total > EXEC_INLINE_ARGUMENTS) {
    size_t size = total * sizeof *plan->argv;
    long at = SYS_6(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0)
      return at;
    plan->argv = (const char **)at;
    plan->mapped = size;
  }
  size_t used = 0;
  plan->argv[used++] = plan->handover;
  plan->argv[used++] = name_program(plan, request);
  for (size_t i = 0; i < prefixed; i++)
    plan->argv[used++] = prefix->argument[prefix->start + (int)i];
  long own = prefixed > 0 ? 1 : 0; // a script's argv[0] gives way to the interpreter's
  if (count > own) {
    memcpy(&plan->argv[used], &request->argv[own], (size_t)(count - own) * sizeof *plan->argv);
    used += (size_t)(count - own);
  } else if (prefixed == 0) {
    plan->argv[used++] = ""; // execve(2): an empty list becomes one empty string
  }
  plan->argv[used] = NULL;
  return 0;
}

// "BASE REPORT IMAGE FLAGS PATH": where the hidden descriptors are, where to report, what to load, the flags, its
// guest path.
static long write_handover(struct exec_plan *plan, const struct exec_request *request) {
  struct text numbers = {0};
  text_add_number(&numbers, config.descriptor_base);
  text_add(&numbers, " ");
  text_add_number(&numbers, request->report);
  text_add(&numbers, " ");
  text_add_number(&numbers, plan->image);
  text_add(&numbers, " ");
  text_add_number(&numbers, (trace_is_put_off() ? EXEC_TRACE_PUT_OFF : 0) |
                                (request->trap_blocked ? EXEC_TRAP_BLOCKED : 0));
  text_add(&numbers, " ");
  memcpy(plan->handover, numbers.bytes, numbers.length);
  char *path = plan->handover + numbers.length;
  long length = path_of_descriptor(plan->image, path, PATH_MAX);
  if (length < 0) {
    struct text own = {0};
    descriptor_path(&own, plan->image);
    length = SYS_4(SYS_readlinkat, AT_FDCWD, own.bytes, path, PATH_MAX - 1);
  }
  if (length < 0)
    return length;
  path[length] = '\0';
  return SYS_3(SYS_fcntl, plan->image, F_SETFD, 0);
}

long exec_prepare(const struct exec_request *request, struct exec_plan **out) {
  struct exec_plan *plan = plan_acquire();
  *out = plan;
  if (plan == NULL)
    return -ENOMEM;
  struct prefix prefix = {.start = 3 * EXEC_DEPTH};
  long error = find_program(plan, request, &prefix);
  if (error == 0)
    error = build_arguments(plan, request, &prefix);
  if (error == 0)
    error = write_handover(plan, request);
  return error;
}

static long check_path(const struct exec_request *request) {
  long length = guest_string_length(request->path, PATH_MAX);
  if (length < 0)
    return length;
  if (length == 0 && !(request->flags & AT_EMPTY_PATH))
    return -ENOENT;
  return 0;
}

long exec_call(struct call *call) {
  const long *argument = call->argument;
  bool at = call->number == SYS_execveat;
  if (call->stage == 1) {
    if (!((struct exec_plan *)call->deferred->argument[5])->trap_was_blocked)
      *call->mask &= ~sigtrap_bit;
    exec_abandon((struct exec_plan *)call->deferred->argument[5]);
    return call->result;
  }
  struct exec_request request = {.dirfd = at ? (int)argument[0] : AT_FDCWD,
                                 .path = (const char *)argument[at ? 1 : 0],
                                 .argv = (const char *const *)argument[at ? 2 : 1],
                                 .flags = at ? (int)argument[4] : 0,
                                 .report = -1,
                                 .trap_blocked = *call->mask & sigtrap_bit};
  if (request.flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
    return -EINVAL;
  long error = check_path(&request);
  if (error < 0)
    return error;
  struct exec_plan *plan;
  error = exec_prepare(&request, &plan);
  if (error < 0) {
    if (plan != NULL)
      exec_abandon(plan);
    return error;
  }
  if (plan->owner != NULL)
    bind_to_thread(plan);
  plan->trap_was_blocked = request.trap_blocked;
  *call->mask |= sigtrap_bit;
  struct deferred *deferred = call->deferred;
  deferred->number = SYS_execve;
  deferred->argument[0] = (long)config.shim;
  deferred->argument[1] = (long)plan->argv;
  deferred->argument[2] = argument[at ? 3 : 2];
  deferred->argument[5] = (long)plan;
  deferred->resume = true;
  return CALL_DEFERRED;
}
