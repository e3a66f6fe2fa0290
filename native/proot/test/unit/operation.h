// One system call of a generated sequence and everything that a program can see of its result.
#ifndef ANYPROC_TEST_OPERATION_H
#define ANYPROC_TEST_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "scene.h"

enum { DESCRIPTOR_SLOTS = 4, PATH_SIZE = 256 };

struct operation {
  uint32_t kind; // index into the table of operation.c
  int slot;      // of a directory descriptor; -1: AT_FDCWD
  int other_slot;
  long flags;
  uint64_t resolve;
  char path[PATH_SIZE];
  char other_path[PATH_SIZE];
};

struct outcome {
  long result; // a negative errno; descriptors and lengths count as 0
  bool has_object;
  dev_t device;
  ino_t inode;
  mode_t mode;
  char text[4096];
};

typedef long system_call(long number, long a, long b, long c, long d, long e, long f);

// Directories that one side has open.
struct actor {
  system_call *call;
  int slots[DESCRIPTOR_SLOTS];
};

void operation_choose(struct random *random, bool changes, struct operation *out);
void operation_perform(struct actor *actor, const struct operation *operation, struct outcome *out);
bool operation_is_rename(const struct operation *operation);
void operation_print(const struct operation *operation);

#endif
