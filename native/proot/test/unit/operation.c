#include "operation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct context {
  struct actor *actor;
  const struct operation *operation;
  struct outcome *outcome;
  int dirfd;
  int other_dirfd;
};

static long call(const struct context *context, long number, long a, long b, long c, long d, long e) {
  return context->actor->call(number, a, b, c, d, e, 0);
}

static void note(const struct context *context, const struct stat *status) {
  context->outcome->has_object = true;
  context->outcome->device = status->st_dev;
  context->outcome->inode = status->st_ino;
  context->outcome->mode = status->st_mode;
}

// A new descriptor: what it leads to is part of the outcome, its number is not.
static long note_descriptor(const struct context *context, long descriptor) {
  struct stat status;
  if (descriptor < 0)
    return descriptor;
  if (fstat((int)descriptor, &status) == 0)
    note(context, &status);
  close((int)descriptor);
  return 0;
}

static long run_stat(const struct context *context) {
  struct stat status;
  long result = call(context, SYS_stat, (long)context->operation->path, (long)&status, 0, 0, 0);
  if (result == 0)
    note(context, &status);
  return result;
}

static long run_stat_at(const struct context *context) {
  struct stat status;
  long result = call(context, SYS_newfstatat, context->dirfd, (long)context->operation->path, (long)&status,
                     context->operation->flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), 0);
  if (result == 0)
    note(context, &status);
  return result;
}

static long run_statx(const struct context *context) {
  struct statx status;
  long result = call(context, SYS_statx, context->dirfd, (long)context->operation->path,
                     context->operation->flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), STATX_INO, (long)&status);
  if (result == 0) {
    context->outcome->has_object = true;
    context->outcome->inode = status.stx_ino;
  }
  return result;
}

static const long look_flags[] = {O_RDONLY,
                                  O_RDONLY | O_NOFOLLOW,
                                  O_RDONLY | O_DIRECTORY,
                                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                                  O_PATH,
                                  O_PATH | O_NOFOLLOW,
                                  O_PATH | O_DIRECTORY,
                                  O_PATH | O_DIRECTORY | O_NOFOLLOW,
                                  O_WRONLY,
                                  O_RDWR | O_NOFOLLOW};
static const long change_flags[] = {O_WRONLY | O_CREAT,
                                    O_WRONLY | O_CREAT | O_EXCL,
                                    O_WRONLY | O_CREAT | O_NOFOLLOW,
                                    O_RDONLY | O_CREAT,
                                    O_WRONLY | O_TRUNC,
                                    O_RDONLY | O_CREAT | O_DIRECTORY,
                                    O_WRONLY | O_TMPFILE,
                                    O_PATH | O_CREAT};

#define PICK(list, number) ((list)[(unsigned long)(number) % (sizeof(list) / sizeof *(list))])

static long open_with(const struct context *context, long flags) {
  return note_descriptor(context, call(context, SYS_openat, context->dirfd, (long)context->operation->path,
                                       flags | O_NONBLOCK | O_CLOEXEC, 0644, 0));
}

static long run_open_look(const struct context *context) {
  return open_with(context, PICK(look_flags, context->operation->flags));
}

static long run_open_change(const struct context *context) {
  return open_with(context, PICK(change_flags, context->operation->flags));
}

static long run_openat2(const struct context *context) {
  long flags = PICK(look_flags, context->operation->flags) | O_CLOEXEC;
  struct open_how how = {.flags = (uint64_t)(flags | ((flags & O_PATH) == 0 ? O_NONBLOCK : 0)),
                         .resolve = context->operation->resolve};
  return note_descriptor(context, call(context, SYS_openat2, context->dirfd, (long)context->operation->path,
                                       (long)&how, sizeof how, 0));
}

static long run_access(const struct context *context) {
  return call(context, SYS_faccessat, context->dirfd, (long)context->operation->path, context->operation->flags & 7, 0,
              0);
}

static long run_access2(const struct context *context) {
  return call(context, SYS_faccessat2, context->dirfd, (long)context->operation->path, context->operation->flags & 7,
              context->operation->flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), 0);
}

