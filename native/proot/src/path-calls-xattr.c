// Extended attributes, xattr(7): the plain calls and the newer ones that take a directory.
#include <errno.h>
#include <linux/fcntl.h>

#include "path-calls.h"
#include "sys.h"
#include "syscall-numbers.h"

static bool is_link_call(long number) {
  return number == SYS_lsetxattr || number == SYS_lgetxattr || number == SYS_llistxattr || number == SYS_lremovexattr;
}

static bool changes(long number) {
  return number == SYS_setxattr || number == SYS_lsetxattr || number == SYS_setxattrat || number == SYS_removexattr ||
         number == SYS_lremovexattr || number == SYS_removexattrat;
}

static long resolve(struct call *call, int dirfd, const char *guest_path, bool follows, struct place *out) {
  enum path_follow follow = follows ? PATH_FOLLOW : PATH_NO_FOLLOW;
  return changes(call->number) ? resolve_for_change(dirfd, guest_path, follow, out)
                               : path_resolve(dirfd, guest_path, follow, out);
}

long call_plain_xattr(struct call *call) {
  struct place place;
  long result = resolve(call, AT_FDCWD, path_argument(call, 0), !is_link_call(call->number), &place);
  if (result < 0)
    return result;
  result = path_call_plain(&place, call->number, call->argument, 0);
  path_release(&place);
  return result;
}

long call_xattrat(struct call *call) {
  const long *a = call->argument;
  const char *path = path_argument(call, 1);
  if (names_descriptor(path, a[2]))
    return changes(call->number) ? pass_on_change(call, 0) : pass_on(call, 0);
  struct place place;
  long result = resolve(call, descriptor_argument(call, 0), path, (a[2] & AT_SYMLINK_NOFOLLOW) == 0, &place);
  if (result < 0)
    return result;
  result = SYS_6(call->number, place.descriptor, place.path, a[2], a[3], a[4], a[5]);
  path_release(&place);
  return result;
}
