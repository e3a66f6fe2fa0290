// Rewrites call sites that trap often, so that they jump to the engine instead.
#ifndef ANYPROC_PATCH_H
#define ANYPROC_PATCH_H

#include <stdbool.h>
#include <stdint.h>

// False with --no-patch.
bool patch_is_on(void);

// Counts a trap of a system call whose instruction ends at `behind`, and patches the site when it has seen a few.
void patch_consider(uintptr_t behind, long number);

// Whether the address lies in a stub: then also what the guest was about to do.
bool patch_in_stub(uintptr_t address, long *number, uintptr_t *behind);

#endif