static long run_readlink(const struct context *context) {
  long result = call(context, SYS_readlinkat, context->dirfd, (long)context->operation->path,
                     (long)context->outcome->text, sizeof context->outcome->text - 1, 0);
  return result < 0 ? result : 0;
}

static long run_chdir(const struct context *context) {
  struct stat status;
  long result = call(context, SYS_chdir, (long)context->operation->path, 0, 0, 0, 0);
  if (result == 0 && stat(".", &status) == 0)
    note(context, &status);
  return result;
}

static long run_getcwd(const struct context *context) {
  long result = call(context, SYS_getcwd, (long)context->outcome->text, sizeof context->outcome->text, 0, 0, 0);
  return result < 0 ? result : 0;
}

static long run_keep_directory(const struct context *context) {
  long flags = (context->operation->flags & 1) != 0 ? O_PATH : O_RDONLY;
  long descriptor = call(context, SYS_openat, context->dirfd, (long)context->operation->path,
                         flags | O_DIRECTORY | O_CLOEXEC, 0, 0);
  int *slot = &context->actor->slots[context->operation->other_slot & (DESCRIPTOR_SLOTS - 1)];
  if (descriptor < 0)
    return descriptor;
  close(*slot);
  *slot = (int)descriptor;
  return note_descriptor(context, dup((int)descriptor));
}

static long run_fchdir(const struct context *context) {
  return call(context, SYS_fchdir, context->dirfd, 0, 0, 0, 0);
}

static long run_statfs(const struct context *context) {
  struct statfs status;
  return call(context, SYS_statfs, (long)context->operation->path, (long)&status, 0, 0, 0);
}

static long run_getxattr(const struct context *context) {
  static const long numbers[] = {SYS_getxattr, SYS_lgetxattr};
  return call(context, PICK(numbers, context->operation->flags), (long)context->operation->path, (long)"user.anyproc",
              (long)context->outcome->text, 64, 0);
}

static long run_inotify(const struct context *context) {
  int watcher = inotify_init1(IN_CLOEXEC);
  long result = call(context, SYS_inotify_add_watch, watcher, (long)context->operation->path,
                     IN_CREATE | ((context->operation->flags & 1) != 0 ? IN_DONT_FOLLOW : 0), 0, 0);
  close(watcher);
  return result < 0 ? result : 0;
}

static long run_mkdir(const struct context *context) {
  return call(context, SYS_mkdirat, context->dirfd, (long)context->operation->path, 0755, 0, 0);
}

static long run_mknod(const struct context *context) {
  return call(context, SYS_mknodat, context->dirfd, (long)context->operation->path, S_IFIFO | 0644, 0, 0);
}

static long run_symlink(const struct context *context) {
  return call(context, SYS_symlinkat, (long)context->operation->other_path, context->dirfd,
              (long)context->operation->path, 0, 0);
}

static long run_unlink(const struct context *context) {
  static const long flags[] = {0, AT_REMOVEDIR};
  return call(context, SYS_unlinkat, context->dirfd, (long)context->operation->path,
              PICK(flags, context->operation->flags), 0, 0);
}

static long run_rename(const struct context *context) {
  static const long flags[] = {0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE};
  return call(context, SYS_renameat2, context->dirfd, (long)context->operation->path, context->other_dirfd,
              (long)context->operation->other_path, PICK(flags, context->operation->flags));
}

static long run_link(const struct context *context) {
  static const long flags[] = {0, AT_SYMLINK_FOLLOW};
  return call(context, SYS_linkat, context->dirfd, (long)context->operation->path, context->other_dirfd,
              (long)context->operation->other_path, PICK(flags, context->operation->flags));
}

static long run_chmod(const struct context *context) {
  static const long modes[] = {0755, 0700, 0777, 0644};
  return call(context, SYS_fchmodat, context->dirfd, (long)context->operation->path,
              PICK(modes, context->operation->flags), 0, 0);
}

static long run_chown(const struct context *context) {
  return call(context, SYS_fchownat, context->dirfd, (long)context->operation->path, -1, -1,
              context->operation->flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH));
}

static long run_truncate(const struct context *context) {
  return call(context, SYS_truncate, (long)context->operation->path, 3, 0, 0, 0);
}

