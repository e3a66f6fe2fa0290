#include "process.h"

#include "arch.h"
#include "sys.h"

__attribute__((section(".bss.private"), aligned(ARCH_PAGE_SIZE))) struct process process;

bool process_owns_memory(void) {
  return process.armed == 0 || process.armed == (uint32_t)SYS_0(SYS_getpid);
}
