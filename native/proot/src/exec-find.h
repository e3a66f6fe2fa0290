// From the path given to execve(2) to the ELF file behind it.
#ifndef ANYPROC_EXEC_FIND_H
#define ANYPROC_EXEC_FIND_H

#include "exec-plan.h"

#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif

struct exec_request {
  int dirfd;
  const char *path; // all of it in guest memory
  const char *const *argv;
  int flags; // AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, AT_EXECVE_CHECK
  int report; // descriptor for the record of a failed start, or -1
  bool trap_blocked; // SIGTRAP, by the guest
};

enum { EXEC_PREFIX_MAX = 4 * EXEC_DEPTH };

// What scripts and runners on the way to the program put before the guest's own arguments, written from the end.
struct exec_prefix {
  const char *argument[EXEC_PREFIX_MAX];
  int start;
};

// Follows "#!" lines, and puts runners before programs for another processor; the descriptor stays in plan->image. Returns 0 or the errno that execve(2) would give.
long exec_find(struct exec_plan *plan, const struct exec_request *request, struct exec_prefix *prefix);

// AT_EXECVE_CHECK (execveat(2)): whether the file itself may be executed. Returns 0 or a negative errno.
long exec_check(struct exec_plan *plan, const struct exec_request *request);

// The name under which the program knows itself, as in AT_EXECFN and in a script's argument (execveat(2)).
const char *exec_name(struct exec_plan *plan, const struct exec_request *request);

#endif