static long run_times(const struct context *context) {
  struct timespec times[2] = {{1000, 0}, {2000, 0}};
  return call(context, SYS_utimensat, context->dirfd, (long)context->operation->path, (long)times,
              context->operation->flags & AT_SYMLINK_NOFOLLOW, 0);
}

static long run_setxattr(const struct context *context) {
  static const long numbers[] = {SYS_setxattr, SYS_lsetxattr};
  return call(context, PICK(numbers, context->operation->flags), (long)context->operation->path, (long)"user.anyproc",
              (long)"value", 5, 0);
}

static long run_socket(const struct context *context) {
  static const long numbers[] = {SYS_bind, SYS_connect};
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  strncpy(name.sun_path, context->operation->path, sizeof name.sun_path - 1);
  int handle = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  long result = call(context, PICK(numbers, context->operation->flags), handle, (long)&name, sizeof name, 0, 0);
  close(handle);
  return result;
}

static const struct {
  const char *name;
  long (*run)(const struct context *context);
  bool changes;
} kinds[] = {
    {"stat", run_stat, false},
    {"newfstatat", run_stat_at, false},
    {"statx", run_statx, false},
    {"openat", run_open_look, false},
    {"openat2", run_openat2, false},
    {"faccessat", run_access, false},
    {"faccessat2", run_access2, false},
    {"readlinkat", run_readlink, false},
    {"chdir", run_chdir, false},
    {"getcwd", run_getcwd, false},
    {"keep directory", run_keep_directory, false},
    {"fchdir", run_fchdir, false},
    {"statfs", run_statfs, false},
    {"getxattr", run_getxattr, false},
    {"inotify_add_watch", run_inotify, false},
    {"openat for change", run_open_change, true},
    {"mkdirat", run_mkdir, true},
    {"mknodat", run_mknod, true},
    {"symlinkat", run_symlink, true},
    {"unlinkat", run_unlink, true},
    {"renameat2", run_rename, true},
    {"linkat", run_link, true},
    {"fchmodat", run_chmod, true},
    {"fchownat", run_chown, true},
    {"truncate", run_truncate, true},
    {"utimensat", run_times, true},
    {"setxattr", run_setxattr, true},
    {"bind or connect", run_socket, true},
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static int random_slot(struct random *random) {
  return random_below(random, 3) == 0 ? (int)random_below(random, DESCRIPTOR_SLOTS) : -1;
}

void operation_choose(struct random *random, bool changes, struct operation *out) {
  static const uint64_t resolves[] = {0,
                                      RESOLVE_NO_SYMLINKS,
                                      RESOLVE_NO_MAGICLINKS,
                                      RESOLVE_NO_XDEV,
                                      RESOLVE_BENEATH,
                                      RESOLVE_IN_ROOT,
                                      RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
                                      RESOLVE_BENEATH | RESOLVE_NO_XDEV};
  do
    out->kind = random_below(random, KIND_COUNT);
  while (kinds[out->kind].changes && !changes);
  out->slot = random_slot(random);
  out->other_slot = random_slot(random);
  out->flags = random_below(random, 1u << 16);
  out->resolve = PICK(resolves, random_below(random, 64));
  random_path(random, out->path, sizeof out->path);
  random_path(random, out->other_path, sizeof out->other_path);
}

static int descriptor_of(const struct actor *actor, int slot) {
  return slot < 0 ? AT_FDCWD : actor->slots[slot];
}

void operation_perform(struct actor *actor, const struct operation *operation, struct outcome *out) {
  *out = (struct outcome){0};
  struct context context = {
      .actor = actor,
      .operation = operation,
      .outcome = out,
      .dirfd = descriptor_of(actor, operation->slot),
      .other_dirfd = descriptor_of(actor, operation->other_slot),
  };
  out->result = kinds[operation->kind].run(&context);
}

bool operation_is_rename(const struct operation *operation) {
  return kinds[operation->kind].run == run_rename;
}

void operation_print(const struct operation *operation) {
  printf("%s slot %d \"%s\" slot %d \"%s\" flags %#lx resolve %#lx\n", kinds[operation->kind].name, operation->slot,
         operation->path, operation->other_slot, operation->other_path, operation->flags,
         (unsigned long)operation->resolve);
}
