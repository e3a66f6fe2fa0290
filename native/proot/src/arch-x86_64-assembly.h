// What the assembly files share.
#define NR_rt_sigprocmask 14
#define NR_rt_sigreturn 15
#define SIG_SETMASK 2
#define MASK_SIZE 8

        .macro function name
        .globl \name
        .type \name, @function
\name:
        .endm
