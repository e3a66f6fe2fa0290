// Path names of AF_UNIX sockets, unix(7). A host path rarely fits the 108 bytes that a guest path fitted.
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/un.h>
#include <string.h>
#include <sys/socket.h>

#include "guest.h"
#include "path-calls.h"
#include "proc-link.h"
#include "sys.h"

enum { HEAD_SIZE = offsetof(struct sockaddr_un, sun_path) };

struct address {
  struct sockaddr_un name;
  char end; // the kernel allows a name that fills sun_path without a NUL
};

// Reads the guest's address. Returns whether it is a path name; what else it may be is for the kernel.
static bool read_path_address(const void *guest, long size, struct address *out) {
  if (size <= HEAD_SIZE || (size_t)size > sizeof out->name || guest_copy_in(&out->name, guest, (size_t)size) < 0)
    return false;
  if (out->name.sun_family != AF_UNIX || out->name.sun_path[0] == '\0')
    return false;
  memset((char *)&out->name + size, 0, sizeof *out - (size_t)size);
  return true;
}

static long put_path(struct sockaddr_un *name, const char *head, const char *path) {
  size_t head_length = strlen(head), length = strlen(path);
  if (head_length + length > sizeof name->sun_path)
    return -ENAMETOOLONG;
  memcpy(name->sun_path, head, head_length);
  memcpy(name->sun_path + head_length, path, length);
  if (head_length + length < sizeof name->sun_path)
    name->sun_path[head_length + length++] = '\0';
  return (long)(HEAD_SIZE + head_length + length);
}

// Through an open directory: "/proc/self/fd/N/name".
static long put_below(struct sockaddr_un *name, int descriptor, const char *path) {
  char head[PROC_DESCRIPTOR_PATH_SIZE + 1];
  proc_descriptor_path(descriptor, head);
  size_t length = strlen(head);
  head[length] = '/';
  head[length + 1] = '\0';
  return put_path(name, head, path);
}

// Opens the directory of a path that is too long even so, to be named by descriptor. It becomes the place's own.
static long put_short(struct sockaddr_un *name, struct place *place) {
  size_t slash = strlen(place->path);
  while (slash > 0 && place->path[slash - 1] != '/')
    slash--;
  if (slash == 0)
    return -ENAMETOOLONG;
  char directory_path[PATH_MAX];
  memcpy(directory_path, place->path, slash);
  directory_path[slash] = '\0';
  long directory = SYS_3(SYS_openat, place->descriptor, directory_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    return directory;
  path_release(place);
  place->owned = (int)directory;
  return put_below(name, place->owned, place->path + slash);
}

// Returns the size of the host's address, or a negative errno.
static long translate(struct address *address, bool makes, struct place *place) {
  char guest_path[sizeof address->name.sun_path + 1];
  memcpy(guest_path, address->name.sun_path, sizeof guest_path);
  long result = makes ? resolve_new(AT_FDCWD, guest_path, false, place)
                      : path_resolve(AT_FDCWD, guest_path, PATH_FOLLOW, place);
  if (result < 0)
    return result == -EEXIST ? -EADDRINUSE : result;
  if (place->descriptor == AT_FDCWD)
    result = put_path(&address->name, "", place->path);
  else
    result = put_below(&address->name, place->descriptor, place->path);
  if (result == -ENAMETOOLONG)
    result = put_short(&address->name, place);
  if (result < 0)
    path_release(place);
  return result;
}

long call_bind(struct call *call) {
  const long *a = call->argument;
  struct address address;
  struct place place;
  if (!read_path_address((const void *)a[1], (int)a[2], &address))
    return SYS_3(SYS_bind, a[0], a[1], a[2]);
  long size = translate(&address, true, &place);
  if (size < 0)
    return size;
  long result = SYS_3(SYS_bind, a[0], &address, size);
  path_release(&place);
  return result;
}

static long connect_later(struct call *call, const void *address, size_t size) {
  struct deferred *deferred = call->deferred;
  deferred->number = SYS_connect;
  deferred->argument[0] = call->argument[0];
  deferred->argument[1] = call->argument[1];
  deferred->argument[2] = (long)size;
  deferred->data_argument = -1;
  deferred->data_size = 0;
  deferred->resume = false;
  if (address != NULL) {
    deferred->data_argument = 1;
    deferred->data_size = (uint32_t)size;
    memcpy(deferred->data, address, size);
  }
  return CALL_DEFERRED;
}

long call_connect(struct call *call) {
  const long *a = call->argument;
  struct address address;
  struct place place;
  if (!read_path_address((const void *)a[1], (int)a[2], &address))
    return connect_later(call, NULL, (size_t)a[2]);
  long size = translate(&address, false, &place);
  if (size < 0)
    return size;
  if (place.owned < 0)
    return connect_later(call, &address, (size_t)size);
  // A connection is made at once unless the listener's queue is full, and nothing may stay open while it is.
  long result = SYS_3(SYS_connect, a[0], &address, size);
  path_release(&place);
  return result;
}
