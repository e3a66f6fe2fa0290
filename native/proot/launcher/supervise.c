#include "supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failure.h"

// With the default action, whatever it is: stops or ends this process.
static void take_signal(int number) {
  sigset_t set;
  struct sigaction action = {.sa_handler = SIG_DFL};
  sigemptyset(&set);
  sigaddset(&set, number);
  sigaction(number, &action, NULL);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

static void kill_children(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  FILE *children = fopen(path, "re");
  if (children == NULL)
    return;
  int pid;
  while (fscanf(children, "%d", &pid) == 1)
    kill(pid, SIGKILL);
  fclose(children);
}

// The life pipe's end kills every guest that is bound to it. Whoever is not becomes a child of this process, a
// subreaper, at the latest when its parents are dead.
static void end_guests(struct supervision *supervision) {
  if (supervision->guest.life >= 0)
    close(supervision->guest.life);
  supervision->guest.life = -1;
  do
    kill_children();
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

// The terminal signals the whole foreground group, the guest too, but tells only the session's leader that it hung up.
static bool guest_needs(const struct signalfd_siginfo *info) {
  if (info->ssi_code != SI_KERNEL)
    return true;
  return (info->ssi_signo == SIGHUP || info->ssi_signo == SIGCONT) && getsid(0) == getpid();
}

struct outcome {
  bool known;
  int status;
};

static void pass_signals(struct supervision *supervision, const struct outcome *first) {
  struct signalfd_siginfo info;
  while (read(supervision->signals, &info, sizeof info) == sizeof info) {
    int number = (int)info.ssi_signo;
    if (number == SIGCHLD || !guest_needs(&info))
      continue;
    if (!first->known) {
      sigaddset(&supervision->passed_on, number);
      kill(supervision->guest.pid, number);
    } else if (number == SIGHUP || number == SIGINT || number == SIGTERM || number == SIGQUIT) {
      end_guests(supervision);
    }
  }
}

// Returns false when no child is left.
static bool reap(struct supervision *supervision, struct outcome *first) {
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
    if (pid == 0)
      return true;
    if (pid < 0)
      return false;
    if (pid != supervision->guest.pid)
      continue;
    if (WIFSTOPPED(status)) {
      take_signal(WSTOPSIG(status));
      continue;
    }
    *first = (struct outcome){true, status};
    // Who ended the first guest by a signal to this process has ended the run.
    bool was_asked = WIFSIGNALED(status) && sigismember(&supervision->passed_on, WTERMSIG(status)) == 1;
    if (!supervision->wait_for_all || was_asked)
      end_guests(supervision);
  }
}

// Reads the record of a failed start. Returns false at the pipe's end.
static bool read_report(int report) {
  static char record[8192];
  static size_t size;
  ssize_t got = read(report, record + size, sizeof record - 1 - size);
  if (got > 0) {
    size += (size_t)got;
    return true;
  }
  if (size == 0)
    return false;
  char *object = record + strcspn(record, " "), *end;
  record[size - (record[size - 1] == '\n')] = '\0';
  *object++ = '\0';
  long error = strtol(object, &end, 10);
  fail(record, (int)error, *end == ' ' ? end + 1 : end);
}

static void watch(struct pollfd *entry, int descriptor) {
  *entry = (struct pollfd){.fd = descriptor, .events = POLLIN};
}

static bool at_end(int descriptor) {
  char ignored[256];
  return read(descriptor, ignored, sizeof ignored) == 0;
}

// Whoever asked for this run is gone.
static void end_run(struct supervision *supervision, const struct outcome *first) {
  kill(supervision->guest.pid, SIGKILL);
  supervision->wait_for_all = false;
  if (first->known)
    end_guests(supervision);
}

int supervise(struct supervision *supervision) {
  struct outcome first = {0};
  struct pollfd watched[4];
  watch(&watched[0], supervision->signals);
  watch(&watched[1], supervision->guest.report);
  watch(&watched[2], supervision->life);
  watch(&watched[3], supervision->parent);
  for (;;) {
    if (poll(watched, 4, -1) < 0)
      continue;
    if (watched[1].revents != 0 && !read_report(supervision->guest.report)) {
      close(supervision->guest.report);
      failure_close_report();
      watched[1].fd = -1;
    }
    if (watched[2].revents != 0 && at_end(supervision->life)) {
      watched[2].fd = -1;
      end_run(supervision, &first);
    }
    if (watched[3].revents != 0) {
      watched[3].fd = -1;
      end_run(supervision, &first);
    }
    if (watched[0].revents != 0)
      pass_signals(supervision, &first);
    // Not before the report is complete: it explains an early end.
    if (watched[1].fd < 0 && !reap(supervision, &first))
      return first.status;
  }
}

void end_as(int status) {
  if (WIFSIGNALED(status)) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    take_signal(WTERMSIG(status));
    exit(128 + WTERMSIG(status));
  }
  exit(WEXITSTATUS(status));
}
