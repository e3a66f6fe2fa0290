// The symlinks of proc(5) that are not text: the kernel jumps to an object, and what readlink(2) says is a host path.
#ifndef ANYPROC_PROC_LINK_H
#define ANYPROC_PROC_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "cursor.h"

// For a link in procfs with this text: whether the kernel jumps instead of reading the text as a path.
bool proc_link_is_magic(const char *text, size_t length);

// Turns the text of the magic link at `link` into what the guest shall see, in place. Returns its length, -ENOENT when
// no guest path leads there (the text is unchanged then), or -EACCES when it may not be known.
long proc_link_translate(const struct cursor *link, char *text, size_t length, size_t capacity);

// Whether the kernel would jump somewhere else than the translated text says: to the shim behind "exe", to the host's
// root behind "root".
bool proc_link_misleads(const struct cursor *link, const char *text, size_t length);

// Whether it is the entry `name` of a process or thread: /proc/PID/NAME or /proc/PID/task/TID/NAME.
bool proc_link_is_entry(const struct cursor *cursor, const char *name);

// The process or thread whose entry it is, or -1.
long proc_link_pid(const struct cursor *cursor);

// Whether the entry `name` is one of the engine's own descriptors in a directory /proc/PID/fd.
bool proc_hides(const struct cursor *directory, const char *name, size_t length);

// Whether proc_hides() may be true for the name, in some directory.
bool proc_may_hide(const char *name, size_t length);

// "/proc/self/fd/N"
enum { PROC_DESCRIPTOR_PATH_SIZE = sizeof "/proc/self/fd/-2147483648" };
void proc_descriptor_path(int descriptor, char out[PROC_DESCRIPTOR_PATH_SIZE]);

#endif
