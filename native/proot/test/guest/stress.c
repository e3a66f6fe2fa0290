// Threads, signals, fork, vfork, posix_spawn and exec at once, on files that each thread owns and on files that all of
// them use: no wrong result, no descriptor and no memory lost. `stress [SECONDS]`; a short one without.
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { THREADS = 12, ROUNDS = 40, TICK_MICROSECONDS = 1000 };

struct worker {
  pthread_t thread;
  int number;
  uint64_t random;
};

extern char **environ;

static char itself[4096], scene[] = "/tmp/anyproc-stress-XXXXXX";
static ino_t root;
static struct worker workers[THREADS];
static pthread_barrier_t barrier;
static volatile sig_atomic_t ticks;
static int is_over;

// Whatever is interrupted must not notice.
static void tick(int number) {
  struct stat status;
  int saved = errno;
  CHECK(stat("/", &status) == 0 && status.st_ino == root);
  CHECK_ERRNO(access("/anyproc-missing", F_OK), ENOENT);
  ticks += number == SIGALRM;
  errno = saved;
}

static unsigned choose(struct worker *worker, unsigned limit) {
  worker->random = worker->random * 6364136223846793005U + 1442695040888963407U;
  return (unsigned)(worker->random >> 33) % limit;
}

static void expect_exit(pid_t child, int code) {
  int status;
  pid_t got;
  CHECK(child > 0);
  while ((got = waitpid(child, &status, 0)) < 0 && errno == EINTR) {
  }
  CHECK(got == child && WIFEXITED(status) && WEXITSTATUS(status) == code);
}

static void look(struct worker *worker) {
  struct stat status;
  char text[4096];
  (void)worker;
  CHECK(stat("/", &status) == 0 && status.st_ino == root);
  CHECK(lstat("/proc/self/exe", &status) == 0 && S_ISLNK(status.st_mode));
  CHECK(getcwd(text, sizeof text) != NULL && strcmp(text, scene) == 0);
  CHECK_ERRNO(open("missing/name", O_RDONLY), ENOENT);
  CHECK_ERRNO(readlink("/", text, sizeof text), EINVAL);
  ssize_t length = readlink("/proc/self/exe", text, sizeof text);
  CHECK(length == (ssize_t)strlen(itself) && memcmp(text, itself, (size_t)length) == 0);
}

