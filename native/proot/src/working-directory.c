#include "working-directory.h"

#include <sched.h>
#include <string.h>

#include "config.h"
#include "directory-cache.h"
#include "process.h"
#include "sys.h"

// A seqlock, as an entry of the directory cache is.
static struct {
  const struct mounts *mounts; // NULL: not known
  uint32_t sequence;
  uint32_t generation;
  uint32_t length;
  char path[236];
} known;

// Others have this memory, but not the working directory of whoever changed his.
static bool is_ambiguous;
// The other way round: others may have the working directory.
static bool is_shared;

static bool begin(void) {
  uint32_t sequence = __atomic_load_n(&known.sequence, __ATOMIC_RELAXED);
  if ((sequence & 1) != 0 || !__atomic_compare_exchange_n(&known.sequence, &sequence, sequence + 1, false,
                                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return false;
  __atomic_thread_fence(__ATOMIC_RELEASE);
  return true;
}

static void end(void) {
  __atomic_add_fetch(&known.sequence, 1, __ATOMIC_RELEASE);
}

bool working_directory_get(char out[PATH_MAX], size_t *length) {
  uint32_t sequence = __atomic_load_n(&known.sequence, __ATOMIC_ACQUIRE), size = known.length;
  if ((sequence & 1) != 0 || size > sizeof known.path || known.mounts != mounts() ||
      known.generation != directory_cache_generation() || is_shared ||
      __atomic_load_n(&is_ambiguous, __ATOMIC_RELAXED))
    return false;
  memcpy(out, known.path, size);
  *length = size;
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  return __atomic_load_n(&known.sequence, __ATOMIC_RELAXED) == sequence;
}

void working_directory_put(const char *path, size_t length, uint32_t generation) {
  if (config.shared == NULL || (config.flags & CONFIG_NO_CACHE) != 0 || length > sizeof known.path ||
      !process_owns_memory() || !begin())
    return;
  known.mounts = mounts();
  known.generation = generation;
  known.length = (uint32_t)length;
  memcpy(known.path, path, length);
  end();
}

// unshare(2) with CLONE_VM changes nothing, and fails where somebody else has this memory: threads, whose working
// directory is mostly the same, or vfork children, whose is another.
void working_directory_forget(void) {
  if (SYS_1(SYS_unshare, CLONE_VM) < 0)
    __atomic_store_n(&is_ambiguous, true, __ATOMIC_RELAXED);
  if (!begin())
    return;
  known.mounts = NULL;
  end();
}

// Those that have it in common, and do not know that, ask the kernel again.
void working_directory_changed(void) {
  if (is_shared)
    directory_cache_invalidate();
}

void working_directory_share(bool may_be_shared) {
  is_shared = may_be_shared;
}

bool working_directory_is_shared(void) {
  return is_shared;
}
