#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "namespace.h"
#include "process.h"
#include "sys.h"
#include "text.h"
#include "working-directory.h"

static long open_pipe(struct text *path) {
  return SYS_4(SYS_openat, AT_FDCWD, text_end(path), O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
}

static bool is_same_file(int a, int b) {
  struct stat x, y;
  return SYS_2(SYS_fstat, a, &x) == 0 && SYS_2(SYS_fstat, b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

// The supervisor's entries in /proc are there, while the kernel would have to make those of a process that has just been
// forked. Its pid may be somebody else's by now.
static long open_through_supervisor(int life) {
  struct text path = {0};
  text_add(&path, "/proc/");
  text_add_number(&path, config.supervisor);
  text_add(&path, "/fd/");
  text_add_number(&path, life);
  long opened = open_pipe(&path);
  if (opened < 0 || is_same_file((int)opened, life))
    return opened;
  SYS_1(SYS_close, opened);
  return -ESRCH;
}

// Who has other ids than the supervisor may not look there.
static long open_through_self(int life) {
  struct text path = {0};
  text_add_descriptor(&path, life);
  return open_pipe(&path);
}

// The owner of a signal belongs to the open file description (fcntl(2), F_SETOWN), which a child shares with its
// parent. So each process opens the pipe anew. Process groups would be fewer, but the supervisor's own group may hold
// processes that are none of its business.
static long open_own(int life) {
  long opened = open_through_supervisor(life);
  if (opened < 0)
    opened = open_through_self(life);
  if (opened < 0)
    return opened;
  long moved = SYS_3(SYS_dup3, opened, life, 0);
  SYS_1(SYS_close, opened);
  return moved;
}

void life_arm(void) {
  int self = (int)SYS_0(SYS_getpid);
  int life = config.descriptor_base + HIDDEN_LIFE;
  process.armed = (uint32_t)self;
  if (SYS_2(SYS_fcntl, life, F_GETOWN) == self || open_own(life) < 0)
    return;
  SYS_3(SYS_fcntl, life, F_SETSIG, SIGKILL);
  SYS_3(SYS_fcntl, life, F_SETOWN, self);
  SYS_3(SYS_fcntl, life, F_SETFL, O_RDONLY | O_NONBLOCK | O_ASYNC);
  char byte;
  if (SYS_3(SYS_read, life, &byte, 1) == 0) // the supervisor went away before this was set up
    SYS_2(SYS_kill, self, SIGKILL);
}

void life_arm_unforeseen(void) {
  life_arm();
  working_directory_share(true);
}

// A child without the mounts of its own that it has been promised would change those of others.
static void start_child(const struct call *call) {
  life_arm();
  working_directory_share(call->number == SYS_clone && (call->argument[0] & CLONE_FS) != 0);
  if (call->number == SYS_clone && namespace_start((unsigned long)call->argument[0]) < 0)
    SYS_2(SYS_kill, SYS_0(SYS_getpid), SIGKILL);
}

long life_fork(struct call *call) {
  struct deferred *deferred = call->deferred;
  if (call->stage == 1) {
    start_child(call);
    return 0;
  }
  deferred->number = call->number;
  memcpy(deferred->argument, call->argument, sizeof deferred->argument);
  deferred->resume = RESUME_ON_RESULTS; // of 0, in the child
  if (call->number != SYS_clone)
    return CALL_DEFERRED;
  if (call->argument[1] != 0)
    return -EPERM; // for namespaces: the child would not come back here, as it has a stack of its own
  unsigned long flags = (unsigned long)call->argument[0];
  if ((flags & CLONE_FS) != 0)
    working_directory_share(true);
  long result = namespace_check(flags);
  deferred->argument[0] = (long)namespace_strip(flags);
  return result < 0 ? result : CALL_DEFERRED;
}
