// Raw system calls. Every kernel entry of the engine goes through sys_call(), because the seccomp filter lets only
// the gate page through; the hosted unit tests link a plain implementation instead.
#ifndef ANYPROC_SYS_H
#define ANYPROC_SYS_H

#include <stdint.h>
#include <sys/syscall.h>

// Result: the kernel's own, a negative errno on failure.
long sys_call(long number, long a, long b, long c, long d, long e, long f);

#define SYS_0(n) sys_call((n), 0, 0, 0, 0, 0, 0)
#define SYS_1(n, a) sys_call((n), (long)(a), 0, 0, 0, 0, 0)
#define SYS_2(n, a, b) sys_call((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define SYS_3(n, a, b, c) sys_call((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SYS_4(n, a, b, c, d) sys_call((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SYS_5(n, a, b, c, d, e) sys_call((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SYS_6(n, a, b, c, d, e, f)                                                                                     \
  sys_call((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#endif
