// Access to memory whose address came from the guest: a bad pointer gives -EFAULT, never a crash.
#ifndef ANYPROC_GUEST_H
#define ANYPROC_GUEST_H

#include <stddef.h>

// Length of the NUL-terminated string, or -EFAULT, or -ENAMETOOLONG when no NUL is among the first `size` bytes.
// The string may run up to the end of a mapped page.
long guest_string_length(const char *guest, size_t size);
// 0 or -EFAULT.
long guest_probe(const void *guest, size_t size); // can it be read?
long guest_copy_in(void *to, const void *guest, size_t size);
long guest_copy_out(void *guest, const void *from, size_t size);

#endif
