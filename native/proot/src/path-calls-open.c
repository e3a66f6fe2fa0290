// open(2) and its relatives. What may block (a FIFO, a terminal) is deferred.
#include <errno.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "identity.h"
#include "owners.h"
#include "path-calls.h"
#include "proc-file.h"
#include "sys.h"

static bool has(long flags, long wanted) {
  return (flags & wanted) == wanted;
}

// Reads what is there, if it is there.
static bool only_reads(long flags) {
  return (flags & (O_ACCMODE | O_CREAT | O_TRUNC | __O_TMPFILE)) == O_RDONLY;
}

long check_read_only_open(struct place *place, long *flags) {
  if (only_reads(*flags) || (*flags & O_PATH) != 0 || !path_is_read_only(place))
    return 0;
  if ((*flags & O_CREAT) != 0 && place->path[strlen(place->path) - 1] == '/')
    return 0; // -EISDIR in any case
  struct stat stat;
  long result = SYS_4(SYS_newfstatat, place->descriptor, place->path, &stat, AT_SYMLINK_NOFOLLOW);
  if (result == -ENOENT && (*flags & O_CREAT) != 0)
    return -EROFS;
  if (result < 0)
    return result;
  if (has(*flags, __O_TMPFILE))
    return S_ISDIR(stat.st_mode) ? -EROFS : -ENOTDIR;
  if (has(*flags, O_CREAT | O_EXCL))
    return -EEXIST;
  if (S_ISREG(stat.st_mode) && ((*flags & O_ACCMODE) != O_RDONLY || (*flags & O_TRUNC) != 0)) {
    result = path_check_access(place, PATH_WRITE | ((*flags & O_ACCMODE) == O_RDWR ? PATH_READ : 0));
    return result < 0 ? result : -EROFS;
  }
  if (!S_ISDIR(stat.st_mode)) // O_CREAT on a directory is the kernel's error to give
    *flags &= ~(long)O_CREAT;
  return 0;
}

// A regular file, a directory and a memory device open at once; opening them is cheaper in the handler.
static bool may_block(const struct stat *stat) {
  enum { MEMORY_MAJOR = 1 }; // null(4), mem(4), random(4)
  if (S_ISCHR(stat->st_mode))
    return (stat->st_rdev >> 8 & 0xfff) != MEMORY_MAJOR;
  return !S_ISREG(stat->st_mode) && !S_ISDIR(stat->st_mode);
}

// Whether the mode of a file may close it to who is shown as its owner, root.
static bool modes_may_be_opened(void) {
  return (config.flags & CONFIG_FAKE_IDS) != 0 && config.host_uid != 0;
}

// Shown as root, the owner opens a file that its mode closes to him: what CAP_DAC_OVERRIDE is for (capabilities(7)).
// For the moment of opening it has the mode that it takes.
static long open_against_mode(struct place *place, long flags) {
  struct stat stat;
  if (!modes_may_be_opened() || !identity_can(identity_current(), CAP_DAC_OVERRIDE) || place->magic ||
      path_is_read_only(place) ||
      SYS_4(SYS_newfstatat, place->descriptor, place->path, &stat, AT_SYMLINK_NOFOLLOW) < 0 ||
      !S_ISREG(stat.st_mode) || stat.st_uid != config.host_uid)
    return -EACCES;
  long mode = stat.st_mode & 07777;
  if ((mode & (S_IRUSR | S_IWUSR)) == (S_IRUSR | S_IWUSR) ||
      SYS_3(SYS_fchmodat, place->descriptor, place->path, mode | S_IRUSR | S_IWUSR) < 0)
    return -EACCES;
  long result = SYS_4(SYS_openat, place->descriptor, place->path, flags & ~(long)O_CREAT, 0);
  SYS_3(SYS_fchmodat, place->descriptor, place->path, mode);
  return result;
}

static long open_now(struct place *place, const struct opening *opening, long flags) {
  long result = check_read_only_open(place, &flags);
  if (result == 0)
    result = SYS_4(SYS_openat, place->descriptor, place->path, flags, opening->mode);
  if (result == -EACCES)
    result = open_against_mode(place, flags);
  return result;
}

