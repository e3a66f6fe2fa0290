// Guest paths to host places and back.
#ifndef ANYPROC_PATH_H
#define ANYPROC_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call.h"
#include "config.h"

struct cursor;

// A place on the host in the form that *at() system calls take.
struct place {
  int descriptor;   // or AT_FDCWD
  const char *path; // never empty; lives in `buffer`, in the guest's memory or in static storage
  int owned;        // a descriptor that path_release() closes, or -1
  // The bind that holds the place, NULL for the rootfs. With `relative` set it has not been looked up, and is that of the
  // directory `descriptor`, which the guest has open; path_find_bind() fills it in.
  const struct bind *bind;
  bool relative;
  bool bind_found; // by path_find_bind()
  bool mount_point; // the guest's "/" or a bind's own root: it cannot be removed or renamed
  bool magic;       // a link of proc(5) from which the kernel jumps to an object: `bind` does not tell where
  char buffer[PATH_MAX];
};

enum path_follow {
  PATH_NO_FOLLOW,  // a symlink in the last component is the object itself
  PATH_FOLLOW,     // the object must exist
  PATH_FOLLOW_ONE, // known to be a symlink: where it leads is not looked at, and may be missing or a symlink again
  PATH_CREATE,     // as PATH_FOLLOW, but the object may be missing: open(2) with O_CREAT
  PATH_PARENT,     // the last component is about to be made, removed or renamed: the kernel sees trailing slashes
};

// Resolves a guest path against a guest dirfd. Returns 0 or a negative errno that equals the kernel's. Without
// PATH_FOLLOW and PATH_CREATE the last component may be missing: the system call made on the place says so.
// An empty path is -ENOENT; AT_EMPTY_PATH is the caller's business.
long path_resolve(int dirfd, const char *guest_path, enum path_follow follow, struct place *out);
void path_release(struct place *place);

// The same under RESOLVE_* flags of openat2(2), in guest terms: a bind is a mount. What the kernel alone can judge
// (RESOLVE_CACHED, mounts of the host) is left to it.
long path_resolve_limited(int dirfd, const char *guest_path, enum path_follow follow, uint64_t resolve,
                          struct place *out);

// The place as a position, trailing slashes dropped. False when it has no guest path.
bool path_to_cursor(const struct place *place, struct cursor *cursor);

// Makes a system call that takes no descriptor, with the place for the path at argument `index`. The place is used up.
long path_call_plain(struct place *place, long number, const long argument[6], int index);
// Looks up the bind of a `relative` place.
void path_find_bind(struct place *place);
// The bind, NULL for the rootfs, of the directory that holds the place.
const struct bind *path_parent_bind(struct place *place);
// readlink(2) on the name itself, trailing slashes ignored: a symlink is 0 or more, anything else that exists -EINVAL.
long path_probe_name(const struct place *place);
// What the kernel finds wrong with the way to the last component: 0, -EACCES, -ENOTDIR, -EBADF...
long path_check_parent(const struct place *place);
// Whether the last component is "/", "." or "..", which the kernel neither makes, removes nor renames.
bool path_is_no_name(const struct place *place);
// The directory that holds the place: for a mount point, the one that the guest sees it in. `path` ends in "." or names
// the directory itself.
long path_parent(const struct place *place, struct place *out);
// What the kernel checks before it finds a file system to be read-only or an entry to be a mount point: 0 or -EACCES.
// Modes as in access(2).
enum { PATH_SEARCH = 1, PATH_WRITE = 2, PATH_READ = 4 };
long path_check_access(const struct place *place, long mode);
// Whether a bind lies below the place: the bind's path would not follow when the place is moved.
bool path_leads_to_bind(const struct place *place);
// Whether the place, or the directory that holds it, is on a read-only bind.
bool path_is_read_only(struct place *place);
bool path_parent_is_read_only(struct place *place);

// open(2) in guest terms from inside the engine (never deferred): a descriptor or a negative errno.
long path_open(int dirfd, const char *guest_path, long flags, long mode);

// Host path to guest path, in place. Returns the new length, or -ENOENT when no guest path leads there.
long path_to_guest(char *path, size_t length, size_t capacity);
// Guest path of an open descriptor or of the working directory (AT_FDCWD). Returns its length.
long path_of_descriptor(int dirfd, char *out, size_t capacity);

// Whether it is one of the engine's own descriptors, which do not exist for the guest.
bool path_is_hidden_descriptor(long descriptor);

// Guest path of the running program, what /proc/self/exe must say. Set once by the loader.
extern const char *path_own_executable;

// Handler of every system call that carries a path, execve and execveat excepted.
call_handler path_call;

#endif
