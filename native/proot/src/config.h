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
  HIDDEN_SHARED = 2,      // one page shared by all guests of a run: struct shared
  HIDDEN_LIFE = 3,        // read end of the supervisor's pipe: its end is the guests' end
  HIDDEN_DIAGNOSTICS = 4, // with CONFIG_DIAGNOSTICS: a line for each call that is refused or not known
  HIDDEN_COUNT = 5,
};

enum { DIAGNOSTICS_CALLS = 1024 }; // later numbers share the last bit

struct shared {
  uint32_t generation;                       // bumped by whatever may turn a cached directory stale
  uint32_t reported[DIAGNOSTICS_CALLS / 32]; // a bit for each system call that the diagnostics have named
};

enum {
  BIND_READ_ONLY = 1u << 0,
  BIND_IS_DIRECTORY = 1u << 1,
  BIND_MISSING = 1u << 2, // the directory above has no such entry: listings are told of it
  BIND_KNOWN_FLAGS = (1u << 3) - 1,
};

struct bind {
  const char *guest; // absolute, canonical, no trailing slash; never "/"
  size_t guest_length;
  const char *name; // last component of `guest`
  size_t name_length;
  const char *host; // absolute, canonical, no trailing slash; "" stands for "/"
  size_t host_length;
  uint32_t flags;
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
  const char *root; // host path of the rootfs, absolute, canonical, no trailing slash; "" stands for "/"
  size_t root_length;
  const char *shim;    // host path of the shim
  const char *scratch; // host path of a directory of the run's own: not there until somebody makes it
  struct shared *shared; // mapped by the loader, not part of the blob; NULL: no directory cache
  size_t bind_count;
  const struct bind *binds; // longest guest path first
  bool has_read_only_bind;
  size_t runner_count;
  const struct runner *runners;
  bool has_missing_bind;
};

// The process's configuration, filled once before the guest's first instruction and constant from then on.
extern struct config config;

// Checks a blob and fills `out` with pointers into it. Returns 0 or -EINVAL; no byte of the blob is trusted.
// The binds and runners go to static tables: a process reads one configuration.
long config_read(const void *blob, size_t size, struct config *out);

// Builds a blob (the launcher's side). `from` needs only strings, flags and numbers: lengths, names and the order of
// the binds are derived, and "/" may be written for "". Returns its size, -ENOSPC when `capacity` is too small, -E2BIG
// for more than CONFIG_BINDS_MAX binds or CONFIG_RUNNERS_MAX runners, or -EINVAL for a path that is not absolute and
// canonical or bound twice.
long config_write(const struct config *from, void *blob, size_t capacity);

#endif
