#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "configuration.h"
#include "failure.h"
#include "nested.h"
#include "options.h"
#include "probe.h"
#include "spawn.h"
#include "supervise.h"

// Every signal waits in a descriptor; ignored ones stay ignored, except that children must leave their status.
static int take_signals(struct inherited *inherited) {
  sigset_t all;
  struct sigaction action = {.sa_handler = SIG_DFL};
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &inherited->mask);
  sigaction(SIGCHLD, &action, &inherited->child_action);
  int descriptor = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0)
    fail("descriptors", errno, "signalfd");
  return descriptor;
}

// Descriptors opened from here on must not pass for closed standard streams, which the guest gets closed.
static void hold_standard_streams(void) {
  int opened;
  do
    opened = open("/", O_PATH | O_CLOEXEC);
  while (opened >= 0 && opened <= STDERR_FILENO);
  if (opened > STDERR_FILENO)
    close(opened);
}

// pidfd_open(2). Where the kernel has or allows none, the end of the parent's thread has to do (prctl(2)).
static int watch_parent(pid_t parent) {
  if (parent == 0)
    return -1;
  int descriptor = (int)syscall(SYS_pidfd_open, parent, 0);
  if (descriptor < 0)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    fail("orphan", 0, "--life-pid");
  return descriptor;
}

int main(int argc, char **argv) {
  static struct options options;
  static struct configuration configuration;
  struct inherited inherited;
  (void)argc;
  hold_standard_streams();
  options_parse(argv, &options);
  if (options.probe)
    return probe();
  configuration.is_nested = is_nested();
  struct supervision supervision = {.life = options.life, .wait_for_all = options.no_kill_on_exit};
  supervision.parent = watch_parent(options.parent);
  supervision.signals = take_signals(&inherited);
  // With SIGXFSZ blocked, a limit on file sizes is an error that can be told.
  if (!configuration.is_nested)
    configuration_build(&options, &configuration);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  spawn_guest(&options, &configuration, &inherited, &supervision.guest);
  end_as(supervise(&supervision));
}
