// A file in anonymous memory whose bytes can never change.
#ifndef ANYPROC_MEMORY_FILE_H
#define ANYPROC_MEMORY_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "digest.h"

struct memory_file {
  int descriptor;                   // read-only and close-on-exec
  char digest[2 * DIGEST_SIZE + 1]; // SHA-256 in hexadecimal, also the file's name
  const char *failed_call;          // which system call failed, for the message
};

// Copies the payload into a new sealed, executable file. Returns 0 or a negative errno with out->failed_call set.
// The digest is that of the bytes in the file, even if somebody changes the payload meanwhile.
int memory_file_create(const uint8_t *payload, size_t size, struct memory_file *out);

#endif
