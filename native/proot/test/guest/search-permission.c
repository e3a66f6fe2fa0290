// Ways through a directory end when its mode closes it, or when the process becomes somebody who may not search it,
// however often they have been gone before.
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "children.h"

enum { USER = 65534, OFTEN = 5 };

static char directory[] = "/tmp/anyproc-search-XXXXXX";
static char through_link[PATH_MAX];

// Symlinks: what the path itself says, the kernel would check in any case.
static void go(int expected) {
  struct stat status;
  for (int i = 0; i < OFTEN; i++) {
    if (expected == 0)
      CHECK(stat(through_link, &status) == 0);
    else
      CHECK_ERRNO(stat(through_link, &status), expected);
  }
}

static void leave_root(void) {
  CHECK(setgroups(0, NULL) == 0 && setgid(USER) == 0 && setuid(USER) == 0);
}

static void modes(void) {
  CHECK(chdir(directory) == 0);
  int way = open("way", O_RDONLY | O_DIRECTORY);
  go(0);
  CHECK(chmod("way", 0600) == 0);
  go(EACCES);
  CHECK(chmod("way", 0700) == 0);
  go(0);
  CHECK(fchmod(way, 0) == 0);
  go(EACCES);
  CHECK(fchmod(way, 0755) == 0);
  go(0);
  CHECK(fchmodat(AT_FDCWD, "way", 0600, 0) == 0);
  go(EACCES);
  CHECK(fchmodat(AT_FDCWD, "way", 0711, 0) == 0);
  go(0);
#ifdef SYS_fchmodat2
  if (syscall(SYS_fchmodat2, way, "", 0600, AT_EMPTY_PATH) == 0) {
    go(EACCES);
    CHECK(chmod("way", 0700) == 0);
  }
  if (syscall(SYS_fchmodat2, AT_FDCWD, "way", 0600, 0) == 0) {
    go(EACCES);
    CHECK(chmod("way", 0700) == 0);
  }
#endif
  CHECK(close(way) == 0);
}

static void users(void) {
  go(0);
  CHECK(setegid(USER) == 0 && seteuid(USER) == 0);
  go(EACCES);
  CHECK(seteuid(0) == 0 && setegid(0) == 0);
  go(0);
  leave_root();
  go(EACCES);
}

static void modes_for_others(void) {
  leave_root();
  modes();
}

// Who is root in name only meets the kernel's checks all the same.
static bool searches_everything(void) {
  CHECK(mkdir("closed", 0) == 0);
  bool searches = access("closed/missing", F_OK) < 0 && errno == ENOENT;
  CHECK(rmdir("closed") == 0);
  return searches;
}

int main(void) {
  CHECK(mkdtemp(directory) != NULL && chmod(directory, 0755) == 0 && chdir(directory) == 0);
  CHECK(mkdir("way", 0700) == 0 && mkdir("end", 0755) == 0 && mkdir("end/there", 0755) == 0);
  CHECK(symlink("../end", "way/link") == 0);
  snprintf(through_link, sizeof through_link, "%s/way/link/there", directory);
  if (searches_everything()) {
    in_child(users);
    CHECK(chown("way", USER, USER) == 0);
    in_child(modes_for_others);
  } else {
    in_child(modes);
  }
  CHECK(unlink("way/link") == 0 && rmdir("way") == 0 && rmdir("end/there") == 0 && rmdir("end") == 0);
  CHECK(chdir("/") == 0 && rmdir(directory) == 0);
  return 0;
}