static long open_later(struct call *call, struct place *place, const struct opening *opening, long flags) {
  if (place->owned >= 0) {
    long opened = open_now(place, opening, flags);
    path_release(place);
    return opened;
  }
  long result = check_read_only_open(place, &flags);
  if (result < 0)
    return result;
  struct deferred *deferred = call->deferred;
  deferred->number = SYS_openat;
  deferred->argument[0] = place->descriptor;
  deferred->argument[2] = flags;
  deferred->argument[3] = opening->mode;
  deferred->data_argument = 1;
  deferred->data_size = (uint32_t)strlen(place->path) + 1;
  memcpy(deferred->data, place->path, deferred->data_size);
  deferred->resume = RESUME_NEVER;
  return CALL_DEFERRED;
}

static bool writes_ids(const struct place *place, const struct stat *stat, long flags) {
  return S_ISREG(stat->st_mode) && stat->st_size == 0 && (flags & O_ACCMODE) != O_RDONLY && (flags & O_PATH) == 0 &&
         proc_file_takes_ids(place);
}

// A file of procfs, which has no size, that is read.
static bool tells_host(const struct place *place, const struct stat *stat, long flags) {
  return S_ISREG(stat->st_mode) && stat->st_size == 0 && (flags & (O_ACCMODE | O_PATH)) == O_RDONLY &&
         proc_file_is_translated(place);
}

static bool makes_file(const struct opening *opening) {
  return (opening->flags & O_CREAT) != 0;
}

static bool keeps_link(const struct opening *opening) {
  return (opening->flags & O_NOFOLLOW) != 0 || has(opening->flags, O_CREAT | O_EXCL);
}

// Resolves the path and looks at what is there. Returns 0, the error of looking with the place to be released, or a
// resolution's error with `place->path` NULL.
static long look(const struct opening *opening, enum path_follow follow, struct place *place, struct stat *stat) {
  place->path = NULL;
  long result = path_resolve(opening->dirfd, opening->path, follow, place);
  if (result < 0) {
    place->path = NULL;
    return result;
  }
  return SYS_4(SYS_newfstatat, place->descriptor, place->path, stat, place->magic ? 0 : AT_SYMLINK_NOFOLLOW);
}

// Most last components are no symlinks, and most symlinks lead to none: look first, follow then.
static long find(const struct opening *opening, struct place *place, struct stat *stat) {
  long result = look(opening, makes_file(opening) ? PATH_PARENT : PATH_NO_FOLLOW, place, stat);
  if (result < 0 || !S_ISLNK(stat->st_mode) || keeps_link(opening))
    return result;
  result = look(opening, PATH_FOLLOW_ONE, place, stat);
  if (result == 0 ? !S_ISLNK(stat->st_mode) : !makes_file(opening))
    return result;
  return look(opening, makes_file(opening) ? PATH_CREATE : PATH_FOLLOW, place, stat);
}

// Whether the kernel itself will say what it found, so that nobody has to look first: nothing is made, and nothing is
// read-only for the guest alone.
static bool may_open_unseen(const struct call *call, const struct opening *opening) {
  return call->stage == 0 && (opening->flags & (O_CREAT | O_PATH | O_DIRECTORY)) == 0 &&
         (only_reads(opening->flags) || !mounts()->has_read_only);
}

// What the kernel says of a symlink to be followed, and of a mode that may be opened.
static void look_after_errors(struct deferred *deferred, const struct opening *opening) {
  bool follows = !keeps_link(opening), opens_modes = modes_may_be_opened();
  deferred->resume = follows || opens_modes ? RESUME_ON_RESULTS : RESUME_NEVER;
  deferred->resume_results[0] = follows ? -ELOOP : -EACCES;
  deferred->resume_results[1] = opens_modes ? -EACCES : -ELOOP;
}

