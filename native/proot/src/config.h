// What the launcher tells every shim: one binary blob in a sealed memfd behind a hidden descriptor, mapped read-only.
#ifndef ANYPROC_CONFIG_H
#define ANYPROC_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  CONFIG_FAKE_IDS = 1u << 0,        // the guest sees uid/gid below instead of the real ones
  CONFIG_NO_CACHE = 1u << 1,        // the directory cache is off
  CONFIG_NO_KILL_ON_EXIT = 1u << 2, // the supervisor waits for every guest instead of ending them with the first
  CONFIG_PASS_UNKNOWN = 1u << 3,    // system calls that the table does not have reach the kernel as they are
  CONFIG_DIAGNOSTICS = 1u << 4,     // somebody reads behind HIDDEN_DIAGNOSTICS what is refused
  CONFIG_NO_PATCH = 1u << 5,        // every call that the engine wants traps
  CONFIG_KNOWN_FLAGS = (1u << 6) - 1,
};

enum { CONFIG_BINDS_MAX = 128 };

// Hidden descriptors, as offsets from config.descriptor_base: the filter answers EBADF for them.
enum {
  HIDDEN_ROOT = 0,        // the rootfs directory, O_PATH
  HIDDEN_CONFIG = 1,      // the blob
  HIDDEN_SHARED = 2,      // the shared memory: struct shared
  HIDDEN_LIFE = 3,        // read end of the supervisor's pipe: its end is the guests' end
  HIDDEN_SHIM = 4,        // the shim, O_PATH, for guests that may not search the directories above it
  HIDDEN_DIAGNOSTICS = 5, // with CONFIG_DIAGNOSTICS: a line for each call that is refused or not known
  HIDDEN_COUNT = 6,
};

enum { DIAGNOSTICS_CALLS = 1024 }; // later numbers share the last bit

// At the start of the shared memory. All guests of a run have the same one until a guest gets a mount namespace of its
// own: then that guest and its descendants have a copy.
struct shared {
  uint32_t generation; // bumped by whatever may turn a cached directory stale
  uint32_t reported[DIAGNOSTICS_CALLS / 32]; // a bit for each system call that the diagnostics have named
  uint32_t mounts;     // offset of the current struct mounts, 0 while the configuration's is
  uint32_t used;       // bytes of the shared memory that have been given out; none is ever given back
  uint32_t writer;     // pid of who is changing the mounts, 0: nobody
  uint32_t order;      // of the newest mount
  uint32_t has_old_root; // pivot_root(".", ".") has stacked it upon "/", to be unmounted
  uint32_t is_owned;   // made together with a user namespace: its guests may mount
  uint32_t has_owners; // some file of the rootfs has an owner of its own: owners.h
};

enum { SHARED_SIZE = 16 << 20 }; // sparse: only what is used costs memory

enum {
  BIND_READ_ONLY = 1u << 0,
  BIND_IS_DIRECTORY = 1u << 1,
  BIND_MISSING = 1u << 2, // the directory above has no such entry: listings are told of it
  BIND_KNOWN_FLAGS = (1u << 3) - 1,
};

struct bind {
  const char *guest; // absolute, canonical, no trailing slash; "" stands for "/", which the configuration never binds
  size_t guest_length;
  const char *name; // last component of `guest`
  size_t name_length;
  const char *host; // absolute, canonical, no trailing slash; "" stands for "/"
  size_t host_length;
  uint32_t flags;
  uint32_t order;     // when it was mounted; 0: by the configuration
  uint32_t hidden_by; // order of the mount at or above its place that hides it, 0: none
};

// What lies where. A table never changes once guests can see it: a mount makes a new one.
struct mounts {
  size_t count;
  const struct bind *binds;    // longest guest path first
  size_t hidden;               // how many more follow that other mounts hide
  const struct bind *root;     // the bind at "/", NULL: the configuration's rootfs
  bool has_read_only, has_missing;
};

enum { CONFIG_RUNNERS_MAX = 16 };

// What executes the programs of another processor.
struct runner {
  uint32_t machine;         // e_machine of these programs (elf(5))
  const char *program;      // guest path, absolute, canonical
  const char *argv0_option; // by which it takes the program's argv[0], or "" when it does not
};

struct config {
  uint32_t flags;
  uint32_t guest_uid, guest_gid; // with CONFIG_FAKE_IDS
  uint32_t host_uid, host_gid;   // the ids behind them
  int descriptor_base;
  int supervisor; // its pid: it has the read end of its pipe at the same number, HIDDEN_LIFE
  const char *root; // host path of the rootfs, absolute, canonical, no trailing slash; "" stands for "/"
  size_t root_length;
  const char *shim;    // host path of the shim
  const char *scratch; // host path of a directory of the run's own: not there until somebody makes it
  struct shared *shared; // mapped by the loader, not part of the blob; NULL: no directory cache, no mounts
  struct mounts mounts;  // the run's first ones: mounts() tells the present ones
  size_t runner_count;
  const struct runner *runners;
};

// The process's configuration, filled once before the guest's first instruction and constant from then on.
extern struct config config;

// The mounts of this process's namespace.
static inline const struct mounts *mounts(void) {
  uint32_t offset = config.shared == NULL ? 0 : __atomic_load_n(&config.shared->mounts, __ATOMIC_ACQUIRE);
  return offset == 0 ? &config.mounts : (const struct mounts *)((const char *)config.shared + offset);
}

// Whether the bind, NULL for the rootfs, lies at "/".
static inline bool bind_is_root(const struct bind *bind) {
  return bind == NULL || bind->guest_length == 0;
}

// Checks a blob and fills `out` with pointers into it. Returns 0 or -EINVAL; no byte of the blob is trusted.
// The binds and runners go to static tables: a process reads one configuration.
long config_read(const void *blob, size_t size, struct config *out);

// Builds a blob (the launcher's side). `from` needs only strings, flags and numbers: lengths, names and the order of
// the binds are derived, and "/" may be written for "". Returns its size, -ENOSPC when `capacity` is too small, -E2BIG
// for more than CONFIG_BINDS_MAX binds or CONFIG_RUNNERS_MAX runners, or -EINVAL for a path that is not absolute and
// canonical or bound twice.
long config_write(const struct config *from, void *blob, size_t capacity);

#endif
