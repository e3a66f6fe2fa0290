// execve(2) of a guest program: everything that can fail is found out first, so that each error is the kernel's own;
// then the shim is executed in the program's stead and loads it.
#ifndef ANYPROC_EXEC_H
#define ANYPROC_EXEC_H

#include <linux/futex.h>

#include "call.h"
#include "script.h"

struct exec_request {
  int dirfd;
  const char *path; // all of it in guest memory
  const char *const *argv;
  int flags; // AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW
  int report; // descriptor for the record of a failed start, or -1
  bool trap_blocked; // SIGTRAP, by the guest
};

// What else the shim is told in the handover.
enum { EXEC_TRACE_PUT_OFF = 1, EXEC_TRAP_BLOCKED = 2 };

enum { EXEC_DEPTH = 5, EXEC_INLINE_ARGUMENTS = 256 };

struct exec_plan {
  struct robust_list_head robust;
  uint32_t *owner; // word of the pool that this plan came from, or NULL
  int image;       // the program's descriptor, to be inherited by the shim
  uint16_t machine; // of an ELF file that was refused, else 0
  bool interpreter_missing; // the file was found, but not what it names as its interpreter
  bool trap_was_blocked;
  size_t mapped;   // bytes of `argv` when it did not fit
  const char **argv;
  const char *inline_argv[EXEC_INLINE_ARGUMENTS];
  char handover[PATH_MAX + 64];
  char path_name[PATH_MAX + 32];
  char interpreter[PATH_MAX];
  struct script script[EXEC_DEPTH];
};

// On success the plan's argv is ready for execve(config.shim, ...); otherwise a negative errno.
long exec_prepare(const struct exec_request *request, struct exec_plan **plan);
void exec_abandon(struct exec_plan *plan);

call_handler exec_call;

#endif
