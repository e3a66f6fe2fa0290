// Extended attributes, xattr(7): the plain calls, those on descriptors, and the newer ones that take a directory.
#include <errno.h>
#include <linux/fcntl.h>
#include <stddef.h>

#include "owners.h"
#include "path-calls.h"
#include "sys.h"
#include "syscall-numbers.h"

static bool is_link_call(long number) {
  return number == SYS_lsetxattr || number == SYS_lgetxattr || number == SYS_llistxattr || number == SYS_lremovexattr;
}

static bool sets(long number) {
  return number == SYS_setxattr || number == SYS_lsetxattr || number == SYS_fsetxattr || number == SYS_setxattrat;
}

static bool lists(long number) {
  return number == SYS_listxattr || number == SYS_llistxattr || number == SYS_flistxattr || number == SYS_listxattrat;
}

static bool changes(long number) {
  return sets(number) || number == SYS_removexattr || number == SYS_lremovexattr || number == SYS_fremovexattr ||
         number == SYS_removexattrat;
}

// What the call gives for the engine's own attribute, once the kernel has found the file: 0 for others.
static long refuse_own(const struct call *call, int name_index) {
  if (lists(call->number) || !owners_is_attribute(path_argument(call, name_index)))
    return 0;
  return sets(call->number) ? -EOPNOTSUPP : -ENODATA;
}

static long without_own(const struct call *call, int list_index, long result) {
  bool is_list = lists(call->number) && result > 0 && call->argument[list_index + 1] > 0;
  return is_list ? owners_hide_attribute((char *)call->argument[list_index], result) : result;
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
  result = refuse_own(call, 1);
  if (result == 0)
    result = without_own(call, 1, path_call_plain(&place, call->number, call->argument, 0));
  path_release(&place);
  return result;
}

long call_descriptor_xattr(struct call *call) {
  long result = refuse_own(call, 1);
  if (result < 0)
    return result;
  return changes(call->number) ? pass_on_file_change(call) : without_own(call, 1, pass_on(call, 0));
}

long call_xattrat(struct call *call) {
  const long *a = call->argument;
  const char *path = path_argument(call, 1);
  if (names_descriptor(path, a[2])) {
    long result = refuse_own(call, 3);
    if (result < 0)
      return result;
    return changes(call->number) ? pass_on_change(call, 0) : without_own(call, 3, pass_on(call, 0));
  }
  struct place place;
  long result = resolve(call, descriptor_argument(call, 0), path, (a[2] & AT_SYMLINK_NOFOLLOW) == 0, &place);
  if (result < 0)
    return result;
  result = refuse_own(call, 3);
  if (result == 0)
    result = without_own(call, 3, SYS_6(call->number, place.descriptor, place.path, a[2], a[3], a[4], a[5]));
  path_release(&place);
  return result;
}
