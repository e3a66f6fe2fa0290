// Runs generated sequences of system calls twice, under chroot(2) with real bind mounts and through the engine, and
// compares everything a program can see. Needs root. Usage: differential [ROUNDS [FIRST-SEED]]
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-call.h"
#include "operation.h"
#include "sys.h"

enum { STEPS = 300, BIND_COUNT = 5, UNPRIVILEGED = 65534 };

static const struct {
  const char *guest, *host;
  uint32_t flags;
} wanted_binds[BIND_COUNT] = {
    {"/bound", "host-a", BIND_IS_DIRECTORY},
    {"/a/inner", "host-b", BIND_IS_DIRECTORY},
    {"/bound/inner", "host-c", BIND_IS_DIRECTORY},
    {"/etc/file", "host-file", 0},
    {"/c/bound", "host-d", BIND_IS_DIRECTORY | BIND_READ_ONLY},
};

// One copy of the scene: DIRECTORY/root and what is bound into it.
struct layout {
  char directory[PATH_MAX];
  size_t bind_count;
  uint32_t flags; // of the engine
};

static void in_layout(const struct layout *layout, const char *name, char out[PATH_MAX]) {
  if (snprintf(out, PATH_MAX, "%s/%s", layout->directory, name) >= PATH_MAX)
    errx(1, "the path of the scene is too long");
}

static void build(const struct layout *layout, uint64_t seed) {
  struct random random = {seed};
  char path[PATH_MAX], target[PATH_MAX];
  make_path(layout->directory);
  static const char *const hosts[] = {"host-a", "host-b", "host-c", "host-d"};
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    in_layout(layout, hosts[i], path);
    make_path(path);
    scene_fill(&random, path, 2);
    chmod(path, 0777);
  }
  in_layout(layout, "host-file", path);
  make_file(path, "bound\n");
  in_layout(layout, "root", path);
  static const char *const points[] = {"a/inner", "bound", "c/bound", "etc"};
  for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
    snprintf(target, sizeof target, "%.3000s/%s", path, points[i]);
    make_path(target);
  }
  snprintf(target, sizeof target, "%.3000s/etc/file", path);
  make_file(target, "covered\n");
  in_layout(layout, "host-a/inner", target);
  remove_tree(target);
  unlink(target);
  make_path(target);
  scene_fill(&random, path, 4);
  chmod(path, 0777);
}

static void use_engine(const struct layout *layout) {
  struct bind binds[BIND_COUNT];
  char hosts[BIND_COUNT][PATH_MAX], root[PATH_MAX];
  for (size_t i = 0; i < layout->bind_count; i++) {
    in_layout(layout, wanted_binds[i].host, hosts[i]);
    binds[i] = (struct bind){.guest = wanted_binds[i].guest, .host = hosts[i], .flags = wanted_binds[i].flags};
  }
  in_layout(layout, "root", root);
  guest_configure(root, binds, layout->bind_count, layout->flags);
  if (chdir(root) < 0)
    err(1, "%s", root);
}

