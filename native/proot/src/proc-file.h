// The files of proc(5) that tell host paths or host ids: opened as a copy that tells the guest's.
#ifndef ANYPROC_PROC_FILE_H
#define ANYPROC_PROC_FILE_H

#include <stdbool.h>

#include "path.h"

// Whether the place is such a file: maps, mounts, mountinfo or status of a process or thread.
bool proc_file_is_translated(const struct place *place);

// Whether a guest that believes to be in a user namespace of its own writes its ids there, user_namespaces(7).
bool proc_file_takes_ids(const struct place *place);

// Opens a copy as it is now. Returns a descriptor or a negative errno.
long proc_file_open(const struct place *place, long flags);

#endif
