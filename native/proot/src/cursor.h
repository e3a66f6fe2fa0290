// A position in the guest's tree, held as the host text that leads there.
#ifndef ANYPROC_CURSOR_H
#define ANYPROC_CURSOR_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

struct cursor {
  const struct bind *bind; // NULL: inside the rootfs
  // Canonical, no trailing slash. Inside the rootfs it counts from there ("" is the rootfs itself, otherwise it starts
  // with a slash); inside a bind it is the absolute host path ("" is the host's root).
  char *text;
  size_t length;
};

enum { CURSOR_CAPACITY = 4096 }; // of `text`, the NUL included

// The two arguments that name the position in an *at() system call.
int cursor_descriptor(const struct cursor *cursor);
const char *cursor_path(const struct cursor *cursor);

void cursor_to_root(struct cursor *cursor);
void cursor_enter(struct cursor *cursor, const struct bind *bind);
// Appends one component. Returns 0 or -ENAMETOOLONG.
long cursor_push(struct cursor *cursor, const char *name, size_t length);
// Drops the component that cursor_push() appended last.
void cursor_drop(struct cursor *cursor);
// To the parent directory in guest terms: out of a bind at its root, nowhere at "/".
void cursor_up(struct cursor *cursor);
// To `suffix`, canonical text below the root of `bind` (NULL: of the rootfs).
long cursor_set(struct cursor *cursor, const struct bind *bind, const char *suffix, size_t length);
// To a canonical guest path.
long cursor_to_guest(struct cursor *cursor, const char *guest, size_t length);
bool cursor_is_at(const struct cursor *cursor, const char *guest, size_t length);
// Takes `text` as an absolute host path of `length` bytes. False when no guest path leads there.
bool cursor_from_host(struct cursor *cursor, size_t length);
// Takes the position of an open directory or of the working directory (AT_FDCWD), likewise.
bool cursor_from_descriptor(struct cursor *cursor, int dirfd);

// Text below the root of the bind or rootfs: "" or "/name...".
const char *cursor_suffix(const struct cursor *cursor, size_t *length);
size_t cursor_guest_length(const struct cursor *cursor);
// Writes the guest path, "/" for the root. Returns its length or -ENAMETOOLONG.
long cursor_guest_path(const struct cursor *cursor, char *out, size_t capacity);

// The bind whose guest path is this directory's entry `name`.
const struct bind *cursor_bind_at(const struct cursor *directory, const char *name, size_t length);
// Whether a bind lies somewhere below, so that the directory exists for the guest even when the host has none.
bool cursor_leads_to_bind(const struct cursor *cursor);
// Whether it is an object below the host's /proc, whose symlinks may be magic (proc(5)).
bool cursor_in_proc(const struct cursor *cursor);

// The innermost bind that covers a canonical guest path, NULL: none.
const struct bind *bind_covering(const char *guest, size_t length);
// Whether any bind's last component has this name: rules binds out without knowing the directory.
bool bind_may_be_named(const char *name, size_t length);
// The same for any component of a bind's guest path.
bool bind_may_pass(const char *name, size_t length);

#endif
