#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"

static char path[PATH_MAX];
static pid_t owner;

static int open_up(const char *entry, const struct stat *status, int type, struct FTW *walk) {
  (void)status;
  (void)walk;
  if (type == FTW_D || type == FTW_DNR)
    chmod(entry, S_IRWXU);
  return 0;
}

static int delete(const char *entry, const struct stat *status, int type, struct FTW *walk) {
  (void)status;
  (void)type;
  (void)walk;
  remove(entry);
  return 0;
}

// Not in the forked child that becomes the first guest.
static void clean_up(void) {
  enum { DESCRIPTORS = 16 };
  if (getpid() != owner || access(path, F_OK) < 0)
    return;
  nftw(path, open_up, DESCRIPTORS, FTW_PHYS | FTW_MOUNT);
  nftw(path, delete, DESCRIPTORS, FTW_PHYS | FTW_MOUNT | FTW_DEPTH);
}

const char *scratch_path(void) {
  if (path[0] != '\0')
    return path;
  const char *variable = getenv("TMPDIR");
  char parent[PATH_MAX];
  uint64_t number;
  if (variable == NULL || variable[0] != '/' || realpath(variable, parent) == NULL || access(parent, W_OK | X_OK) < 0)
    strcpy(parent, "/tmp");
  if (getrandom(&number, sizeof number, 0) != sizeof number)
    fail("internal", errno, "getrandom");
  if (snprintf(path, sizeof path, "%s/anyproc-proot-%016llx", parent, (unsigned long long)number) >= (int)sizeof path)
    fail("scratch", ENAMETOOLONG, parent);
  owner = getpid();
  atexit(clean_up);
  return path;
}

static void make_directory(const char *directory, mode_t mode) {
  if (mkdir(directory, mode) < 0 && errno != EEXIST)
    fail("scratch", errno, directory);
}

void scratch_make(const char *name, bool is_directory) {
  char full[PATH_MAX];
  make_directory(scratch_path(), S_IRWXU);
  if (snprintf(full, sizeof full, "%s/%s", path, name) >= (int)sizeof full)
    fail("scratch", ENAMETOOLONG, name);
  for (char *slash = strchr(full + strlen(path) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    make_directory(full, 0755);
    *slash = '/';
  }
  if (is_directory) {
    make_directory(full, 0755);
    return;
  }
  int file = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0)
    fail("scratch", errno, full);
  close(file);
}
