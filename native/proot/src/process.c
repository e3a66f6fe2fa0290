#include "process.h"

#include "arch.h"

__attribute__((section(".bss.private"), aligned(ARCH_PAGE_SIZE))) struct process process;
