#include "cursor.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>

static size_t base(const struct cursor *cursor) {
  return cursor->bind == NULL ? 0 : cursor->bind->host_length;
}

int cursor_descriptor(const struct cursor *cursor) {
  return cursor->bind == NULL ? config.descriptor_base + HIDDEN_ROOT : AT_FDCWD;
}

const char *cursor_path(const struct cursor *cursor) {
  if (cursor->length == 0)
    return cursor->bind == NULL ? "." : "/";
  return cursor->bind == NULL ? cursor->text + 1 : cursor->text;
}

void cursor_to_root(struct cursor *cursor) {
  const struct bind *root = mounts()->root;
  if (root != NULL) {
    cursor_enter(cursor, root);
    return;
  }
  cursor->bind = NULL;
  cursor->length = 0;
  cursor->text[0] = '\0';
}

long cursor_set(struct cursor *cursor, const struct bind *bind, const char *suffix, size_t length) {
  size_t start = bind == NULL ? 0 : bind->host_length;
  if (start + length >= CURSOR_CAPACITY)
    return -ENAMETOOLONG;
  cursor->bind = bind;
  cursor->length = start + length;
  if (start > 0)
    memcpy(cursor->text, bind->host, start);
  memcpy(cursor->text + start, suffix, length);
  cursor->text[cursor->length] = '\0';
  return 0;
}

void cursor_enter(struct cursor *cursor, const struct bind *bind) {
  (void)cursor_set(cursor, bind, "", 0); // the blob's reader has checked that a bind's host path fits
}

long cursor_push(struct cursor *cursor, const char *name, size_t length) {
  if (cursor->length + 1 + length >= CURSOR_CAPACITY)
    return -ENAMETOOLONG;
  cursor->text[cursor->length] = '/';
  memcpy(cursor->text + cursor->length + 1, name, length);
  cursor->length += 1 + length;
  cursor->text[cursor->length] = '\0';
  return 0;
}

void cursor_drop(struct cursor *cursor) {
  while (cursor->text[--cursor->length] != '/')
    ;
  cursor->text[cursor->length] = '\0';
}

static bool covers(const char *prefix, size_t prefix_length, const char *path, size_t length) {
  return prefix_length <= length && memcmp(prefix, path, prefix_length) == 0 &&
         (prefix_length == length || path[prefix_length] == '/');
}

// The binds are sorted longest first.
const struct bind *bind_covering(const char *guest, size_t length) {
  const struct mounts *now = mounts();
  for (size_t i = 0; i < now->count; i++)
    if (covers(now->binds[i].guest, now->binds[i].guest_length, guest, length))
      return &now->binds[i];
  return NULL;
}

long cursor_to_guest(struct cursor *cursor, const char *guest, size_t length) {
  if (length == 1)
    length = 0;
  const struct bind *bind = bind_covering(guest, length);
  size_t skip = bind == NULL ? 0 : bind->guest_length;
  return cursor_set(cursor, bind, guest + skip, length - skip);
}

void cursor_up(struct cursor *cursor) {
  if (cursor->length > base(cursor)) {
    cursor_drop(cursor);
    return;
  }
  if (bind_is_root(cursor->bind))
    return;
  const struct bind *left = cursor->bind;
  if (cursor_to_guest(cursor, left->guest, left->guest_length - left->name_length - 1) < 0)
    cursor_to_root(cursor);
}

const char *cursor_suffix(const struct cursor *cursor, size_t *length) {
  *length = cursor->length - base(cursor);
  return cursor->text + base(cursor);
}

size_t cursor_guest_length(const struct cursor *cursor) {
  return (cursor->bind == NULL ? 0 : cursor->bind->guest_length) + cursor->length - base(cursor);
}

// Whether the guest path starts with these bytes.
static bool guest_starts_with(const struct cursor *cursor, const char *bytes, size_t length) {
  if (length > cursor_guest_length(cursor))
    return false;
  size_t head = cursor->bind == NULL ? 0 : cursor->bind->guest_length;
  if (head > length)
    head = length;
  if (head > 0 && memcmp(cursor->bind->guest, bytes, head) != 0)
    return false;
  return memcmp(cursor->text + base(cursor), bytes + head, length - head) == 0;
}

bool cursor_is_at(const struct cursor *cursor, const char *guest, size_t length) {
  if (length == 1)
    length = 0;
  return cursor_guest_length(cursor) == length && guest_starts_with(cursor, guest, length);
}

