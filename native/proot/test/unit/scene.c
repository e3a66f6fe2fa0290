#include "scene.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// splitmix64
static uint64_t random_next(struct random *random) {
  uint64_t z = (random->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint32_t random_below(struct random *random, uint32_t limit) {
  return (uint32_t)(random_next(random) % limit);
}

static const char *const names[] = {"a", "b", "c", "d", "bound", "file", "inner", "link", "etc", "none"};
enum { NAME_COUNT = sizeof names / sizeof *names };

void random_path(struct random *random, char *out, size_t capacity) {
  size_t length = 0;
  uint32_t count = 1 + random_below(random, 5);
  out[0] = '\0';
  if (random_below(random, 2) == 0)
    length += (size_t)snprintf(out, capacity, "/");
  for (uint32_t i = 0; i < count; i++) {
    uint32_t kind = random_below(random, 12);
    const char *name = kind == 0 ? "." : kind <= 2 ? ".." : names[random_below(random, NAME_COUNT)];
    length += (size_t)snprintf(out + length, capacity - length, "%s%s", i == 0 ? "" : "/", name);
    if (random_below(random, 16) == 0)
      length += (size_t)snprintf(out + length, capacity - length, "/");
  }
  if (random_below(random, 6) == 0)
    snprintf(out + length, capacity - length, "/");
  if (random_below(random, 60) == 0)
    strcpy(out, random_below(random, 2) == 0 ? "" : "/");
}

static void make_entry(struct random *random, const char *path, int depth) {
  static const mode_t modes[] = {0777, 0755, 0755, 0700, 0000};
  char target[PATH_MAX];
  switch (random_below(random, 10)) {
  case 0:
  case 1:
  case 2:
  case 3:
    if (mkdir(path, 0755) == 0 && depth > 1)
      scene_fill(random, path, depth - 1);
    if (chmod(path, modes[random_below(random, 5)]) < 0)
      err(1, "%s", path);
    break;
  case 4:
  case 5:
    make_file(path, "content\n");
    if (chmod(path, modes[random_below(random, 5)] & 0666) < 0)
      err(1, "%s", path);
    break;
  default:
    random_path(random, target, sizeof target);
    if (target[0] != '\0' && symlink(target, path) < 0)
      err(1, "%s", path);
  }
}

void scene_fill(struct random *random, const char *directory, int depth) {
  char path[PATH_MAX];
  for (size_t i = 0; i < NAME_COUNT - 1; i++) {
    struct stat status;
    if (random_below(random, 3) == 0)
      continue;
    snprintf(path, sizeof path, "%s/%s", directory, names[i]);
    if (lstat(path, &status) < 0)
      make_entry(random, path, depth);
  }
}

void make_path(const char *path) {
  char parent[PATH_MAX];
  for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    if (mkdir(parent, 0755) < 0 && errno != EEXIST)
      err(1, "%s", parent);
  }
  if (mkdir(path, 0755) < 0 && errno != EEXIST)
    err(1, "%s", path);
}

void make_file(const char *path, const char *content) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0 || write(file, content, strlen(content)) != (ssize_t)strlen(content))
    err(1, "%s", path);
  close(file);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status;
  (void)type;
  (void)walk;
  return remove(path);
}

void remove_tree(const char *path) {
  nftw(path, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
}
