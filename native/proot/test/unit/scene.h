// Pseudo-random directory trees and paths, the same for the same seed.
#ifndef ANYPROC_TEST_SCENE_H
#define ANYPROC_TEST_SCENE_H

#include <stddef.h>
#include <stdint.h>

struct random {
  uint64_t state;
};

uint32_t random_below(struct random *random, uint32_t limit);

// A path of a few components out of a small vocabulary, so that many of them exist.
void random_path(struct random *random, char *out, size_t capacity);

// Fills an existing directory with directories, files, FIFOs and symlinks of every kind.
void scene_fill(struct random *random, const char *directory, int depth);

// Makes every directory on the way; a path that exists is fine.
void make_path(const char *path);
void make_file(const char *path, const char *content);
void remove_tree(const char *path);

#endif
