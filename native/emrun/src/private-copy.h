// A copy of a payload that nobody else can change, and its digest.
#ifndef ANYPROC_PRIVATE_COPY_H
#define ANYPROC_PRIVATE_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "digest.h"

struct private_copy {
  uint8_t *data; // to be freed
  uint8_t digest[DIGEST_SIZE];
};

// Returns 0 or a negative errno. The digest is that of the copy, even if somebody changes the payload meanwhile.
int private_copy_create(const uint8_t *payload, size_t size, struct private_copy *out);

#endif
