// inotify(7) and fanotify(7) marks.
#include <linux/fanotify.h>
#include <linux/fcntl.h>
#include <linux/inotify.h>

#include "path-calls.h"
#include "sys.h"

long call_inotify_add_watch(struct call *call) {
  struct place place;
  enum path_follow follow = (call->argument[2] & IN_DONT_FOLLOW) != 0 ? PATH_NO_FOLLOW : PATH_FOLLOW;
  long result = path_resolve(AT_FDCWD, path_argument(call, 1), follow, &place);
  if (result < 0)
    return result;
  result = path_call_plain(&place, call->number, call->argument, 1);
  path_release(&place);
  return result;
}

long call_fanotify_mark(struct call *call) {
  const long *a = call->argument;
  const char *path = path_argument(call, 4);
  if (path == NULL)
    return pass_on(call, 3);
  struct place place;
  enum path_follow follow = (a[1] & FAN_MARK_DONT_FOLLOW) != 0 ? PATH_NO_FOLLOW : PATH_FOLLOW;
  long result = path_resolve(descriptor_argument(call, 3), path, follow, &place);
  if (result < 0)
    return result;
  result = SYS_5(SYS_fanotify_mark, a[0], a[1], a[2], place.descriptor, place.path);
  path_release(&place);
  return result;
}
