// What belongs to one process and not to its forked children: with the private stacks and the exec plans it lies in
// memory that the kernel wipes in them, program.c. What a vfork child shares stays.
#ifndef ANYPROC_PROCESS_H
#define ANYPROC_PROCESS_H

#define SLOT_COUNT 32

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stdint.h>

enum { EXEC_BUFFER_COUNT = 8, TRAP_COUNTER_COUNT = 64 };

struct process {
  uint32_t slot_owner[SLOT_COUNT]; // first: the assembly knows
  uint32_t exec_buffer_owner[EXEC_BUFFER_COUNT];
  uint32_t armed; // pid: this process is bound to the supervisor's life
  uint32_t traced_child; // pid of a vfork child that asked to be traced
  uint32_t patching;     // a thread is patching a call site
  // Call sites and how often they trapped: the address behind them, shifted, and the count. Threads may lose counts.
  uint64_t traps_at[TRAP_COUNTER_COUNT];
};

extern struct process process;

// Whether this memory is the calling process's own, and not that of a vfork child's parent.
bool process_owns_memory(void);
#endif

#endif