static void use_kernel(const struct layout *layout) {
  char host[PATH_MAX], root[PATH_MAX], target[PATH_MAX];
  in_layout(layout, "root", root);
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    err(1, "cannot make a mount namespace");
  for (size_t i = 0; i < layout->bind_count; i++) {
    in_layout(layout, wanted_binds[i].host, host);
    snprintf(target, sizeof target, "%.3000s%s", root, wanted_binds[i].guest);
    if (mount(host, target, NULL, MS_BIND, NULL) < 0)
      err(1, "mount on %s", target);
    if ((wanted_binds[i].flags & BIND_READ_ONLY) != 0 &&
        mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
      err(1, "remount of %s", target);
  }
  if (chroot(root) < 0 || chdir("/") < 0)
    err(1, "chroot %s", root);
}

// What parent and child pass each other; a byte on a pipe hands it over.
enum { GO_ON, STOP };
struct exchange {
  struct operation operation;
  struct outcome outcome;
};

struct side {
  const char *name;
  pid_t pid;
  int request[2], reply[2];
  struct exchange *exchange;
};

static void serve(struct side *side, const struct layout *layout, system_call *call,
                  void (*enter)(const struct layout *), uid_t uid) {
  struct actor actor = {.call = call, .slots = {-1, -1, -1, -1}};
  char byte;
  // So that the end of the parent is the end of this pipe.
  close(side->request[1]);
  close(side->reply[0]);
  enter(layout);
  umask(022);
  if (setgid(uid) < 0 || setuid(uid) < 0)
    err(1, "setuid");
  // Ready: the other side may change the tree that this one has just entered.
  if (write(side->reply[1], "", 1) != 1)
    err(1, "reply");
  while (read(side->request[0], &byte, 1) == 1 && byte == GO_ON) {
    operation_perform(&actor, &side->exchange->operation, &side->exchange->outcome);
    if (write(side->reply[1], &byte, 1) != 1)
      break;
  }
  fflush(NULL);
  _exit(0); // the parent's leak check is not this process's business
}

static void start_side(struct side *side, const struct layout *layout, system_call *call,
                       void (*enter)(const struct layout *), uid_t uid) {
  side->exchange = mmap(NULL, sizeof *side->exchange, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (side->exchange == MAP_FAILED || pipe2(side->request, O_CLOEXEC) < 0 || pipe2(side->reply, O_CLOEXEC) < 0)
    err(1, "cannot start a side");
  fflush(stdout);
  side->pid = fork();
  if (side->pid < 0)
    err(1, "fork");
  if (side->pid == 0)
    serve(side, layout, call, enter, uid);
  close(side->request[0]);
  close(side->reply[1]);
  char byte;
  if (read(side->reply[0], &byte, 1) != 1)
    errx(1, "the %s side has not started", side->name);
}

static void ask(struct side *side, const struct operation *operation) {
  char byte = GO_ON;
  side->exchange->operation = *operation;
  if (write(side->request[1], &byte, 1) != 1 || read(side->reply[0], &byte, 1) != 1)
    errx(1, "the %s side has died", side->name);
}

static bool stop_side(struct side *side) {
  int status;
  char byte = STOP;
  if (write(side->request[1], &byte, 1) != 1)
    return false;
  close(side->request[1]);
  close(side->reply[0]);
  munmap(side->exchange, sizeof *side->exchange);
  return waitpid(side->pid, &status, 0) == side->pid && status == 0;
}

static bool same_outcome(const struct outcome *a, const struct outcome *b, bool same_tree) {
  if (a->result != b->result || a->has_object != b->has_object || strcmp(a->text, b->text) != 0)
    return false;
  return !a->has_object || (a->mode == b->mode && (!same_tree || (a->device == b->device && a->inode == b->inode)));
}

// A directory above a bind cannot be moved; one above a mount can, and takes it along. That one cannot be moved into
// itself is found out earlier with mounts.
static bool is_known_difference(const struct operation *operation, const struct outcome *engine,
                                const struct outcome *kernel) {
  if (!operation_is_rename(operation))
    return false;
  if (kernel->result == -EINVAL)
    return engine->result == -EBUSY || engine->result == -EACCES;
  return engine->result == -EBUSY && (kernel->result == 0 || kernel->result == -ENOTEMPTY);
}

static void print_outcome(const char *name, const struct outcome *outcome) {
  printf("  %-7s %ld (%s)", name, outcome->result, strerror(outcome->result < 0 ? (int)-outcome->result : 0));
  if (outcome->has_object)
    printf(" inode %lu mode %o", (unsigned long)outcome->inode, outcome->mode);
  printf(" \"%s\"\n", outcome->text);
}

// One listing a twin: name, type, mode, links and text of everything.
static FILE *listing;
static size_t listing_skip;

static int list_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  char text[PATH_MAX] = "";
  (void)type;
  (void)walk;
  if (S_ISLNK(status->st_mode) && readlink(path, text, sizeof text - 1) < 0)
    return -1;
  fprintf(listing, "%s %o %lu %ld %s\n", path + listing_skip, status->st_mode, (unsigned long)status->st_nlink,
          S_ISREG(status->st_mode) ? (long)status->st_size : 0L, text);
  return 0;
}

static int compare_lines(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *list_tree(const struct layout *layout) {
  char *text = NULL, *sorted = NULL, *lines[8192];
  size_t size, count = 0;
  listing = open_memstream(&text, &size);
  listing_skip = strlen(layout->directory);
  nftw(layout->directory, list_entry, 32, FTW_PHYS);
  fclose(listing);
  for (char *line = strtok(text, "\n"); line != NULL && count < 8192; line = strtok(NULL, "\n"))
    lines[count++] = line;
  qsort(lines, count, sizeof *lines, compare_lines);
  listing = open_memstream(&sorted, &size);
  for (size_t i = 0; i < count; i++)
    fprintf(listing, "%s\n", lines[i]);
  fclose(listing);
  free(text);
  return sorted;
}

static int check_trees(const struct layout *engine, const struct layout *kernel) {
  char *a = list_tree(engine), *b = list_tree(kernel);
  int failures = strcmp(a, b) == 0 ? 0 : 1;
  if (failures > 0) {
    size_t i = 0;
    while (a[i] == b[i])
      i++;
    while (i > 0 && a[i - 1] != '\n')
      i--;
    printf("the trees differ\n  engine  %.*s\n  kernel  %.*s\n", (int)strcspn(a + i, "\n"), a + i,
           (int)strcspn(b + i, "\n"), b + i);
  }
  free(a);
  free(b);
  return failures;
}

static int run_phase(uint64_t seed, const struct layout *engine_layout, const struct layout *kernel_layout,
                     bool changes, uid_t uid, bool *diverged) {
  struct random random = {seed * 2 + changes};
  struct side engine = {.name = "engine"}, kernel = {.name = "kernel"};
  struct operation history[STEPS];
  int failures = 0;
  start_side(&engine, engine_layout, guest_call, use_engine, uid);
  start_side(&kernel, kernel_layout, sys_call, use_kernel, uid);
  for (int step = 0; step < STEPS && failures == 0; step++) {
    struct operation *operation = &history[step];
    operation_choose(&random, changes, operation);
    ask(&engine, operation);
    ask(&kernel, operation);
    if (same_outcome(&engine.exchange->outcome, &kernel.exchange->outcome, !changes))
      continue;
    if (is_known_difference(operation, &engine.exchange->outcome, &kernel.exchange->outcome)) {
      *diverged = kernel.exchange->outcome.result == 0;
      if (*diverged)
        break;
      continue;
    }
    failures++;
    printf("seed %lu, %s, uid %u, %zu binds, step %d: ", (unsigned long)seed, changes ? "changing" : "looking", uid,
           engine_layout->bind_count, step);
    operation_print(operation);
    print_outcome("engine", &engine.exchange->outcome);
    print_outcome("kernel", &kernel.exchange->outcome);
    if (getenv("HISTORY") != NULL)
      for (int i = 0; i < step; i++)
        operation_print(&history[i]);
  }
  if (!stop_side(&engine) || !stop_side(&kernel)) {
    printf("seed %lu: a side ended badly\n", (unsigned long)seed);
    failures++;
  }
  return failures;
}

static int run_round(uint64_t seed, const char *directory) {
  struct layout engine = {.bind_count = seed % (BIND_COUNT + 1), .flags = seed % 5 == 0 ? CONFIG_NO_CACHE : 0};
  struct layout kernel = engine;
  snprintf(engine.directory, sizeof engine.directory, "%s/engine", directory);
  snprintf(kernel.directory, sizeof kernel.directory, "%s/kernel", directory);
  build(&engine, seed);
  build(&kernel, seed);
  uid_t uid = seed % 2 == 0 ? 0 : UNPRIVILEGED;
  bool diverged = false;
  int failures = run_phase(seed, &engine, &engine, false, uid, &diverged);
  failures += run_phase(seed, &engine, &kernel, true, uid, &diverged);
  if (failures == 0 && !diverged)
    failures += check_trees(&engine, &kernel);
  if (failures == 0 || getenv("KEEP") == NULL) {
    remove_tree(engine.directory);
    remove_tree(kernel.directory);
  }
  return failures;
}

int main(int argc, char **argv) {
  long rounds = argc > 1 ? atol(argv[1]) : 60;
  long first = argc > 2 ? atol(argv[2]) : 1;
  char directory[] = "/tmp/anyproc-differential-XXXXXX";
  int failures = 0;
  if (getuid() != 0) {
    puts("skipped: comparing with chroot(2) needs root");
    return 0;
  }
  if (mkdtemp(directory) == NULL || chmod(directory, 0755) < 0)
    err(1, "%s", directory);
  for (long seed = first; seed < first + rounds; seed++)
    failures += run_round((uint64_t)seed, directory);
  if (failures == 0 || getenv("KEEP") == NULL)
    remove_tree(directory);
  printf("%ld rounds, %d failures\n", rounds, failures);
  return failures == 0 ? 0 : 1;
}
