// Owners that guests have given to files when ids are made up: the file system cannot hold them, an extended attribute
// of the file does. It follows the file through renames and links, and outlives the run.
#ifndef ANYPROC_OWNERS_H
#define ANYPROC_OWNERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "path.h"

// The attribute: "UID:GID" in decimal. Guests do not see it. On the rootfs itself it also says that there are others.
#define OWNERS_ATTRIBUTE "user.anyproc.owner"

// Looks whether the rootfs has owners to show. Once in a run.
void owners_start(void);

// Owner and group as the guest shall see them, where the host's are given. Uses the place up.
void owners_show(struct place *place, uint32_t mode, uint32_t *uid, uint32_t *gid);
// The same for an open file, or for the working directory (AT_FDCWD).
void owners_show_descriptor(int descriptor, uint32_t mode, uint32_t *uid, uint32_t *gid);

// chown(2) by who may do it: -1 leaves an id as it is. Where the attribute cannot be kept, it only seems to succeed.
// Uses the place up. Returns 0 or a negative errno.
long owners_change(struct place *place, uint32_t uid, uint32_t gid);
long owners_change_descriptor(int descriptor, uint32_t uid, uint32_t gid);

// Whether what the calling process makes may have to be given to somebody.
bool owners_matter_to_makers(void);
// Gives what the calling process has just made to that process, and to the group of a set-group-ID directory. Uses the
// place up.
void owners_adopt(struct place *place);
// The same for what it has just made by opening: at the place; without a name in a directory (O_TMPFILE), which is used
// up; or where the kernel has found it.
void owners_adopt_opened(int descriptor, const struct place *place);
void owners_adopt_unnamed(int descriptor, struct place *directory);
void owners_adopt_descriptor(int descriptor);

// Whether an attribute's name is the engine's own.
bool owners_is_attribute(const char *guest_name);
// Takes the engine's own name out of a list that the kernel has just written. Returns the list's new size.
long owners_hide_attribute(char *list, long size);

#endif
