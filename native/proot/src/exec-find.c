#include "exec-find.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "config.h"
#include "guest.h"
#include "image.h"
#include "path.h"
#include "sys.h"
#include "text.h"

// execve(2)'s own judgement of a file, which is not run (AT_EXECVE_CHECK, since Linux 6.14): EACCES or ETXTBSY. Where
// it cannot be had, permission is all that can be asked for.
static long check_executable(int descriptor) {
  static const char *const none[] = {"", NULL};
  long error = SYS_5(SYS_execveat, descriptor, "", none, none + 1, AT_EMPTY_PATH | AT_EXECVE_CHECK);
  if (error == 0 || error == -EACCES || error == -ETXTBSY)
    return error;
  error = SYS_4(SYS_faccessat2, descriptor, "", X_OK, AT_EMPTY_PATH | AT_EACCESS);
  // EPERM is what sandboxes that are older than the call answer.
  if (error == -ENOSYS || error == -EPERM) {
    struct text path = {0};
    text_add_descriptor(&path, descriptor);
    error = SYS_3(SYS_faccessat, AT_FDCWD, text_end(&path), X_OK);
  }
  return error == 0 ? 0 : -EACCES;
}

// statfs(2): whether it is the mount that forbids execution.
static bool is_on_noexec_mount(int descriptor) {
  enum { NOEXEC = 8 }; // ST_NOEXEC, which only the C library names
  struct statfs status;
  return SYS_2(SYS_fstatfs, descriptor, &status) == 0 && (status.f_flags & NOEXEC) != 0;
}

// Opens a program or interpreter. Opening a FIFO must not wait, and a device is never run.
static long open_program(struct exec_plan *plan, int dirfd, const char *path, int flags) {
  long how = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  long descriptor;
  if (path[0] == '\0' && (flags & AT_EMPTY_PATH)) {
    struct text own = {0};
    text_add_descriptor(&own, dirfd);
    descriptor = SYS_4(SYS_openat, AT_FDCWD, text_end(&own), how, 0);
    if (descriptor == -ENOENT)
      descriptor = -EBADF;
  } else {
    descriptor = path_open(dirfd, path, flags & AT_SYMLINK_NOFOLLOW ? how | O_NOFOLLOW : how, 0);
  }
  if (descriptor < 0)
    return descriptor == -ENXIO ? -EACCES : descriptor;
  struct stat status;
  bool is_file = SYS_2(SYS_fstat, descriptor, &status) == 0 && S_ISREG(status.st_mode);
  long error = is_file ? check_executable((int)descriptor) : -EACCES;
  if (error == 0)
    return descriptor;
  plan->mount_forbids = is_file && error == -EACCES && is_on_noexec_mount((int)descriptor);
  SYS_1(SYS_close, descriptor);
  return error;
}

long exec_check(struct exec_plan *plan, const struct exec_request *request) {
  long opened = open_program(plan, request->dirfd, request->path, request->flags);
  if (opened < 0)
    return opened;
  SYS_1(SYS_close, opened);
  return 0;
}

const char *exec_name(struct exec_plan *plan, const struct exec_request *request) {
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

// An unreadable or foreign interpreter fails the whole call (load_elf_binary() in the kernel). It stays open for the
// shim, which may not find it any more: the program's ids may be others than its caller's.
static long check_interpreter(struct exec_plan *plan, const struct image *program) {
  long length = image_interpreter(program, plan->interpreter, sizeof plan->interpreter);
  if (length <= 0)
    return length;
  plan->interpreter_missing = true;
  long descriptor = open_program(plan, AT_FDCWD, plan->interpreter, 0);
  if (descriptor < 0)
    return descriptor;
  plan->interpreter_image = (int)descriptor;
  struct image interpreter;
  unsigned short machine;
  long error = image_read(plan->interpreter_image, &interpreter);
  if (error == 0 && interpreter.size < sizeof(Elf64_Ehdr))
    error = -EIO;
  if (error == 0 && image_check(&interpreter, &machine) < 0)
    error = -ELIBBAD;
  plan->interpreter_missing = error < 0;
  return error;
}

static void prefix_push(struct exec_prefix *prefix, const char *argument) {
  prefix->argument[--prefix->start] = argument;
}

static const struct runner *find_runner(unsigned machine) {
  for (size_t i = 0; i < config.runner_count; i++)
    if (config.runners[i].machine == machine)
      return &config.runners[i];
  return NULL;
}

// A program that others execute: a script's interpreter, or the runner of another processor's programs.
struct indirection {
  const char *program;
  const char *first, *second; // its own arguments, or NULL; the file that it is to execute follows
};

// Returns 1 and what executes the file, 0 when it is the program itself, or a negative errno.
static long find_indirection(struct exec_plan *plan, const struct image *image, int depth, const char *argv0,
                             struct indirection *out) {
  bool is_last = depth == EXEC_DEPTH;
  if (image->head[0] == '#' && image->head[1] == '!') {
    if (is_last)
      return -ELOOP;
    struct script *script = &plan->script[depth];
    long found = script_read(image->head, image->size, script);
    if (found > 0)
      *out = (struct indirection){.program = script->interpreter, .second = script->argument};
    return found;
  }
  long error = image_check(image, &plan->machine);
  const struct runner *runner = plan->machine != 0 ? find_runner(plan->machine) : NULL;
  if (error == 0 || runner == NULL)
    return error;
  if (is_last)
    return -ELOOP;
  plan->machine = 0;
  *out = (struct indirection){.program = runner->program};
  if (runner->argv0_option[0] != '\0') {
    out->first = runner->argv0_option;
    out->second = argv0;
  }
  return 1;
}

// The program's own name for itself, as the caller gives it.
static long read_argv0(const struct exec_request *request, const char **out) {
  *out = "";
  if (request->argv == NULL)
    return 0;
  const char *argv0;
  if (guest_copy_in(&argv0, request->argv, sizeof argv0) < 0)
    return -EFAULT;
  if (argv0 != NULL)
    *out = argv0;
  return 0;
}

long exec_find(struct exec_plan *plan, const struct exec_request *request, struct exec_prefix *prefix) {
  int dirfd = request->dirfd, flags = request->flags;
  const char *path = request->path, *name = exec_name(plan, request), *argv0;
  long error = read_argv0(request, &argv0);
  if (error < 0)
    return error;
  for (int depth = 0;; depth++) {
    long opened = open_program(plan, dirfd, path, flags);
    if (opened < 0 && depth > 0) {
      plan->interpreter_missing = true;
      memcpy(plan->interpreter, path, strlen(path) + 1);
    }
    if (opened < 0)
      return opened;
    plan->image = (int)opened;
    struct image image;
    error = image_read(plan->image, &image);
    if (error < 0)
      return error;
    struct indirection by = {0};
    long found = find_indirection(plan, &image, depth, argv0, &by);
    if (found <= 0)
      return found < 0 ? found : check_interpreter(plan, &image);
    SYS_1(SYS_close, plan->image);
    plan->image = -1;
    if (depth == 0 && request->path[0] != '/' && request->dirfd != AT_FDCWD &&
        (SYS_2(SYS_fcntl, request->dirfd, F_GETFD) & FD_CLOEXEC))
      return -ENOENT; // the interpreter could not open it by its name
    if (depth > 0)
      prefix->start++; // replaces the name by which it was called
    prefix_push(prefix, name);
    if (by.second != NULL)
      prefix_push(prefix, by.second);
    if (by.first != NULL)
      prefix_push(prefix, by.first);
    prefix_push(prefix, by.program);
    name = argv0 = path = by.program;
    dirfd = AT_FDCWD;
    flags = 0;
  }
}
