// Which guest directories are known, and where they lie: saves the walk over their components.
#ifndef ANYPROC_DIRECTORY_CACHE_H
#define ANYPROC_DIRECTORY_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cursor.h"

// The state of the guest's symlinks: taken before a walk, given to directory_cache_put() after it.
uint32_t directory_cache_generation(void);
// To be called after whatever made, moved or removed a symlink or moved a directory, in any guest.
void directory_cache_invalidate(void);

// Moves `at` to the directory with this absolute guest path, if known. `links` becomes the number of symlinks on the
// way.
bool directory_cache_get(const char *path, size_t length, struct cursor *at, unsigned *links);
// Whether the directory with this absolute guest path is known to be there by that very path, without a symlink on the
// way; and in which bind, NULL: in the rootfs.
bool directory_cache_is_literal(const char *path, size_t length, const struct bind **bind);
void directory_cache_put(const char *path, size_t length, const struct cursor *at, unsigned links,
                         uint32_t generation);

#endif
