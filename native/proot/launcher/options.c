#include "options.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"

static const char usage[] =
    "Usage: anyproc-proot --rootfs DIR [OPTION...] -- PROGRAM [ARG...]\n"
    "       anyproc-proot --probe\n"
    "Runs PROGRAM with DIR as its root directory, without root, namespaces or a tracer.\n"
    "\n"
    "  --bind HOST GUEST            show the host's HOST at GUEST\n"
    "  --bind-read-only HOST GUEST  the same, and nothing there can be changed\n"
    "  --no-follow                  cover GUEST of the bind before this itself, even if it is a symlink\n"
    "  --cwd DIR                    working directory inside the guest (default /)\n"
    "  --id UID:GID                 show these ids instead of the real ones; 0:0 looks like root\n"
    "  --runner MACHINE GUEST OPT   execute programs for this e_machine (elf(5)) as GUEST OPT ARGV0 PROGRAM ARG...\n"
    "  --argv0 NAME                 the program's own name for itself\n"
    "  --no-cache                   ask the kernel about every directory every time\n"
    "  --no-patch                   leave the guests' code as it is, and take a signal for every call\n"
    "  --no-kill-on-exit            wait for every guest, not only for PROGRAM\n"
    "  --pass-unknown               let system calls that the engine does not know reach the kernel\n"
    "  --diagnostics-fd N           write \"CALL NUMBER ERRNO PID PROGRAM\" there for each call that is refused\n"
    "  --shim PATH                  the shim, if it is not installed beside anyproc-proot\n"
    "  --report-fd N                write \"CODE ERRNO OBJECT\" there if PROGRAM cannot start; closed when it runs\n"
    "  --life-fd N                  end every guest when N reaches its end\n"
    "  --life-pid N                 the same when process N, the parent, ends\n"
    "  --probe                      print as JSON what this machine offers\n"
    "\n"
    "Exit status: PROGRAM's; 127 not found, 126 cannot be executed, 125 any other failure to start it.\n";

struct cursor {
  char **at;
};

static const char *value(struct cursor *cursor, const char *option) {
  if (cursor->at[0] == NULL)
    fail("usage", 0, option);
  return *cursor->at++;
}

static unsigned long number(const char *text, char stop, const char **end, const char *option) {
  char *after;
  if (text[0] < '0' || text[0] > '9')
    fail("usage", 0, option);
  unsigned long result = strtoul(text, &after, 10);
  if (*after != stop || result >= 0xffffffffUL)
    fail("usage", 0, option);
  if (end != NULL)
    *end = after + 1;
  return result;
}

static int descriptor(const char *text, const char *option) {
  int result = (int)number(text, '\0', NULL, option);
  if (fcntl(result, F_SETFD, FD_CLOEXEC) < 0)
    fail("usage", 0, option);
  return result;
}

static void add_bind(struct cursor *cursor, struct options *out, const char *option) {
  if (out->bind_count == CONFIG_BINDS_MAX)
    fail("bind", 0, "too many binds");
  struct bind_option *bind = &out->binds[out->bind_count++];
  bind->host = value(cursor, option);
  bind->guest = value(cursor, option);
  bind->read_only = strcmp(option, "--bind-read-only") == 0;
}

static void set_no_follow(struct options *out, const char *option) {
  if (out->bind_count == 0)
    fail("usage", 0, option);
  out->binds[out->bind_count - 1].no_follow = true;
}

static void add_runner(struct cursor *cursor, struct options *out, const char *option) {
  if (out->runner_count == CONFIG_RUNNERS_MAX)
    fail("usage", 0, "too many runners");
  struct runner *runner = &out->runners[out->runner_count++];
  runner->machine = (uint32_t)number(value(cursor, option), '\0', NULL, option);
  runner->program = value(cursor, option);
  runner->argv0_option = value(cursor, option);
}

static void set_id(const char *text, struct options *out) {
  const char *group;
  out->uid = (uid_t)number(text, ':', &group, "--id");
  out->gid = (gid_t)number(group, '\0', NULL, "--id");
  out->has_id = true;
}

static void parse_option(const char *option, struct cursor *cursor, struct options *out) {
  if (strcmp(option, "--rootfs") == 0)
    out->rootfs = value(cursor, option);
  else if (strcmp(option, "--bind") == 0 || strcmp(option, "--bind-read-only") == 0)
    add_bind(cursor, out, option);
  else if (strcmp(option, "--no-follow") == 0)
    set_no_follow(out, option);
  else if (strcmp(option, "--runner") == 0)
    add_runner(cursor, out, option);
  else if (strcmp(option, "--cwd") == 0)
    out->cwd = value(cursor, option);
  else if (strcmp(option, "--id") == 0)
    set_id(value(cursor, option), out);
  else if (strcmp(option, "--argv0") == 0)
    out->argv0 = value(cursor, option);
  else if (strcmp(option, "--shim") == 0)
    out->shim = value(cursor, option);
  else if (strcmp(option, "--no-cache") == 0)
    out->no_cache = true;
  else if (strcmp(option, "--no-patch") == 0)
    out->no_patch = true;
  else if (strcmp(option, "--no-kill-on-exit") == 0)
    out->no_kill_on_exit = true;
  else if (strcmp(option, "--pass-unknown") == 0)
    out->pass_unknown = true;
  else if (strcmp(option, "--diagnostics-fd") == 0)
    out->diagnostics = descriptor(value(cursor, option), option);
  else if (strcmp(option, "--life-fd") == 0)
    out->life = descriptor(value(cursor, option), option);
  else if (strcmp(option, "--life-pid") == 0)
    out->parent = (pid_t)number(value(cursor, option), '\0', NULL, option);
  else if (strcmp(option, "--report-fd") == 0)
    failure_set_report(out->report = descriptor(value(cursor, option), option));
  else if (strcmp(option, "--probe") == 0)
    out->probe = true;
  else if (strcmp(option, "--help") == 0)
    exit(fputs(usage, stdout) < 0 || fflush(stdout) != 0);
  else
    fail("usage", 0, option);
}

void options_parse(char **argv, struct options *out) {
  struct cursor cursor = {argv + 1};
  *out = (struct options){.cwd = "/", .diagnostics = -1, .report = -1, .life = -1};
  while (*cursor.at != NULL && strncmp(*cursor.at, "--", 2) == 0) {
    const char *option = *cursor.at++;
    if (strcmp(option, "--") == 0)
      break;
    parse_option(option, &cursor, out);
  }
  out->command = cursor.at;
  if (out->probe)
    return;
  if (out->rootfs == NULL)
    fail("usage", 0, "--rootfs is missing");
  if (out->command[0] == NULL)
    fail("usage", 0, "PROGRAM is missing");
}
