#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "nested.h"

struct pipe_ends {
  int read, write;
};

static struct pipe_ends make_pipe(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0)
    fail("descriptors", errno, "pipe");
  return (struct pipe_ends){ends[0], ends[1]};
}

static char **shim_arguments(const struct options *options, const char *handover) {
  size_t count = 0;
  while (options->command[count] != NULL)
    count++;
  char **argv = calloc(count + 4, sizeof *argv);
  if (argv == NULL)
    fail("internal", ENOMEM, "arguments");
  argv[0] = (char *)handover;
  argv[1] = (char *)options->cwd;
  argv[2] = options->command[0];
  for (size_t i = 0; i < count; i++)
    argv[3 + i] = options->command[i];
  if (options->argv0 != NULL)
    argv[3] = (char *)options->argv0;
  return argv;
}

static void take_descriptor(int from, int to) {
  if (dup2(from, to) < 0)
    fail("descriptors", errno, "the engine's own");
}

static _Noreturn void become_guest(const struct options *options, const struct configuration *configuration,
                                   const struct inherited *inherited, int report, pid_t supervisor) {
  extern char **environ;
  char handover[64];
  int base = configuration->descriptor_base;
  failure_leave_words(report);
  // Until the shim has tied itself to the life pipe.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor)
    _exit(125);
  sigaction(SIGCHLD, &inherited->child_action, NULL);
  sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
  if (configuration->is_nested)
    become_nested_guest(options);
  take_descriptor(configuration->root, base + HIDDEN_ROOT);
  take_descriptor(configuration->config, base + HIDDEN_CONFIG);
  take_descriptor(configuration->shared, base + HIDDEN_SHARED);
  take_descriptor(configuration->shim_file, base + HIDDEN_SHIM);
  fcntl(base + HIDDEN_LIFE, F_SETFD, 0);
  if (options->diagnostics >= 0)
    take_descriptor(options->diagnostics, base + HIDDEN_DIAGNOSTICS);
  fcntl(report, F_SETFD, 0);
  snprintf(handover, sizeof handover, "bootstrap %d %d", base, report);
  char **argv = shim_arguments(options, handover);
  execve(configuration->shim, argv, environ);
  fail("shim", errno, configuration->shim);
}

void spawn_guest(const struct options *options, const struct configuration *configuration,
                 const struct inherited *inherited, struct guest *out) {
  struct pipe_ends life = make_pipe(), report = make_pipe();
  pid_t supervisor = getpid();
  // It stays open here: guests reach it through this process, those that have left root by themselves.
  fchmod(life.read, S_IRUSR | S_IRGRP | S_IROTH);
  if (!configuration->is_nested && dup3(life.read, configuration->descriptor_base + HIDDEN_LIFE, O_CLOEXEC) < 0)
    fail("descriptors", errno, "the engine's own");
  close(life.read);
  out->pid = fork();
  if (out->pid < 0)
    fail(errno == EAGAIN ? "processes" : "internal", errno, "fork");
  if (out->pid == 0)
    become_guest(options, configuration, inherited, report.write, supervisor);
  close(report.write);
  out->life = life.write;
  out->report = report.read;
}
