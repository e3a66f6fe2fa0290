// Makes the test program a guest: its calls go through path_call() as a trapped call would.
#ifndef ANYPROC_TEST_GUEST_CALL_H
#define ANYPROC_TEST_GUEST_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum { TEST_DESCRIPTOR_BASE = 1020 };

// Writes a configuration, reads it back and opens the hidden descriptors that paths need. Ends the program on failure.
void guest_configure(const char *root, const struct bind *binds, size_t bind_count, uint32_t flags);

// The result as the guest sees it: a negative errno on failure.
long guest_call(long number, long a, long b, long c, long d, long e, long f);

#define GUEST_1(n, a) guest_call((n), (long)(a), 0, 0, 0, 0, 0)
#define GUEST_2(n, a, b) guest_call((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define GUEST_3(n, a, b, c) guest_call((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define GUEST_4(n, a, b, c, d) guest_call((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define GUEST_5(n, a, b, c, d, e) guest_call((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

#endif
