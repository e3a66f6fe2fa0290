#include "process.h"

#include <stddef.h>
#include <sys/mman.h>

#include "arch.h"
#include "sys.h"

__attribute__((section(".bss.private"), aligned(ARCH_PAGE_SIZE))) struct process process;

void process_start(void) {
  SYS_3(SYS_madvise, &process, ARCH_PAGE_SIZE, MADV_WIPEONFORK);
}
