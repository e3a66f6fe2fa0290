// readlink(2): the text of an ordinary symlink is the guest's own; what proc(5) says is translated.
#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>

#include "cursor.h"
#include "guest.h"
#include "path-calls.h"
#include "proc-link.h"
#include "sys.h"

static bool find_proc_link(const struct place *place, char *text, struct cursor *cursor) {
  cursor->text = text;
  if (!place->relative && place->bind == NULL && config.root_length > 0)
    return false;
  return path_to_cursor(place, cursor) && cursor_in_proc(cursor);
}

static long read_proc_link(const struct place *place, const struct cursor *link, char *guest_buffer, long size) {
  char text[PATH_MAX];
  long length = SYS_4(SYS_readlinkat, place->descriptor, place->path, text, sizeof text - 1);
  if (length < 0)
    return length;
  text[length] = '\0';
  long translated = proc_link_translate(link, text, (size_t)length, sizeof text);
  if (translated == -EACCES)
    return translated;
  if (translated >= 0)
    length = translated;
  if (length > size)
    length = size;
  long result = guest_copy_out(guest_buffer, text, (size_t)length);
  return result < 0 ? result : length;
}

static long readlink_at(int dirfd, const char *guest_path, char *guest_buffer, long size) {
  if (size <= 0)
    return -EINVAL;
  struct place place;
  struct cursor link;
  char text[CURSOR_CAPACITY];
  long result = path_resolve(dirfd, guest_path, PATH_NO_FOLLOW, &place);
  if (result < 0)
    return result;
  if (!place.relative && find_proc_link(&place, text, &link)) {
    result = read_proc_link(&place, &link, guest_buffer, size);
  } else {
    result = SYS_4(SYS_readlinkat, place.descriptor, place.path, guest_buffer, size);
    if (result > 0 && place.relative && guest_buffer[0] == '/' && find_proc_link(&place, text, &link))
      result = read_proc_link(&place, &link, guest_buffer, size);
  }
  path_release(&place);
  return result;
}

long call_readlink(struct call *call) {
  return readlink_at(AT_FDCWD, path_argument(call, 0), (char *)call->argument[1], (int)call->argument[2]);
}

long call_readlinkat(struct call *call) {
  const char *path = path_argument(call, 1);
  // readlinkat(2) takes an empty path without a flag: a symlink opened with O_PATH | O_NOFOLLOW.
  if (names_descriptor(path, AT_EMPTY_PATH))
    return path == NULL ? -EFAULT : pass_on(call, 0);
  return readlink_at(descriptor_argument(call, 0), path, (char *)call->argument[2], (int)call->argument[3]);
}
