// Changes of the mounts: a new table is made beside the present one in the shared memory, and then put in its place.
#ifndef ANYPROC_MOUNT_DRAFT_H
#define ANYPROC_MOUNT_DRAFT_H

#include "config.h"

struct mount_draft {
  struct bind *binds; // those that are hidden among them
  size_t count, capacity;
  struct mounts *table;
  uint32_t start; // what is used of the shared memory without the draft
};

// Starts with a copy of the present mounts and room for `more`. Until the draft ends nobody else can make one.
// Returns 0 or -ENOSPC.
long mount_draft_begin(struct mount_draft *draft, size_t more);
void mount_draft_commit(struct mount_draft *draft);
void mount_draft_abandon(struct mount_draft *draft);

// While there is a draft: a canonical path that lasts as long as the shared memory, `head` and what follows. NULL
// without room.
const char *mount_draft_text(const char *head, size_t head_length, const char *tail, size_t tail_length);

// Adds the newest of all mounts. Its texts must last, their lengths be set; commit() finds its name. What lies at and
// below its place is hidden.
void mount_draft_add(struct mount_draft *draft, const struct bind *bind);
// Removes one, and shows what it has hidden.
void mount_draft_remove(struct mount_draft *draft, size_t index);
// Index of the visible mount at this guest path, or -1.
long mount_draft_find(const struct mount_draft *draft, const char *guest, size_t length);

// Whether a canonical path leads to `prefix` or below it.
bool mount_covers(const char *prefix, size_t prefix_length, const char *path, size_t length);

#endif
