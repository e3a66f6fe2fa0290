// Guest paths to host places and back.
#ifndef ANYPROC_PATH_H
#define ANYPROC_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "call.h"

// A place on the host in the form that *at() system calls take. `path` may be "" (use AT_EMPTY_PATH): then
// `descriptor` is an O_PATH handle on the object itself.
struct place {
  int descriptor;   // or AT_FDCWD
  const char *path; // lives in `buffer`, in the guest's memory or in static storage
  bool owned;       // path_release() closes `descriptor`
  char buffer[4096];
};

enum path_follow {
  PATH_NO_FOLLOW, // a symlink in the last component is the object itself
  PATH_FOLLOW,
  PATH_PARENT, // the last component is about to be made, removed or renamed: trailing slashes are honoured
};

// Resolves a guest path against a guest dirfd. Returns 0 or a negative errno that equals the kernel's.
long path_resolve(int dirfd, const char *guest_path, enum path_follow follow, struct place *out);
void path_release(struct place *place);

// open(2) in guest terms from inside the engine (never deferred): a descriptor or a negative errno.
long path_open(int dirfd, const char *guest_path, long flags, long mode);

// Host path to guest path, in place. Returns the new length, or -ENOENT when no guest path leads there.
long path_to_guest(char *path, size_t length, size_t capacity);
// Guest path of an open descriptor or of the working directory (AT_FDCWD). Returns its length.
long path_of_descriptor(int dirfd, char *out, size_t capacity);

// Guest path of the running program, what /proc/self/exe must say. Set once by the loader.
extern const char *path_own_executable;

// Handler of every system call that carries a path, execve and execveat excepted.
call_handler path_call;

#endif
