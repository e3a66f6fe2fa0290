// The guest path of the working directory, remembered for paths that go down from it. The kernel's own one stays the
// truth: what is remembered only saves asking where that is.
#ifndef ANYPROC_WORKING_DIRECTORY_H
#define ANYPROC_WORKING_DIRECTORY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool working_directory_get(char out[PATH_MAX], size_t *length);
// `generation` is directory_cache_generation() from before the kernel was asked.
void working_directory_put(const char *path, size_t length, uint32_t generation);
// To be called before the working directory changes, and when it has.
void working_directory_forget(void);
void working_directory_changed(void);
// Whether another process may have the working directory in common, but not the memory (clone(2), CLONE_FS): then nothing
// is remembered. To be called before the guest goes on.
void working_directory_share(bool may_be_shared);
bool working_directory_is_shared(void);

#endif
