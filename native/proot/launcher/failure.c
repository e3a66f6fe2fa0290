#include "failure.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kind {
  const char *code;
  int exit_status;
  const char *what;
  const char *remedy;
};

static const struct kind kinds[] = {
    {"usage", 125, "cannot understand the command line", "run anyproc-proot --help"},
    {"rootfs", 125, "cannot use this root directory", "give --rootfs a directory that you may enter"},
    {"bind", 125, "cannot bind", "give --bind an existing absolute HOST path and an absolute GUEST path"},
    {"cwd", 125, "cannot enter the working directory", "give --cwd a directory inside the rootfs"},
    {"shim", 125, "cannot run the shim",
     "install it beside anyproc-proot, or name it with --shim, on a file system without noexec"},
    {"seccomp", 125, "the kernel refuses a seccomp filter",
     "allow seccomp(2) here; anyproc-proot --probe shows what is missing"},
    {"proc", 125, "cannot use /proc", "mount it where anyproc-proot runs: mount -t proc proc /proc"},
    {"processes", 125, "cannot start a process", "end some, or raise the limit on processes (ulimit -u, pids.max)"},
    {"file-size", 125, "cannot write the configuration", "raise the limit on file sizes (ulimit -f)"},
    {"nested", 125, "cannot run inside another anyproc-proot", "start it outside, or run the program directly"},
    {"nested-bind", 125, "cannot bind inside another anyproc-proot", "make the place in the rootfs first"},
    {"nested-id", 125, "cannot change the ids inside another anyproc-proot", "give the outer one --id 0:0"},
    {"scratch", 125, "cannot make a temporary directory", "set TMPDIR to a directory that you may write to"},
    {"memfd", 125, "cannot make an anonymous file", "allow memfd_create(2) here"},
    {"not-found", 127, "no such program in the guest", "check the path, or PATH, inside the rootfs"},
    {"not-executable", 126, "cannot be executed", "it must be a program or script with the execute permission"},
    {"noexec", 126, "cannot be executed where it lies", "copy it to a file system that is not mounted noexec"},
    {"interpreter", 127, "the program's interpreter is missing", "install it inside the rootfs"},
    {"wrong-architecture", 126, "made for another processor", "use a rootfs for this machine's processor"},
    {"too-long", 126, "name or arguments too long", "shorten them"},
    {"descriptors", 125, "too few file descriptors", "raise the limit (ulimit -n) or close some"},
    {"orphan", 125, "the run belongs to a process that is not its parent", "give --life-pid the one that starts it"},
    {"internal", 125, "unexpected failure", "report it with this line"},
};

static int report = -1;
static bool is_guest;

void failure_set_report(int descriptor) {
  report = descriptor;
}

void failure_leave_words(int descriptor) {
  report = descriptor;
  is_guest = true;
}

void failure_close_report(void) {
  if (report >= 0)
    close(report);
  report = -1;
}

static const struct kind *kind_of(const char *code) {
  size_t count = sizeof kinds / sizeof kinds[0];
  for (size_t i = 0; i < count; i++)
    if (strcmp(kinds[i].code, code) == 0)
      return &kinds[i];
  return &kinds[count - 1];
}

void fail(const char *code, int error, const char *object) {
  const struct kind *kind = kind_of(code);
  if (report >= 0)
    dprintf(report, "%s %d %s\n", kind->code, error, object);
  if (!is_guest && (report < 0 || kind->exit_status != 125)) {
    if (error > 0)
      fprintf(stderr, "anyproc-proot: %s (%s): %s: %s\n", kind->what, strerror(error), object, kind->remedy);
    else
      fprintf(stderr, "anyproc-proot: %s: %s: %s\n", kind->what, object, kind->remedy);
  }
  exit(kind->exit_status);
}
