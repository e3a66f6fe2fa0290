// Path names of AF_UNIX sockets, unix(7), to the kernel and back. A host path rarely fits the 108 bytes that a guest
// path fitted.
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

// Defers the call with its address, at argument `index`, replaced unless NULL.
static long call_later(struct call *call, int index, const void *address, size_t size) {
  struct deferred *deferred = call->deferred;
  deferred->number = call->number;
  memcpy(deferred->argument, call->argument, sizeof deferred->argument);
  deferred->data_argument = -1;
  deferred->data_size = 0;
  deferred->resume = false;
  if (address != NULL) {
    deferred->argument[index + 1] = (long)size;
    deferred->data_argument = index;
    deferred->data_size = (uint32_t)size;
    memcpy(deferred->data, address, size);
  }
  return CALL_DEFERRED;
}

static long call_with_address(struct call *call, int index) {
  const long *a = call->argument;
  struct address address;
  struct place place;
  if (!read_path_address((const void *)a[index], (int)a[index + 1], &address))
    return call_later(call, index, NULL, 0);
  long size = translate(&address, false, &place);
  if (size < 0)
    return size;
  if (place.owned < 0)
    return call_later(call, index, &address, (size_t)size);
  // It waits only while the other side's queue is full, and nothing may stay open while it does.
  long argument[6];
  memcpy(argument, a, sizeof argument);
  argument[index] = (long)&address;
  argument[index + 1] = size;
  long result = sys_call(call->number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
  path_release(&place);
  return result;
}

long call_connect(struct call *call) {
  return call_with_address(call, 1);
}

long call_sendto(struct call *call) {
  return call_with_address(call, 4);
}

// The guest path of a name that translate() has made, in place. Returns the new length.
static long untranslate(char *path, size_t length, size_t capacity) {
  char root[PROC_DESCRIPTOR_PATH_SIZE];
  proc_descriptor_path(config.descriptor_base + HIDDEN_ROOT, root);
  size_t skip = strlen(root);
  if (length > skip && memcmp(path, root, skip) == 0 && path[skip] == '/') {
    memmove(path, path + skip, length - skip + 1);
    return (long)(length - skip);
  }
  return path_to_guest(path, length, capacity);
}

// getsockname(2) and getpeername(2).
long call_socket_name(struct call *call) {
  const long *a = call->argument;
  char path[sizeof((struct sockaddr_un *)NULL)->sun_path + PATH_MAX];
  struct sockaddr_un name;
  int32_t room, size = sizeof name;
  long result = guest_copy_in(&room, (const void *)a[2], sizeof room);
  if (result < 0)
    return result;
  result = SYS_3(call->number, a[0], &name, &size);
  if (result < 0)
    return result;
  if (room < 0)
    return -EINVAL;
  if (size <= HEAD_SIZE || name.sun_family != AF_UNIX || name.sun_path[0] != '/')
    return SYS_3(call->number, a[0], a[1], a[2]);
  size_t length = (size_t)size - HEAD_SIZE;
  memcpy(path, name.sun_path, length);
  path[length] = '\0';
  long translated = untranslate(path, strlen(path), sizeof path);
  if (translated < 0)
    return SYS_3(call->number, a[0], a[1], a[2]);
  length = (size_t)translated + 1;
  size = (int32_t)(HEAD_SIZE + length);
  memcpy(name.sun_path, path, length < sizeof name.sun_path ? length : sizeof name.sun_path);
  size_t copied = (size_t)(size < room ? size : room);
  result = guest_copy_out((void *)a[1], &name, copied < sizeof name ? copied : sizeof name);
  return result < 0 ? result : guest_copy_out((void *)a[2], &size, sizeof size);
}
