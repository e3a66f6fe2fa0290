#include "directory-cache.h"

#include <string.h>

// One table a process. Readers and writers are threads and signal handlers that interrupt each other anywhere, so each
// entry is a seqlock: odd while being written. A writer that finds it odd gives up, so nobody ever waits; an entry that
// a fork caught while odd stays unused in the child.
enum { ENTRY_COUNT = 64, TEXT_SIZE = 104 };

struct entry {
  const struct bind *bind; // NULL for the rootfs
  uint32_t sequence;
  uint32_t generation;
  uint32_t hash;
  uint8_t links;
  uint8_t literal;
  uint8_t path_length; // 0: unused
  uint8_t suffix_length;
  char text[TEXT_SIZE]; // the path, then the suffix unless literal
};

__attribute__((section(".bss.directories"))) static struct entry table[ENTRY_COUNT];

static bool is_off(void) {
  return config.shared == NULL || (config.flags & CONFIG_NO_CACHE) != 0;
}

uint32_t directory_cache_generation(void) {
  return config.shared == NULL ? 0 : __atomic_load_n(&config.shared->generation, __ATOMIC_ACQUIRE);
}

void directory_cache_invalidate(void) {
  if (config.shared != NULL)
    __atomic_add_fetch(&config.shared->generation, 1, __ATOMIC_ACQ_REL);
}

// Multiplies eight bytes at a time; the tail is read as a whole word that overlaps what came before.
static uint32_t hash_of(const char *path, size_t length) {
  static const uint64_t odd = 0x9e3779b97f4a7c15u;
  uint64_t hash = length, word = 0;
  if (length < sizeof word) {
    memcpy(&word, path, length);
    hash = (hash ^ word) * odd;
  } else {
    for (size_t i = 0; i + sizeof word <= length; i += sizeof word) {
      __builtin_memcpy(&word, path + i, sizeof word);
      hash = (hash ^ word ^ hash >> 29) * odd;
    }
    __builtin_memcpy(&word, path + length - sizeof word, sizeof word);
    hash = (hash ^ word ^ hash >> 29) * odd;
  }
  return (uint32_t)(hash >> 32);
}

static struct entry *entry_of(uint32_t hash) {
  return &table[hash % ENTRY_COUNT];
}

// The entry of this path, or NULL. What is read from it may be torn, until is_still() has said otherwise.
static const struct entry *find(const char *path, size_t length, uint32_t *sequence) {
  if (is_off() || length == 0 || length > TEXT_SIZE)
    return NULL;
  uint32_t hash = hash_of(path, length);
  const struct entry *entry = entry_of(hash);
  *sequence = __atomic_load_n(&entry->sequence, __ATOMIC_ACQUIRE);
  if ((*sequence & 1) != 0 || entry->hash != hash || entry->path_length != length ||
      entry->generation != directory_cache_generation() || memcmp(entry->text, path, length) != 0)
    return NULL;
  return entry;
}

static bool is_still(const struct entry *entry, uint32_t sequence) {
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  return __atomic_load_n(&entry->sequence, __ATOMIC_RELAXED) == sequence;
}

bool directory_cache_get(const char *path, size_t length, struct cursor *at, unsigned *links) {
  uint32_t sequence;
  const struct entry *entry = find(path, length, &sequence);
  if (entry == NULL)
    return false;
  size_t suffix_length = entry->suffix_length;
  unsigned entry_links = entry->links;
  const struct bind *bind = entry->bind;
  const char *suffix = entry->text + length;
  if (entry->literal) // the path itself says it
    suffix = path + (bind == NULL ? 0 : bind->guest_length);
  else if (suffix_length > TEXT_SIZE - length)
    return false;
  if (cursor_set(at, bind, suffix, suffix_length) < 0)
    return false;
  *links = entry_links;
  return is_still(entry, sequence);
}

bool directory_cache_is_literal(const char *path, size_t length, const struct bind **bind) {
  uint32_t sequence;
  const struct entry *entry = find(path, length, &sequence);
  if (entry == NULL)
    return false;
  bool is_literal = entry->literal;
  *bind = entry->bind;
  return is_still(entry, sequence) && is_literal;
}

// Whether the path is the canonical guest path of where it leads.
static bool leads_to_itself(const char *path, size_t length, const struct cursor *at, const char *suffix,
                       size_t suffix_length) {
  size_t head = at->bind == NULL ? 0 : at->bind->guest_length;
  return head + suffix_length == length && (head == 0 || memcmp(path, at->bind->guest, head) == 0) &&
         memcmp(path + head, suffix, suffix_length) == 0;
}

void directory_cache_put(const char *path, size_t length, const struct cursor *at, unsigned links,
                         uint32_t generation) {
  size_t suffix_length;
  const char *suffix = cursor_suffix(at, &suffix_length);
  if (is_off() || length == 0 || length > TEXT_SIZE)
    return;
  bool literal = leads_to_itself(path, length, at, suffix, suffix_length);
  if (!literal && length + suffix_length > TEXT_SIZE)
    return;
  uint32_t hash = hash_of(path, length);
  struct entry *entry = entry_of(hash);
  uint32_t sequence = __atomic_load_n(&entry->sequence, __ATOMIC_RELAXED);
  if ((sequence & 1) != 0 || !__atomic_compare_exchange_n(&entry->sequence, &sequence, sequence + 1, false,
                                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return;
  __atomic_thread_fence(__ATOMIC_RELEASE);
  entry->generation = generation;
  entry->hash = hash;
  entry->bind = at->bind;
  entry->links = (uint8_t)links;
  entry->literal = literal;
  entry->path_length = (uint8_t)length;
  entry->suffix_length = (uint8_t)suffix_length;
  memcpy(entry->text, path, length);
  if (!literal)
    memcpy(entry->text + length, suffix, suffix_length);
  __atomic_store_n(&entry->sequence, sequence + 2, __ATOMIC_RELEASE);
}