static void change(struct worker *worker) {
  char name[32], other[32], through[64], text[32];
  unsigned value = choose(worker, 1000000);
  snprintf(name, sizeof name, "file-%d", worker->number);
  snprintf(other, sizeof other, "other-%d", worker->number);
  int length = snprintf(text, sizeof text, "%u", value);
  int opened = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  CHECK(opened >= 0 && write(opened, text, (size_t)length) == length && close(opened) == 0);
  CHECK_ERRNO(open(name, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
  CHECK(rename(name, other) == 0 && symlink(other, name) == 0);
  snprintf(through, sizeof through, "%s/%s", scene, name);
  char found[32] = "";
  opened = open(through, O_RDONLY | O_CLOEXEC);
  CHECK(opened >= 0 && read(opened, found, sizeof found) == length && strcmp(found, text) == 0 && close(opened) == 0);
  CHECK(unlink(name) == 0 && unlink(other) == 0);
}

// A directory and a symbolic link take turns at a name, so that what was true of a path before is not now.
static void replace_directory(struct worker *worker) {
  char name[32], inner[64];
  snprintf(name, sizeof name, "place-%d", worker->number);
  snprintf(inner, sizeof inner, "%s/inner", name);
  CHECK(mkdir(name, 0700) == 0 && mkdir(inner, 0700) == 0 && access(inner, F_OK) == 0);
  CHECK(rmdir(inner) == 0 && rmdir(name) == 0 && symlink("shared", name) == 0);
  CHECK_ERRNO(access(inner, F_OK), ENOENT);
  snprintf(inner, sizeof inner, "%s/entry", name);
  CHECK(access(inner, F_OK) == 0 && unlink(name) == 0);
}

static void connect_sockets(struct worker *worker) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  snprintf(name.sun_path, sizeof name.sun_path, "%s/socket-%d", scene, worker->number);
  int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(bind(server, (struct sockaddr *)&name, sizeof name) == 0 && listen(server, 1) == 0);
  CHECK(connect(client, (struct sockaddr *)&name, sizeof name) == 0);
  CHECK(close(client) == 0 && close(server) == 0 && unlink(name.sun_path) == 0);
  client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_ERRNO(connect(client, (struct sockaddr *)&name, sizeof name), ENOENT);
  CHECK(close(client) == 0);
}

// Both ends wait for each other in open(2), while signals arrive.
static void meet_in_fifo(struct worker *worker) {
  char name[32], byte = 0;
  snprintf(name, sizeof name, "fifo-%d", worker->number);
  CHECK(mkfifo(name, 0600) == 0);
  pid_t child = fork();
  if (child == 0) {
    int writer = open(name, O_WRONLY);
    _exit(writer >= 0 && write(writer, "x", 1) == 1 ? 0 : 1);
  }
  int reader = open(name, O_RDONLY | O_CLOEXEC);
  CHECK(reader >= 0 && read(reader, &byte, 1) == 1 && byte == 'x' && close(reader) == 0);
  expect_exit(child, 0);
  CHECK(unlink(name) == 0);
}

static void fork_child(struct worker *worker) {
  int code = 1 + (int)choose(worker, 100);
  pid_t child = fork();
  if (child == 0) {
    look(worker);
    change(worker);
    _exit(code);
  }
  expect_exit(child, code);
}

static void vfork_child(struct worker *worker) {
  char code[8];
  int value = 1 + (int)choose(worker, 100);
  snprintf(code, sizeof code, "%d", value);
  char *arguments[] = {itself, "exit", code, NULL};
  pid_t child = vfork();
  if (child == 0) {
    execve("/anyproc-missing", arguments, environ);
    execve(itself, arguments, environ);
    _exit(101);
  }
  expect_exit(child, value);
}

static void spawn_child(struct worker *worker) {
  char code[8];
  int value = 1 + (int)choose(worker, 100);
  snprintf(code, sizeof code, "%d", value);
  char *arguments[] = {itself, "exit", code, NULL};
  pid_t child;
  CHECK(posix_spawn(&child, "/anyproc-missing", NULL, NULL, arguments, environ) == ENOENT);
  CHECK(posix_spawn(&child, itself, NULL, NULL, arguments, environ) == 0);
  expect_exit(child, value);
}

static void signal_another(struct worker *worker) {
  CHECK(pthread_kill(workers[choose(worker, THREADS)].thread, SIGUSR1) == 0);
}

static void (*const actions[])(struct worker *) = {
    look, look, look, change, change, replace_directory, connect_sockets, meet_in_fifo, fork_child, vfork_child,
    spawn_child, signal_another, signal_another,
};

static void *work(void *argument) {
  struct worker *worker = argument;
  for (;;) {
    pthread_barrier_wait(&barrier);
    if (is_over)
      return NULL;
    for (int i = 0; i < ROUNDS; i++)
      actions[choose(worker, sizeof actions / sizeof *actions)](worker);
    pthread_barrier_wait(&barrier);
  }
}

struct usage {
  int descriptors;
  long memory; // in pages, of address space
};

static struct usage measure(void) {
  struct usage usage = {0};
  char text[128] = "";
  DIR *list = opendir("/proc/self/fd");
  CHECK(list != NULL);
  while (readdir(list) != NULL)
    usage.descriptors++;
  closedir(list);
  int opened = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  CHECK(opened >= 0 && read(opened, text, sizeof text - 1) > 0 && close(opened) == 0);
  usage.memory = strtol(text, NULL, 10);
  return usage;
}

static void run_phase(void) {
  struct itimerval timer = {{0, TICK_MICROSECONDS}, {0, TICK_MICROSECONDS}}, none = {0};
  CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
}

static void prepare(void) {
  struct stat status;
  ssize_t length = readlink("/proc/self/exe", itself, sizeof itself - 1);
  CHECK(length > 0 && stat("/", &status) == 0);
  root = status.st_ino;
  CHECK(mkdtemp(scene) != NULL && chdir(scene) == 0 && mkdir("shared", 0700) == 0 && mkdir("shared/entry", 0700) == 0);
  // An interrupted open(2) of a FIFO starts anew.
  struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
  CHECK(sigaction(SIGALRM, &action, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
  CHECK(pthread_barrier_init(&barrier, NULL, THREADS + 1) == 0);
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (struct worker){.number = i, .random = (uint64_t)i + 1};
    CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
  }
}

int main(int argc, char **argv) {
  if (argc > 2 && strcmp(argv[1], "exit") == 0)
    return access("/", F_OK) == 0 ? atoi(argv[2]) : 102;
  time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 0);
  int phases = 0;
  prepare();
  // The first phase fills what the C library keeps; the later ones must find and leave all as it was.
  run_phase();
  struct usage before = measure();
  do {
    run_phase();
    phases++;
  } while (time(NULL) < end);
  struct usage after = measure();
  CHECK(ticks > 0);
  CHECK(after.descriptors == before.descriptors);
  CHECK(after.memory == before.memory);
  is_over = 1;
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_join(workers[i].thread, NULL) == 0);
  CHECK(chdir("/") == 0);
  char path[64];
  snprintf(path, sizeof path, "%s/shared/entry", scene);
  CHECK(rmdir(path) == 0);
  *strrchr(path, '/') = '\0';
  // A scene that is not empty now has something that some thread could not remove.
  CHECK(rmdir(path) == 0 && rmdir(scene) == 0);
  if (argc > 1)
    printf("%d times %d actions, %d ticks, %ld pages\n", phases, THREADS * ROUNDS, (int)ticks, after.memory);
  return 0;
}
