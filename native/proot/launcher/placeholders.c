#include "placeholders.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "failure.h"
#include "scratch.h"

struct table {
  const char *root;
  struct bind *binds;
  size_t count;
};

static bool covers(const char *prefix, const char *path) {
  size_t length = strlen(prefix);
  return strncmp(prefix, path, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

// The bind that holds the directory entry at `guest`: the innermost one above it.
static struct bind *holder_of(const struct table *table, const char *guest) {
  struct bind *best = NULL;
  for (size_t i = 0; i < table->count; i++) {
    struct bind *bind = &table->binds[i];
    if (covers(bind->guest, guest) && strcmp(bind->guest, guest) != 0 &&
        (best == NULL || strlen(bind->guest) > strlen(best->guest)))
      best = bind;
  }
  return best;
}

static struct bind *bind_at(const struct table *table, const char *guest) {
  for (size_t i = 0; i < table->count; i++)
    if (strcmp(table->binds[i].guest, guest) == 0)
      return &table->binds[i];
  return NULL;
}

static bool has_entry(const struct table *table, const char *guest) {
  char host[2 * PATH_MAX];
  struct stat status;
  const struct bind *holder = holder_of(table, guest);
  snprintf(host, sizeof host, "%s%s", holder == NULL ? table->root : holder->host,
           holder == NULL ? guest : guest + strlen(holder->guest));
  return lstat(host, &status) == 0 || errno != ENOENT;
}

// A directory at `guest` that holds nothing but the way to `target`.
static void add_directory(struct table *table, const char *guest, const struct bind *target) {
  char name[PATH_MAX], host[PATH_MAX];
  if (table->count == CONFIG_BINDS_MAX)
    fail("bind", 0, "too many binds");
  snprintf(name, sizeof name, "placeholder-%zu%s", table->count, target->guest + strlen(guest));
  scratch_make(name, (target->flags & BIND_IS_DIRECTORY) != 0);
  snprintf(host, sizeof host, "%s/placeholder-%zu", scratch_path(), table->count);
  table->binds[table->count++] = (struct bind){.guest = strdup(guest),
                                               .host = strdup(host),
                                               .flags = BIND_READ_ONLY | BIND_IS_DIRECTORY | BIND_MISSING};
}

static bool is_placeholder(const struct bind *bind) {
  return bind != NULL && covers(scratch_path(), bind->host);
}

// Completes a placeholder that was made for another bind.
static void add_entry(const struct bind *placeholder, const struct bind *target) {
  char name[PATH_MAX];
  snprintf(name, sizeof name, "%s%s", placeholder->host + strlen(scratch_path()) + 1,
           target->guest + strlen(placeholder->guest));
  scratch_make(name, (target->flags & BIND_IS_DIRECTORY) != 0);
}

static void complete(struct table *table, size_t index) {
  const char *target = table->binds[index].guest;
  char prefix[PATH_MAX];
  for (size_t length = 1; length <= strlen(target); length++) {
    if (target[length] != '/' && target[length] != '\0')
      continue;
    snprintf(prefix, sizeof prefix, "%.*s", (int)length, target);
    bool is_target = target[length] == '\0';
    if ((!is_target && bind_at(table, prefix) != NULL) || has_entry(table, prefix))
      continue;
    const struct bind *holder = holder_of(table, prefix);
    if (is_placeholder(holder))
      add_entry(holder, &table->binds[index]);
    else if (is_target)
      table->binds[index].flags |= BIND_MISSING;
    else
      add_directory(table, prefix, &table->binds[index]);
    return;
  }
}

static int by_length(const void *a, const void *b) {
  const struct bind *x = a, *y = b;
  return (strlen(x->guest) > strlen(y->guest)) - (strlen(x->guest) < strlen(y->guest));
}

size_t placeholders_add(const char *root, struct bind *binds, size_t count) {
  struct table table = {.root = strcmp(root, "/") == 0 ? "" : root, .binds = binds, .count = count};
  qsort(binds, count, sizeof *binds, by_length);
  for (size_t i = 0; i < count; i++)
    complete(&table, i);
  return table.count;
}