// Whether `inner` covers the cursor's guest path more closely than the cursor's own bind does.
static bool is_hidden_by(const struct cursor *cursor, const struct bind *inner) {
  size_t own = cursor->bind == NULL ? 0 : cursor->bind->guest_length;
  if (inner->guest_length <= own || !guest_starts_with(cursor, inner->guest, inner->guest_length))
    return false;
  size_t rest = cursor_guest_length(cursor) - inner->guest_length;
  return rest == 0 || cursor->text[cursor->length - rest] == '/';
}

static bool is_visible(const struct cursor *cursor, const struct mounts *now) {
  for (size_t i = 0; i < now->count; i++)
    if (is_hidden_by(cursor, &now->binds[i]))
      return false;
  return true;
}

// The longest host prefix wins, then the newest mount, then the shortest guest path, which comes last among the binds.
bool cursor_from_host(struct cursor *cursor, size_t length) {
  if (length == 1)
    length = 0;
  const struct mounts *now = mounts();
  const struct bind *best = NULL;
  size_t best_length = 0;
  bool found = false;
  for (size_t i = 0; i < now->count; i++) {
    const struct bind *bind = &now->binds[i];
    if (found && (bind->host_length < best_length || (bind->host_length == best_length && bind->order < best->order)))
      continue;
    if (!covers(bind->host, bind->host_length, cursor->text, length))
      continue;
    struct cursor candidate = {.bind = bind, .text = cursor->text, .length = length};
    if (is_visible(&candidate, now)) {
      found = true;
      best = bind;
      best_length = bind->host_length;
    }
  }
  bool root_is_closer = !found || config.root_length > best_length ||
                        (config.root_length == best_length && best->order == 0);
  if (now->root == NULL && root_is_closer &&
      covers(config.root, config.root_length, cursor->text, length)) {
    struct cursor candidate = {.text = cursor->text + config.root_length, .length = length - config.root_length};
    if (is_visible(&candidate, now)) {
      found = true;
      best = NULL;
      memmove(cursor->text, candidate.text, candidate.length);
      length = candidate.length;
    }
  }
  if (!found)
    return false;
  cursor->bind = best;
  cursor->length = length;
  cursor->text[length] = '\0';
  return true;
}

long cursor_guest_path(const struct cursor *cursor, char *out, size_t capacity) {
  size_t length = cursor_guest_length(cursor);
  if ((length == 0 ? 1 : length) >= capacity)
    return -ENAMETOOLONG;
  if (length == 0) {
    memcpy(out, "/", 2);
    return 1;
  }
  size_t head = cursor->bind == NULL ? 0 : cursor->bind->guest_length;
  memmove(out + head, cursor->text + base(cursor), length - head);
  if (head > 0)
    memcpy(out, cursor->bind->guest, head);
  out[length] = '\0';
  return (long)length;
}

static bool is_named(const struct bind *bind, const char *name, size_t length) {
  return bind->name_length == length && memcmp(bind->name, name, length) == 0;
}

bool bind_may_be_named(const char *name, size_t length) {
  const struct mounts *now = mounts();
  for (size_t i = 0; i < now->count; i++)
    if (is_named(&now->binds[i], name, length))
      return true;
  return false;
}

bool bind_may_pass(const char *name, size_t length) {
  const struct mounts *now = mounts();
  for (size_t i = 0; i < now->count; i++) {
    const char *at = now->binds[i].guest, *end = at + now->binds[i].guest_length;
    while (at < end) {
      const char *start = ++at;
      while (at < end && *at != '/')
        at++;
      if ((size_t)(at - start) == length && memcmp(start, name, length) == 0)
        return true;
    }
  }
  return false;
}

const struct bind *cursor_bind_at(const struct cursor *directory, const char *name, size_t length) {
  const struct mounts *now = mounts();
  for (size_t i = 0; i < now->count; i++) {
    const struct bind *bind = &now->binds[i];
    if (is_named(bind, name, length) &&
        cursor_is_at(directory, bind->guest, bind->guest_length - bind->name_length - 1))
      return bind;
  }
  return NULL;
}

bool cursor_leads_to_bind(const struct cursor *cursor) {
  size_t length = cursor_guest_length(cursor);
  const struct mounts *now = mounts();
  for (size_t i = 0; i < now->count; i++) {
    const struct bind *bind = &now->binds[i];
    if (bind->guest_length > length && bind->guest[length] == '/' && guest_starts_with(cursor, bind->guest, length))
      return true;
  }
  return false;
}

bool cursor_in_proc(const struct cursor *cursor) {
  static const char proc[] = "/proc/";
  return (cursor->bind != NULL || config.root_length == 0) && cursor->length >= sizeof proc &&
         memcmp(cursor->text, proc, sizeof proc - 1) == 0;
}
