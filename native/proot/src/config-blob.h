// Layout of the configuration blob, shared by its reader and its writer.
#ifndef ANYPROC_CONFIG_BLOB_H
#define ANYPROC_CONFIG_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One header, the bind records, the runner records, then the strings. Offsets count from the start of the blob; every
// string ends with a NUL that its length does not count.

enum {
  BLOB_MAGIC = 0x50594e41, // "ANYP" in little-endian order
  BLOB_VERSION = 3,
};

struct blob_text {
  uint32_t offset;
  uint32_t length;
};

struct blob_header {
  uint32_t magic;
  uint32_t version;
  uint32_t size; // of the whole blob
  uint32_t flags;
  uint32_t guest_uid, guest_gid;
  uint32_t host_uid, host_gid;
  int32_t descriptor_base;
  int32_t supervisor;
  uint32_t bind_count;
  uint32_t runner_count;
  struct blob_text root;
  struct blob_text shim;
  struct blob_text scratch;
};

struct blob_bind {
  struct blob_text guest;
  struct blob_text host;
  uint32_t flags;
};

struct blob_runner {
  uint32_t machine;
  struct blob_text program;
  struct blob_text argv0_option;
};

// Absolute, without empty, "." and ".." components and without a trailing slash; "" stands for "/".
bool config_path_is_canonical(const char *path, size_t length);

#endif