// Returns -ELOOP, now or as the result of the deferred call, for a symlink and for what has to be looked at after all.
static long open_unseen(struct call *call, const struct opening *opening) {
  struct place place;
  long result = path_resolve(opening->dirfd, opening->path, PATH_NO_FOLLOW, &place);
  if (result < 0)
    return result;
  bool writes = (opening->flags & O_ACCMODE) != O_RDONLY;
  if (place.owned >= 0 || proc_file_is_translated(&place) || (writes && proc_file_takes_ids(&place))) {
    path_release(&place);
    return -ELOOP;
  }
  result = open_later(call, &place, opening, opening->flags | O_NOFOLLOW);
  if (result == CALL_DEFERRED)
    look_after_errors(call->deferred, opening);
  return result;
}

static long open_found(struct call *call, const struct opening *opening) {
  struct place place;
  struct stat stat;
  long result = find(opening, &place, &stat);
  if (place.path == NULL)
    return result;
  // Should a symlink have come in between, the kernel must not follow it in its own terms.
  long flags = opening->flags | (place.magic ? 0 : O_NOFOLLOW);
  if (result == 0 && tells_host(&place, &stat, flags)) {
    result = proc_file_open(&place, flags);
    path_release(&place);
    return result;
  }
  if (result == 0 && writes_ids(&place, &stat, flags)) {
    path_release(&place);
    return SYS_4(SYS_openat, AT_FDCWD, "/dev/null", opening->flags, 0);
  }
  if (result == 0 && may_block(&stat) && (flags & O_PATH) == 0)
    return open_later(call, &place, opening, flags);
  bool is_new = result == -ENOENT;
  if (result == 0 || makes_file(opening))
    result = open_now(&place, opening, flags);
  if (is_new && result >= 0)
    owners_adopt_opened((int)result, &place);
  path_release(&place);
  return result;
}

static long open_directory(const struct opening *opening) {
  struct place place;
  long result = path_resolve(opening->dirfd, opening->path, PATH_NO_FOLLOW, &place);
  if (result < 0)
    return result;
  result = open_now(&place, opening, opening->flags | O_NOFOLLOW);
  if (result >= 0 && has(opening->flags, __O_TMPFILE))
    owners_adopt_unnamed((int)result, &place);
  path_release(&place);
  return result;
}

// Flags that contradict each other are an error whatever the path is; the kernel tells by an empty one.
static long blame_flags(const struct opening *opening, long path_error) {
  if ((opening->flags & (O_CREAT | O_DIRECTORY | __O_TMPFILE)) == 0)
    return path_error;
  return SYS_4(SYS_openat, AT_FDCWD, "", opening->flags, opening->mode) == -EINVAL ? -EINVAL : path_error;
}

long open_at(struct call *call, const struct opening *asked) {
  struct opening opening = *asked;
  // O_PATH ignores what would make or change a file, open(2).
  if ((opening.flags & O_PATH) != 0)
    opening.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  if ((opening.flags & (O_DIRECTORY | O_CREAT)) == O_DIRECTORY) {
    long result = open_directory(&opening);
    // A symlink is found to be no directory before it is found to be a symlink.
    if ((result != -ENOTDIR && result != -ELOOP) || keeps_link(&opening))
      return result < 0 ? blame_flags(&opening, result) : result;
  }
  if (may_open_unseen(call, &opening)) {
    long result = open_unseen(call, &opening);
    if (result != -ELOOP)
      return result;
  }
  enum { ATTEMPTS = 3 }; // a symlink may come in between look and open
  long result = 0;
  for (int i = 0; i < ATTEMPTS; i++) {
    result = open_found(call, &opening);
    if (result != -ELOOP || keeps_link(&opening))
      break;
  }
  return result < 0 && result != CALL_DEFERRED ? blame_flags(&opening, result) : result;
}

long call_open(struct call *call) {
  return open_at(call, &(struct opening){AT_FDCWD, path_argument(call, 0), call->argument[1], call->argument[2]});
}

long call_openat(struct call *call) {
  return open_at(call, &(struct opening){descriptor_argument(call, 0), path_argument(call, 1), call->argument[2],
                                         call->argument[3]});
}

long call_creat(struct call *call) {
  return open_at(call, &(struct opening){AT_FDCWD, path_argument(call, 0), O_CREAT | O_WRONLY | O_TRUNC,
                                         call->argument[1]});
}
