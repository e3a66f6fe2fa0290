// Registers and numbers of x86-64 Linux.
#ifndef ANYPROC_ARCH_X86_64_H
#define ANYPROC_ARCH_X86_64_H

// Offsets in struct deferred_frame, for the assembly.
#define FRAME_REGISTERS 0
#define FRAME_NUMBER 64
#define FRAME_ARGUMENT 72
#define FRAME_RESULT 120
#define FRAME_MASK 128
#define FRAME_RESUME 136
#define FRAME_RESUME_RESULTS 144
#define FRAME_FLAGS 160
#define FRAME_RESUME_ALWAYS 1

// Offsets in struct patched_call, for the assembly.
#define PATCHED_ARGUMENT 0
#define PATCHED_NUMBER 48
#define PATCHED_RESULT 56
#define PATCHED_DEFERRED 64
#define PATCHED_MASK 72
#define PATCHED_INTERRUPTED 80
#define PATCHED_SLOT 88
#define PATCHED_KEPT 96
#define PATCHED_RESUME 104
#define PATCHED_FLAGS 112
#define PATCHED_SIZE 120

#define ARCH_PAGE_SIZE 4096
// Bytes below the stack pointer that belong to the running function (System V ABI, AMD64 supplement, 3.2.2).
#define ARCH_RED_ZONE 128
#define ARCH_SYSCALL_LENGTH 2

#ifndef __ASSEMBLER__
#include <elf.h>
#include <linux/audit.h>
#include <stdint.h>
#include <ucontext.h>

#define ARCH_AUDIT AUDIT_ARCH_X86_64
#define ARCH_ELF_MACHINE EM_X86_64
// Where the kernel puts position-independent programs: two thirds of the address space.
#define ARCH_PROGRAM_BASE 0x555555554000UL
#define ARCH_PROGRAM_RANDOM_BITS 28

static inline void arch_arguments(const ucontext_t *context, long argument[6]) {
  const greg_t *registers = context->uc_mcontext.gregs;
  argument[0] = registers[REG_RDI];
  argument[1] = registers[REG_RSI];
  argument[2] = registers[REG_RDX];
  argument[3] = registers[REG_R10];
  argument[4] = registers[REG_R8];
  argument[5] = registers[REG_R9];
}

static inline void arch_set_result(ucontext_t *context, long result) {
  context->uc_mcontext.gregs[REG_RAX] = result;
}

static inline uintptr_t arch_stack_pointer(const ucontext_t *context) {
  return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
}

static inline uintptr_t arch_program_counter(const ucontext_t *context) {
  return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
}

static inline void arch_set_program_counter(ucontext_t *context, uintptr_t to) {
  context->uc_mcontext.gregs[REG_RIP] = (greg_t)to;
}

// Saves what the trampoline gives back to the guest: the argument registers, where to continue, the stack pointer.
static inline void arch_save(const ucontext_t *context, long registers[8]) {
  arch_arguments(context, registers);
  registers[6] = context->uc_mcontext.gregs[REG_RIP];
  registers[7] = context->uc_mcontext.gregs[REG_RSP];
}

// The mask in the frame that rt_sigreturn(2) is about to restore.
static inline uint64_t *arch_returning_mask(const ucontext_t *context) {
  return (uint64_t *)&((ucontext_t *)arch_stack_pointer(context))->uc_sigmask;
}

static inline void arch_continue(ucontext_t *context, uintptr_t program_counter, uintptr_t stack_pointer) {
  context->uc_mcontext.gregs[REG_RIP] = (greg_t)program_counter;
  context->uc_mcontext.gregs[REG_RSP] = (greg_t)stack_pointer;
}
#endif

#endif
