#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "arch.h"
#include "capabilities.h"
#include "config.h"
#include "guest.h"
#include "identity-calls.h"
#include "owners.h"
#include "path.h"
#include "sys.h"
#include "text.h"
#include "trace.h"
#include "working-directory.h"

enum { MAX_ARGUMENTS = 1 << 20 }; // their addresses alone would pass the kernel's limit for the new stack

// A tracer learns of an execve(2) by SIGTRAP. It waits until the program has been loaded: before, there is only the
// shim to look at.
static const uint64_t sigtrap_bit = (uint64_t)1 << (SIGTRAP - 1);

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
static long build_arguments(struct exec_plan *plan, const struct exec_request *request,
                            const struct exec_prefix *prefix) {
  long count = count_arguments(request->argv);
  if (count < 0)
    return count;
  size_t prefixed = EXEC_PREFIX_MAX - (size_t)prefix->start, total = 2 + prefixed + (size_t)count + 2;
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
  plan->argv[used++] = exec_name(plan, request);
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

// The ids that the program gets, after what its file says.
static long write_identity(struct exec_plan *plan, char *out) {
  if ((config.flags & CONFIG_FAKE_IDS) == 0) {
    *out = ' ';
    return 1;
  }
  struct stat file;
  struct identity next = *identity_current();
  long error = SYS_2(SYS_fstat, plan->image, &file);
  if (error < 0)
    return error;
  owners_show_descriptor(plan->image, file.st_mode, &file.st_uid, &file.st_gid);
  bool was_changed = next.changed;
  capabilities_follow_exec(&next, &file);
  if (next.changed && !was_changed)
    error = identity_trap_getters();
  return error < 0 ? error : (long)identity_write(&next, out);
}

// "BASE REPORT IMAGE INTERPRETER FLAGS IDENTITY PATH": where the hidden descriptors are, where to report, what to load,
// the flags, the ids if they have changed, its guest path.
static long write_handover(struct exec_plan *plan, const struct exec_request *request) {
  struct text numbers = {0};
  text_add_number(&numbers, config.descriptor_base);
  text_add(&numbers, " ");
  text_add_number(&numbers, request->report);
  text_add(&numbers, " ");
  text_add_number(&numbers, plan->image);
  text_add(&numbers, " ");
  text_add_number(&numbers, plan->interpreter_image);
  text_add(&numbers, " ");
  text_add_number(&numbers, (trace_is_put_off() ? EXEC_TRACE_PUT_OFF : 0) |
                                (request->trap_blocked ? EXEC_TRAP_BLOCKED : 0) |
                                (working_directory_is_shared() ? EXEC_DIRECTORY_SHARED : 0) |
                                (request->path[0] == '\0' ? EXEC_BY_DESCRIPTOR : 0));
  text_add(&numbers, " ");
  memcpy(plan->handover, numbers.bytes, numbers.length);
  char *path = plan->handover + numbers.length;
  long length = write_identity(plan, path);
  if (length < 0)
    return length;
  path += length;
  length = path_of_descriptor(plan->image, path, PATH_MAX);
  if (length < 0) {
    struct text own = {0};
    text_add_descriptor(&own, plan->image);
    length = SYS_4(SYS_readlinkat, AT_FDCWD, text_end(&own), path, PATH_MAX - 1);
  }
  if (length < 0)
    return length;
  path[length] = '\0';
  long error = SYS_3(SYS_fcntl, plan->image, F_SETFD, 0);
  return error < 0 || plan->interpreter_image < 0 ? error : SYS_3(SYS_fcntl, plan->interpreter_image, F_SETFD, 0);
}

long exec_prepare(const struct exec_request *request, struct exec_plan **out) {
  struct exec_plan *plan = exec_plan_acquire();
  *out = plan;
  if (plan == NULL)
    return -ENOMEM;
  if (request->flags & AT_EXECVE_CHECK)
    return exec_check(plan, request);
  struct exec_prefix prefix = {.start = EXEC_PREFIX_MAX};
  long error = exec_find(plan, request, &prefix);
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

// Guests that have left root may not search the directories above the shim. (execve(2) itself gives no such error that
// exec_find() has not given before.)
static long execute_by_descriptor(struct deferred *deferred) {
  deferred->number = SYS_execveat;
  deferred->argument[3] = deferred->argument[2];
  deferred->argument[2] = deferred->argument[1];
  deferred->argument[1] = (long)"";
  deferred->argument[0] = config.descriptor_base + HIDDEN_SHIM;
  deferred->argument[4] = AT_EMPTY_PATH;
  deferred->resume = RESUME_ALWAYS;
  return CALL_DEFERRED;
}

long exec_call(struct call *call) {
  const long *argument = call->argument;
  bool at = call->number == SYS_execveat;
  if (call->stage == 1) {
    if (call->result == -EACCES && call->deferred->number == SYS_execve)
      return execute_by_descriptor(call->deferred);
    struct exec_plan *failed = (struct exec_plan *)call->deferred->argument[5];
    if (failed->left_identity)
      identity_set(&failed->identity);
    if (!failed->trap_was_blocked)
      *call->mask &= ~sigtrap_bit;
    exec_plan_abandon(failed);
    return call->result;
  }
  struct exec_request request = {.dirfd = at ? (int)argument[0] : AT_FDCWD,
                                 .path = (const char *)argument[at ? 1 : 0],
                                 .argv = (const char *const *)argument[at ? 2 : 1],
                                 .flags = at ? (int)argument[4] : 0,
                                 .report = -1,
                                 .trap_blocked = *call->mask & sigtrap_bit};
  if (request.flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_EXECVE_CHECK))
    return -EINVAL;
  long error = check_path(&request);
  if (error < 0)
    return error;
  struct exec_plan *plan;
  error = exec_prepare(&request, &plan);
  if (error < 0 || request.flags & AT_EXECVE_CHECK) {
    if (plan != NULL)
      exec_plan_abandon(plan);
    return error;
  }
  plan->left_identity = identity_leave(&plan->identity);
  exec_plan_bind(plan);
  plan->trap_was_blocked = request.trap_blocked;
  *call->mask |= sigtrap_bit;
  struct deferred *deferred = call->deferred;
  deferred->number = SYS_execve;
  deferred->argument[0] = (long)config.shim;
  deferred->argument[1] = (long)plan->argv;
  deferred->argument[2] = argument[at ? 3 : 2];
  deferred->argument[5] = (long)plan;
  deferred->resume = RESUME_ALWAYS;
  return CALL_DEFERRED;
}
