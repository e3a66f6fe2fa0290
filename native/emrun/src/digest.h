// SHA-256.
#ifndef ANYPROC_DIGEST_H
#define ANYPROC_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_SIZE = 32 };

struct digest;

// Finds the implementation. Returns 0, or -ENOSYS where this process has none.
int digest_load(void);

// Returns NULL when memory is short.
struct digest *digest_new(void);

// Both return 0 or -ENOMEM: the implementation allocates.
int digest_update(struct digest *digest, const uint8_t *data, size_t size);
int digest_final(struct digest *digest, uint8_t out[DIGEST_SIZE]);

void digest_free(struct digest *digest);

#endif
