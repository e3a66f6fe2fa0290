// The shim's two beginnings: `bootstrap` once in a run, then `program` at every execve(2) of a guest.
#ifndef ANYPROC_START_H
#define ANYPROC_START_H

#include <elf.h>

// The stack as execve(2) leaves it.
struct initial_stack {
  long *base; // argc
  long argc;
  const char **argv;
  const char **envp;
  Elf64_auxv_t *auxv;
};

// Word by word: the launcher's argv[0] of a bootstrap, followed by "BASE REPORT".
#define BOOTSTRAP_WORD "bootstrap "

_Noreturn void start(long *base);                                            // called by the assembly
_Noreturn void bootstrap(struct initial_stack *stack, const char *handover); // the run's first program
_Noreturn void program(struct initial_stack *stack, const char *handover);

// Maps the configuration behind the hidden descriptors. Returns 0 or a negative errno.
long start_configuration(int descriptor_base);

#endif
