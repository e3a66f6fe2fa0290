// open(2) and its relatives. What may block (a FIFO, a terminal, a network file) is deferred.
#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "path-calls.h"
#include "sys.h"

static bool has(long flags, long wanted) {
  return (flags & wanted) == wanted;
}

long check_read_only_open(struct place *place, long *flags) {
  if (!path_is_read_only(place) || (*flags & O_PATH) != 0)
    return 0;
  if (has(*flags, __O_TMPFILE))
    return -EROFS;
  struct stat stat;
  long result = SYS_4(SYS_newfstatat, place->descriptor, place->path, &stat, AT_SYMLINK_NOFOLLOW);
  if (result == -ENOENT && (*flags & O_CREAT) != 0)
    return -EROFS;
  if (result < 0)
    return result;
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

static long open_now(struct place *place, const struct opening *opening, long flags) {
  long result = check_read_only_open(place, &flags);
  if (result == 0)
    result = SYS_4(SYS_openat, place->descriptor, place->path, flags, opening->mode);
  path_release(place);
  return result;
}

static long open_later(struct call *call, struct place *place, const struct opening *opening, long flags, bool resume) {
  if (place->owned >= 0)
    return open_now(place, opening, flags);
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
  deferred->resume = resume;
  return CALL_DEFERRED;
}

static long open_followed(struct call *call, const struct opening *opening) {
  struct place place;
  enum path_follow follow = (opening->flags & O_CREAT) != 0 ? PATH_CREATE : PATH_FOLLOW;
  long result = path_resolve(opening->dirfd, opening->path, follow, &place);
  if (result < 0)
    return result;
  if ((opening->flags & (O_PATH | O_DIRECTORY)) != 0)
    return open_now(&place, opening, opening->flags);
  return open_later(call, &place, opening, opening->flags, false);
}

// Most last components are no symlinks: open as if none were, follow when the kernel objects.
static long open_guessed(struct call *call, const struct opening *opening) {
  bool makes = (opening->flags & O_CREAT) != 0;
  bool final = (opening->flags & O_NOFOLLOW) != 0 || has(opening->flags, O_CREAT | O_EXCL);
  struct place place;
  long result = path_resolve(opening->dirfd, opening->path, makes ? PATH_PARENT : PATH_NO_FOLLOW, &place);
  if (result < 0)
    return result;
  if ((opening->flags & O_DIRECTORY) == 0)
    return open_later(call, &place, opening, opening->flags | (final ? 0 : O_NOFOLLOW), !final);
  result = open_now(&place, opening, opening->flags | (final ? 0 : O_NOFOLLOW));
  // O_DIRECTORY finds a symlink to be no directory before O_NOFOLLOW finds it to be a symlink.
  return final || (result != -ENOTDIR && result != -ELOOP) ? result : open_followed(call, opening);
}

// Flags that contradict each other are an error whatever the path is; the kernel tells by an empty one.
static long blame_flags(const struct opening *opening, long path_error) {
  if ((opening->flags & (O_CREAT | O_DIRECTORY | __O_TMPFILE)) == 0)
    return path_error;
  return SYS_4(SYS_openat, AT_FDCWD, "", opening->flags, opening->mode) == -EINVAL ? -EINVAL : path_error;
}

static long open_by_flags(struct call *call, const struct opening *opening) {
  if (call->stage == 1)
    return call->result == -ELOOP ? open_followed(call, opening) : call->result;
  if ((opening->flags & O_PATH) == 0)
    return open_guessed(call, opening);
  // O_PATH ignores what would make or change a file, and never blocks.
  struct opening handle = *opening;
  handle.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  return has(handle.flags, O_NOFOLLOW) ? open_guessed(call, &handle) : open_followed(call, &handle);
}

long open_at(struct call *call, const struct opening *opening) {
  long result = open_by_flags(call, opening);
  return result < 0 && result != CALL_DEFERRED && call->stage == 0 ? blame_flags(opening, result) : result;
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
