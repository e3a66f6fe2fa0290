// A system call that comes from a stub (arch-x86_64-site.h) instead of a trap, and a signal that comes to the guest.
// C code answers the call on a private stack while signals are not blocked. patched-call.c tells by these labels, and
// by the registers named there, how a context that a signal interrupted becomes one of the guest's own.
#include "arch-x86_64-assembly.h"
#include "arch-x86_64.h"
#include "arrival.h"
#include "layout.h"
#include "slot.h"

#define CONTEXT_PROGRAM_COUNTER 168
#define PAGE_SHIFT 12

        .text
// The number is in rax, the address behind the guest's syscall instruction in rcx. Both, and r11, are the kernel's to
// change; the stack below the red zone is free.
function patched_entry
        mov %rsp, %r11
        lea -ARCH_RED_ZONE(%rsp), %rsp
        pushfq
        .globl patched_flags_saved
patched_flags_saved:
        push %rcx
        push %rbx
        push $0
        push $0
        push $0
        push $0
        push $0
        push %rax
        push %r9
        push %r8
        push %r10
        push %rdx
        push %rsi
        push %rdi
        mov %rsp, %rbx
        .globl patched_inside // rbx, or the word at the top of the private stack, is the frame
patched_inside:
        cld
        // The kernel would take a thread on a private stack for one that has left its alternate stack, and use that anew.
        mov %r11, %rax
        shr $PAGE_SHIFT, %rax
        and $(ALTERNATE_STACK_PAGES - 1), %eax
        bt %eax, alternate_stack_pages(%rip)
        jc 3f
        lea process(%rip), %rdx // its slot owners
        xor %ecx, %ecx
        mov $SLOT_BUSY, %esi
1:      xor %eax, %eax
        lock cmpxchg %esi, (%rdx,%rcx,4)
        je 2f
        inc %ecx
        cmp $SLOT_COUNT, %ecx
        jb 1b
        jmp 3f
2:      lea (%rdx,%rcx,4), %rax
        mov %rax, PATCHED_SLOT(%rbx)
        inc %ecx
        imul $SLOT_SIZE, %rcx, %rcx
        lea slots(%rip), %rax
        mov %rbx, -SLOT_TOP_SIZE(%rax,%rcx) // before a signal can look there
        lea -SLOT_TOP_SIZE(%rax,%rcx), %rsp
        mov %rbx, %rdi
        call patched_call
        mov PATCHED_SLOT(%rbx), %rcx
        mov %rax, %rsp
        movl $0, (%rcx)
        jmp 4f
// The guest's own syscall instruction is still there, and traps.
3:      mov PATCHED_NUMBER(%rbx), %rax
        mov %rax, PATCHED_RESULT(%rbx)
        subq $ARCH_SYSCALL_LENGTH, PATCHED_RESUME(%rbx)
4:
        .globl patched_over // rbx is the frame
patched_over:
        cmpl $0, PATCHED_INTERRUPTED(%rbx)
        jne gate_patched_leave
patched_leave:
        mov %rbx, %r11
        .globl patched_exit // r11 is the frame
patched_exit:
        mov PATCHED_ARGUMENT(%r11), %rdi
        mov PATCHED_ARGUMENT+8(%r11), %rsi
        mov PATCHED_ARGUMENT+16(%r11), %rdx
        mov PATCHED_ARGUMENT+24(%r11), %r10
        mov PATCHED_ARGUMENT+32(%r11), %r8
        mov PATCHED_ARGUMENT+40(%r11), %r9
        mov PATCHED_RESULT(%r11), %rax
        mov PATCHED_KEPT(%r11), %rbx
        mov PATCHED_DEFERRED(%r11), %rcx
        push PATCHED_FLAGS(%r11)
        popfq
        jrcxz 1f
        jmp gate_deferred
1:      mov PATCHED_RESUME(%r11), %rcx
        lea PATCHED_SIZE+ARCH_RED_ZONE(%r11), %rsp
        .globl patched_last // the stack below may be overwritten; rcx is where the guest goes on
patched_last:
        jmp *%rcx
        .globl patched_end
patched_end:

        .section .gate, "ax", @progbits
// Lets the signals come that waited for the end of the call. They find the guest behind it.
        .balign 16
function gate_patched_leave // rbx is the frame
        mov $NR_rt_sigprocmask, %eax
        mov $SIG_SETMASK, %edi
        lea PATCHED_MASK(%rbx), %rsi
        xor %edx, %edx
        mov $MASK_SIZE, %r10d
        syscall
        jmp patched_leave
        .globl gate_patched_leave_end
gate_patched_leave_end:

// The kernel's idea of every handler of the guest: (signal, siginfo, ucontext). What it interrupted may be the engine.
        .balign 16
function gate_signal
        mov CONTEXT_PROGRAM_COUNTER(%rdx), %rax
        mov %rax, %rcx
        shr $32, %rcx
        cmp $(SHIM_TEXT >> 32), %ecx
        je 1f
        sub stub_pages_start(%rip), %rax
        cmp stub_pages_size(%rip), %rax
        jb 1f
        lea guest_handlers(%rip), %rax
        mov (%rax,%rdi,8), %rcx
        xor %eax, %eax
        jmp *%rcx
1:      mov %rdi, %r12
        mov %rsi, %r13
        mov %rdx, %r14
        mov %rsp, %r15
        .globl gate_signal_kept // r12 to r14 are what came in rdi, rsi, rdx; r15 is the stack pointer
gate_signal_kept:
        sub $8, %rsp
        mov $NR_rt_sigprocmask, %eax
        mov $SIG_SETMASK, %edi
        lea every_signal(%rip), %rsi
        mov %rsp, %rdx
        mov $MASK_SIZE, %r10d
        syscall
        mov %r12, %rdi
        mov %r13, %rsi
        mov %r14, %rdx
        call arrival_handler
        test %rax, %rax
        jz 2f
        mov %rax, %rbx
        mov $NR_rt_sigprocmask, %eax
        mov $SIG_SETMASK, %edi
        mov %rsp, %rsi
        xor %edx, %edx
        mov $MASK_SIZE, %r10d
        syscall
        mov %r15, %rsp
        mov %r12, %rdi
        mov %r13, %rsi
        mov %r14, %rdx
        xor %eax, %eax
        jmp *%rbx
2:      lea 8(%r15), %rsp // not through the guest's restorer, whose call would trap while SIGSYS is blocked
        jmp gate_sigreturn
        .globl gate_signal_end
gate_signal_end:

        .balign 8
every_signal:
        .quad -1

        .section .note.GNU-stack, "", @progbits
