#include "mount-draft.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>

#include "directory-cache.h"
#include "sys.h"

enum { ALIGNMENT = 16 };

// The writer's pid is there in case it dies before it is done.
static void lock(void) {
  uint32_t self = (uint32_t)SYS_0(SYS_getpid), seen = 0;
  while (!__atomic_compare_exchange_n(&config.shared->writer, &seen, self, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
    bool is_dead = seen != 0 && SYS_2(SYS_kill, seen, 0) == -ESRCH;
    if (!is_dead)
      seen = 0;
    SYS_0(SYS_sched_yield);
  }
}

static void unlock(void) {
  __atomic_store_n(&config.shared->writer, 0, __ATOMIC_RELEASE);
}

static void *take(size_t size) {
  struct shared *shared = config.shared;
  uint32_t used = shared->used == 0 ? sizeof *shared : shared->used;
  used = (used + ALIGNMENT - 1) & ~(uint32_t)(ALIGNMENT - 1);
  if (size > SHARED_SIZE - used)
    return NULL;
  shared->used = used + (uint32_t)size;
  return (char *)shared + used;
}

long mount_draft_begin(struct mount_draft *draft, size_t more) {
  lock();
  const struct mounts *now = mounts();
  draft->count = now->count + now->hidden;
  draft->capacity = draft->count + more;
  draft->start = config.shared->used;
  draft->table = take(sizeof *draft->table);
  draft->binds = draft->table == NULL ? NULL : take(draft->capacity * sizeof *draft->binds);
  if (draft->binds == NULL) {
    mount_draft_abandon(draft);
    return -ENOSPC;
  }
  memcpy(draft->binds, now->binds, draft->count * sizeof *draft->binds);
  return 0;
}

static bool comes_before(const struct bind *a, const struct bind *b) {
  if ((a->hidden_by == 0) != (b->hidden_by == 0))
    return a->hidden_by == 0;
  return a->guest_length != b->guest_length ? a->guest_length > b->guest_length : a->order > b->order;
}

static void sort(struct bind *binds, size_t count) {
  for (size_t i = 1; i < count; i++) {
    struct bind bind = binds[i];
    size_t at = i;
    for (; at > 0 && comes_before(&bind, &binds[at - 1]); at--)
      binds[at] = binds[at - 1];
    binds[at] = bind;
  }
}

static void set_name(struct bind *bind) {
  size_t start = bind->guest_length;
  while (start > 0 && bind->guest[start - 1] != '/')
    start--;
  bind->name = bind->guest + start;
  bind->name_length = bind->guest_length - start;
}

void mount_draft_commit(struct mount_draft *draft) {
  struct mounts *table = draft->table;
  sort(draft->binds, draft->count);
  *table = (struct mounts){.binds = draft->binds};
  for (size_t i = 0; i < draft->count; i++) {
    struct bind *bind = &draft->binds[i];
    set_name(bind);
    if (bind->hidden_by != 0) {
      table->hidden++;
      continue;
    }
    table->count++;
    table->has_read_only |= (bind->flags & BIND_READ_ONLY) != 0;
    table->has_missing |= (bind->flags & BIND_MISSING) != 0;
    if (bind->guest_length == 0)
      table->root = bind;
  }
  __atomic_store_n(&config.shared->mounts, (uint32_t)((char *)table - (char *)config.shared), __ATOMIC_RELEASE);
  directory_cache_invalidate();
  unlock();
}

void mount_draft_abandon(struct mount_draft *draft) {
  config.shared->used = draft->start;
  unlock();
}

const char *mount_draft_text(const char *head, size_t head_length, const char *tail, size_t tail_length) {
  char *text = head_length + tail_length < PATH_MAX ? take(head_length + tail_length + 1) : NULL;
  if (text == NULL)
    return NULL;
  memcpy(text, head, head_length);
  memcpy(text + head_length, tail, tail_length);
  text[head_length + tail_length] = '\0';
  return text;
}

bool mount_covers(const char *prefix, size_t prefix_length, const char *path, size_t length) {
  return prefix_length <= length && memcmp(prefix, path, prefix_length) == 0 &&
         (prefix_length == length || path[prefix_length] == '/');
}

void mount_draft_add(struct mount_draft *draft, const struct bind *bind) {
  struct bind *added = &draft->binds[draft->count];
  uint32_t order = ++config.shared->order;
  for (size_t i = 0; i < draft->count; i++)
    if (draft->binds[i].hidden_by == 0 &&
        mount_covers(bind->guest, bind->guest_length, draft->binds[i].guest, draft->binds[i].guest_length))
      draft->binds[i].hidden_by = order;
  *added = *bind;
  added->order = order;
  added->hidden_by = 0;
  draft->count++;
}

void mount_draft_remove(struct mount_draft *draft, size_t index) {
  uint32_t order = draft->binds[index].order;
  draft->binds[index] = draft->binds[--draft->count];
  for (size_t i = 0; i < draft->count && order != 0; i++)
    if (draft->binds[i].hidden_by == order)
      draft->binds[i].hidden_by = 0;
}

long mount_draft_find(const struct mount_draft *draft, const char *guest, size_t length) {
  for (size_t i = 0; i < draft->count; i++) {
    const struct bind *bind = &draft->binds[i];
    if (bind->hidden_by == 0 && bind->guest_length == length && memcmp(bind->guest, guest, length) == 0)
      return (long)i;
  }
  return -1;
}
