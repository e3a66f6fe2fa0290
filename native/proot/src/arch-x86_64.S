// Every kernel entry of the engine, the way into a trap and out of it, and the jump into the guest.
#include "arch-x86_64-assembly.h"
#include "arch-x86_64.h"
#include "slot.h"

#define SYS_SECCOMP 1
#define SIGINFO_CODE 8

// The one page from which the filter lets listed calls through.
        .section .gate, "ax", @progbits
        .balign 16
function sys_call
        mov %rdi, %rax
        mov %rsi, %rdi
        mov %rdx, %rsi
        mov %rcx, %rdx
        mov %r8, %r10
        mov %r9, %r8
        mov 8(%rsp), %r9
        syscall
        ret

// Unwinders know a signal frame by exactly these bytes at its return address.
        .balign 16
function gate_sigreturn
        mov $NR_rt_sigreturn, %rax
        syscall

// Makes the call that a handler deferred, in the guest's own context. The stack pointer is at the deferred frame.
// Only rcx, r11 and rax change for the guest, as with any system call; instructions that change the flags come after
// those have been saved.
        .balign 16
function gate_deferred
        mov FRAME_NUMBER(%rsp), %rax
        mov FRAME_ARGUMENT(%rsp), %rdi
        mov FRAME_ARGUMENT+8(%rsp), %rsi
        mov FRAME_ARGUMENT+16(%rsp), %rdx
        mov FRAME_ARGUMENT+24(%rsp), %r10
        mov FRAME_ARGUMENT+32(%rsp), %r8
        mov FRAME_ARGUMENT+40(%rsp), %r9
        syscall
        .globl gate_deferred_called
gate_deferred_called:
        mov %rax, FRAME_RESULT(%rsp)
        mov FRAME_RESUME(%rsp), %rcx
        jrcxz 1f
        lea -FRAME_RESUME_ALWAYS(%rcx), %rcx
        jrcxz 3f
        mov FRAME_RESUME_RESULTS(%rsp), %rcx
        lea (%rax,%rcx), %rcx
        jrcxz 3f
        mov FRAME_RESUME_RESULTS+8(%rsp), %rcx
        lea (%rax,%rcx), %rcx
        jrcxz 3f
        jmp 1f
        .globl gate_deferred_asking // the handler may hold something until it has been asked
gate_deferred_asking:
3:      pushfq
        pop FRAME_FLAGS(%rsp)
        mov %rsp, %rdi
        call deferred_resume
        mov %rax, %rsp
        test %rdx, %rdx
        jnz 2f
        push FRAME_FLAGS(%rsp)
        popfq
        .globl gate_deferred_leave
gate_deferred_leave:
1:      mov FRAME_RESULT(%rsp), %rax
        mov FRAME_REGISTERS(%rsp), %rdi
        mov FRAME_REGISTERS+8(%rsp), %rsi
        mov FRAME_REGISTERS+16(%rsp), %rdx
        mov FRAME_REGISTERS+24(%rsp), %r10
        mov FRAME_REGISTERS+32(%rsp), %r8
        mov FRAME_REGISTERS+40(%rsp), %r9
        mov FRAME_REGISTERS+48(%rsp), %rcx
        mov FRAME_REGISTERS+56(%rsp), %rsp
        .globl gate_deferred_last // the stack below may be overwritten; rcx is where the guest goes on
gate_deferred_last:
        jmp *%rcx
2:      mov $NR_rt_sigprocmask, %eax
        mov $SIG_SETMASK, %edi
        lea FRAME_MASK(%rsp), %rsi
        xor %edx, %edx
        mov $8, %r10d
        syscall
        jmp gate_deferred

        .text
// Handler of SIGSYS: (signal, siginfo, ucontext). What did not come from the filter belongs to the guest.
function trap_entry
        cmpl $SYS_SECCOMP, SIGINFO_CODE(%rsi)
        jne signals_forward
        push %rbp
        mov %rsp, %rbp
        push %rbx
        push %r12
        push %r13
        sub $8, %rsp
        mov %rsi, %r12
        mov %rdx, %r13
        call slot_acquire
        mov %rax, %rbx
        mov %rax, %rsp
        mov %r12, %rdi
        mov %r13, %rsi
        call trap_handle
        lea -32(%rbp), %rsp
        mov %rbx, %rdi
        call slot_release
        add $8, %rsp
        pop %r13
        pop %r12
        pop %rbx
        pop %rbp
        ret

// long call_on_stack(void *top, long (*function)(void *, void *), void *first, void *second)
function call_on_stack
        push %rbp
        mov %rsp, %rbp
        mov %rdi, %rsp
        mov %rsi, %rax
        mov %rdx, %rdi
        mov %rcx, %rsi
        call *%rax
        mov %rbp, %rsp
        pop %rbp
        ret

// On the first private stack, so that the guest's keeps what execve(2) has put there and nothing else.
function _start
        mov %rsp, %rdi
        lea slots+SLOT_SIZE(%rip), %rsp
        xor %ebp, %ebp
        call start
        ud2

// void enter_guest(void *stack_pointer, uintptr_t entry): the state in which execve(2) leaves a program.
function enter_guest
        mov %rdi, %rsp
        mov %rsi, %rcx
        xor %eax, %eax
        xor %ebx, %ebx
        xor %edx, %edx
        xor %esi, %esi
        xor %edi, %edi
        xor %ebp, %ebp
        xor %r8d, %r8d
        xor %r9d, %r9d
        xor %r10d, %r10d
        xor %r11d, %r11d
        xor %r12d, %r12d
        xor %r13d, %r13d
        xor %r14d, %r14d
        xor %r15d, %r15d
        jmp *%rcx

        .section .note.GNU-stack, "", @progbits
