// The directory cache under threads, signal handlers and forks: an answer is never a mixture of two.
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "directory-cache.h"
#include "expect.h"
#include "guest-call.h"
#include "scene.h"

enum { DIRECTORIES = 96, THREADS = 4, STEPS = 1000000, FORKS = 20 };

static atomic_long wrong, hits;

static const struct bind binds[] = {{.guest = "/a", .host = "/host/a"}, {.guest = "/b", .host = "/host/b"}};

// Directory number i lies where its number says: most at their own path, some elsewhere.
static void path_of(uint32_t i, char *path, char *suffix, const struct bind **bind) {
  const struct bind *choices[] = {NULL, &config.mounts.binds[0], &config.mounts.binds[1]};
  *bind = choices[i % 3];
  snprintf(suffix, 64, "/directory-%u/%u", i, i * i);
  snprintf(path, 64, "%s%s%s", *bind == NULL ? "" : (*bind)->guest, suffix, i % 2 == 0 ? "-link" : "");
}

static void put(uint32_t i) {
  char path[64], suffix[64], text[CURSOR_CAPACITY];
  const struct bind *bind;
  struct cursor cursor = {.text = text};
  uint32_t generation = directory_cache_generation();
  path_of(i, path, suffix, &bind);
  cursor_set(&cursor, bind, suffix, strlen(suffix));
  directory_cache_put(path, strlen(path), &cursor, i % 7, generation);
}

static void get(uint32_t i) {
  char path[64], suffix[64], text[CURSOR_CAPACITY];
  const struct bind *bind;
  struct cursor cursor = {.text = text};
  unsigned links;
  size_t length;
  path_of(i, path, suffix, &bind);
  if (!directory_cache_get(path, strlen(path), &cursor, &links))
    return;
  hits++;
  const char *found = cursor_suffix(&cursor, &length);
  if (cursor.bind != bind || links != i % 7 || length != strlen(suffix) || memcmp(found, suffix, length) != 0)
    wrong++;
}

static void step(struct random *random) {
  uint32_t i = random_below(random, DIRECTORIES);
  switch (random_below(random, 16)) {
  case 0:
    if (random_below(random, 16) == 0)
      directory_cache_invalidate();
    break;
  case 1:
  case 2:
  case 3:
  case 4:
  case 5:
  case 6:
  case 7:
    put(i);
    break;
  default:
    get(i);
  }
}

static void on_alarm(int number) {
  static struct random random = {99};
  (void)number;
  for (int i = 0; i < 8; i++)
    step(&random);
}

static void *run(void *seed) {
  struct random random = {(uint64_t)(uintptr_t)seed};
  for (int i = 0; i < STEPS; i++)
    step(&random);
  return NULL;
}

static void remembers_until_invalidated(void) {
  long before = hits;
  put(2);
  put(3);
  get(2);
  get(3);
  EXPECT(hits, before + 2);
  directory_cache_invalidate();
  get(2);
  EXPECT(hits, before + 2);
}

static void generation_before_a_walk_counts(void) {
  char text[CURSOR_CAPACITY] = "/x";
  struct cursor cursor = {.text = text, .length = 2};
  unsigned links;
  uint32_t generation = directory_cache_generation();
  directory_cache_invalidate();
  directory_cache_put("/x", 2, &cursor, 0, generation);
  EXPECT(directory_cache_get("/x", 2, &cursor, &links), false);
}

static void nothing_is_torn(void) {
  pthread_t threads[THREADS];
  struct itimerval every = {.it_interval = {0, 500}, .it_value = {0, 500}}, never = {.it_value = {0, 0}};
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &every, NULL);
  for (uintptr_t i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, run, (void *)(i + 1)) != 0)
      errx(1, "no thread");
  for (int i = 0; i < FORKS; i++) {
    pid_t child = fork();
    if (child == 0) {
      struct random random = {(uint64_t)i + 1000};
      for (int j = 0; j < STEPS / 500; j++)
        step(&random);
      _exit(wrong == 0 ? 0 : 1);
    }
    int status = 1;
    while (waitpid(child, &status, 0) < 0) {
    }
    EXPECT(status, 0);
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  setitimer(ITIMER_REAL, &never, NULL);
  EXPECT(wrong, 0);
  EXPECT(hits > STEPS / 100, true);
}

int main(void) {
  guest_configure("", binds, 2, 0);
  remembers_until_invalidated();
  generation_before_a_walk_counts();
  nothing_is_torn();
  return expect_finish("directory cache");
}
