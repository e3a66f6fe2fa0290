// What execve(2) of the shim needs until it has happened. A plan outlives the trap that makes it.
#ifndef ANYPROC_EXEC_PLAN_H
#define ANYPROC_EXEC_PLAN_H

#include <linux/futex.h>
#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity.h"
#include "script.h"

enum { EXEC_DEPTH = 5, EXEC_INLINE_ARGUMENTS = 256 };

struct exec_plan {
  struct robust_list_head robust;
  uint32_t *owner;          // word of the pool that this plan came from, or NULL
  int image;                // the program's descriptor, to be inherited by the shim
  int interpreter_image;    // the same for its interpreter, or -1
  uint16_t machine;         // of an ELF file that was refused, else 0
  bool interpreter_missing; // the file was found, but not `interpreter`, which it names
  bool mount_forbids;       // the file lies on a mount without execution
  bool trap_was_blocked;
  size_t mapped; // bytes of `argv` when it did not fit
  const char **argv;
  const char *inline_argv[EXEC_INLINE_ARGUMENTS];
  bool left_identity;       // `identity`, a vfork child's, which it gets back should the execve(2) fail
  struct identity identity;
  char handover[PATH_MAX + IDENTITY_WORD_SIZE + 64];
  char path_name[PATH_MAX + 32];
  char interpreter[PATH_MAX];
  struct script script[EXEC_DEPTH];
};

struct exec_plan *exec_plan_acquire(void); // NULL without memory
void exec_plan_abandon(struct exec_plan *plan);
// To be called right before the execve(2) of a process that may share its memory.
void exec_plan_bind(struct exec_plan *plan);

#endif
