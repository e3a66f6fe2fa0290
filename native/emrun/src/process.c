#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// close_range(2), kernel 5.9; one number on every architecture.
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

// The child shares the parent's memory until it executes (vfork(2)), so this is how it tells what went wrong.
struct failure {
  const char *call;
  int error;
};

static bool fail(struct failure *failure, const char *call) {
  failure->call = call;
  failure->error = errno;
  return false;
}

// execve(2) keeps what is ignored, and Node.js ignores SIGPIPE.
static void reset_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &action, NULL);
}

static bool place_descriptors(int *descriptors, size_t count, struct failure *failure) {
  for (size_t i = 0; i < count; i++) {
    if (descriptors[i] != NO_DESCRIPTOR) continue;
    descriptors[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (descriptors[i] == -1) return fail(failure, "open");
  }
  // Those that others would be put over move out of the way.
  for (size_t i = 0; i < count; i++) {
    if (descriptors[i] == (int)i || descriptors[i] >= (int)count) continue;
    descriptors[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, (int)count);
    if (descriptors[i] == -1) return fail(failure, "fcntl");
  }
  for (size_t i = 0; i < count; i++) {
    // dup2(2) of a descriptor to itself would leave it close-on-exec.
    int placed = descriptors[i] == (int)i ? fcntl((int)i, F_SETFD, 0) : dup2(descriptors[i], (int)i);
    if (placed == -1) return fail(failure, "dup2");
  }
  // Ours are close-on-exec; this is for those that this process was started with. Older kernels leave them open.
  syscall(SYS_close_range, (unsigned int)count, UINT_MAX, 0);
  return true;
}

// Node.js may have made an inherited standard stream non-blocking; programs do not expect EAGAIN there.
static void make_blocking(int descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags != -1 && (flags & O_NONBLOCK) != 0) fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
}

static void run_child(const struct process_options *options, const sigset_t *mask, struct failure *failure) {
  reset_signals();
  if (!place_descriptors(options->descriptors, options->descriptor_count, failure)) return;
  for (int stream = 0; stream < 3; stream++) make_blocking(stream);
  if (options->cwd != NULL && chdir(options->cwd) == -1) {
    fail(failure, "chdir");
    return;
  }
  pthread_sigmask(SIG_SETMASK, mask, NULL);
  execve(options->path, options->argv, options->env);
  fail(failure, "execve");
}

pid_t process_start(const struct process_options *options, const char **failed_call) {
  // A handler of ours that ran in the child would work on the parent's memory.
  sigset_t all, mask;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &mask);
  struct failure failure = {0};
  struct failure *volatile shared = &failure;
  pid_t pid = vfork();
  if (pid == 0) {
    run_child(options, &mask, shared);
    _exit(127);
  }
  if (pid == -1) fail(&failure, "vfork");
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  if (failure.call == NULL) return pid;
  if (pid != -1) waitpid(pid, NULL, 0);
  *failed_call = failure.call;
  return -failure.error;
}
