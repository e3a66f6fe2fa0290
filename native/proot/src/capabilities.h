// How capabilities follow the user ids: capabilities(7).
#ifndef ANYPROC_CAPABILITIES_H
#define ANYPROC_CAPABILITIES_H

#include <sys/stat.h>

#include "identity.h"

// "Effect of user ID changes on capabilities": `before` are the user ids that setuid(2) and its like found.
void capabilities_follow_ids(struct identity *identity, const uint32_t before[ID_COUNT]);

// "Effect of user ID changes ...", for setfsuid(2).
void capabilities_follow_file_system_id(struct identity *identity, uint32_t before);

// What execve(2) of a file with this mode and shown owner does to ids and capabilities.
void capabilities_follow_exec(struct identity *identity, const struct stat *file);

#endif
