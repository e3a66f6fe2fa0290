// Who a guest process is when the run shows made-up ids: credentials(7) and capabilities(7), kept by the engine.
#ifndef ANYPROC_IDENTITY_H
#define ANYPROC_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call.h"

enum { ID_REAL, ID_EFFECTIVE, ID_SAVED, ID_FILE_SYSTEM, ID_COUNT };
enum { CAPABILITIES_INHERITABLE, CAPABILITIES_PERMITTED, CAPABILITIES_EFFECTIVE, CAPABILITIES_BOUNDING,
       CAPABILITIES_AMBIENT, CAPABILITIES_COUNT };
enum { GROUPS_MAX = 64 }; // the kernel's NGROUPS_MAX would be 65536

struct identity {
  uint64_t capabilities[CAPABILITIES_COUNT];
  uint32_t uid[ID_COUNT], gid[ID_COUNT];
  uint32_t secure_bits;
  uint8_t no_new_privileges;
  uint8_t changed; // since the run's start: getuid(2) and its like must be asked
  uint16_t group_count;
  uint32_t group[GROUPS_MAX];
};

// The run's first identity, from the configuration.
void identity_start(void);

// The calling process's. A vfork child shares its parent's memory, but has an identity of its own once it changes it.
const struct identity *identity_current(void);
// Makes `to` the calling process's identity. Returns 0 or -EAGAIN.
long identity_set(const struct identity *to);
// Takes a vfork child's own identity, if it has one, when it is about to execute a program.
bool identity_leave(struct identity *out);

bool identity_can(const struct identity *identity, int capability);
bool identity_has_group(const struct identity *identity, uint32_t group);
// Whether chown(2) to these ids may seem to succeed; an id of -1 stays as it is.
bool identity_may_give(uint32_t owner, uint32_t group);

// Owner and group of a file as the guest shall see them.
void identity_show_owner(uint32_t *uid, uint32_t *gid);

// Another process's; false when it is no guest, or may not be read.
bool identity_of(long pid, struct identity *out);

// As one word of text, for the next program.
enum { IDENTITY_WORD_SIZE = 2 * sizeof(struct identity) + 1 };
size_t identity_write(const struct identity *identity, char out[IDENTITY_WORD_SIZE]);
// Takes over what was written and moves `at` behind it and one space.
void identity_read(const char **at);

#endif
