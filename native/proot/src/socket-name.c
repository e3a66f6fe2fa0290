#include "socket-name.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "guest.h"
#include "path-calls.h"
#include "proc-link.h"
#include "sys.h"

bool socket_name_read(const void *guest, long size, struct socket_name *out) {
  if (size <= SOCKET_NAME_HEAD || (size_t)size > sizeof out->address ||
      guest_copy_in(&out->address, guest, (size_t)size) < 0)
    return false;
  if (out->address.sun_family != AF_UNIX || out->address.sun_path[0] == '\0')
    return false;
  memset((char *)&out->address + size, 0, sizeof *out - (size_t)size);
  return true;
}

static long put_path(struct sockaddr_un *address, const char *head, const char *path) {
  size_t head_length = strlen(head), length = strlen(path);
  if (head_length + length > sizeof address->sun_path)
    return -ENAMETOOLONG;
  memcpy(address->sun_path, head, head_length);
  memcpy(address->sun_path + head_length, path, length);
  if (head_length + length < sizeof address->sun_path)
    address->sun_path[head_length + length++] = '\0';
  return (long)(SOCKET_NAME_HEAD + head_length + length);
}

// Through an open directory: "/proc/self/fd/N/name".
static long put_below(struct sockaddr_un *address, int descriptor, const char *path) {
  char head[PROC_DESCRIPTOR_PATH_SIZE + 1];
  proc_descriptor_path(descriptor, head);
  size_t length = strlen(head);
  head[length] = '/';
  head[length + 1] = '\0';
  return put_path(address, head, path);
}

static long put_place(struct sockaddr_un *address, const struct place *place) {
  if (place->descriptor == AT_FDCWD)
    return put_path(address, "", place->path);
  return put_below(address, place->descriptor, place->path);
}

static long own(struct place *place, const char *path, long flags) {
  long descriptor = SYS_3(SYS_openat, place->descriptor, path, O_PATH | O_CLOEXEC | flags);
  if (descriptor < 0)
    return descriptor;
  path_release(place);
  place->owned = (int)descriptor;
  return 0;
}

// Opens the directory of a path that is too long even so, to be named by descriptor. It becomes the place's own.
static long put_short(struct sockaddr_un *address, struct place *place) {
  char directory[PATH_MAX];
  size_t slash = strlen(place->path);
  while (slash > 0 && place->path[slash - 1] != '/')
    slash--;
  if (slash == 0)
    return -ENAMETOOLONG;
  memcpy(directory, place->path, slash);
  directory[slash] = '\0';
  long result = own(place, directory, O_DIRECTORY);
  return result < 0 ? result : put_below(address, place->owned, place->path + slash);
}

// A socket that exists is reached by a descriptor of itself, however long its name is.
static long put_object(struct sockaddr_un *address, struct place *place) {
  char path[PROC_DESCRIPTOR_PATH_SIZE];
  long result = own(place, place->path, 0);
  if (result < 0)
    return result;
  proc_descriptor_path(place->owned, path);
  return put_path(address, "", path);
}

long socket_name_of_new(struct socket_name *name, struct place *place) {
  char guest_path[sizeof name->address.sun_path + 1];
  memcpy(guest_path, name->address.sun_path, sizeof guest_path);
  long result = resolve_new(AT_FDCWD, guest_path, false, place);
  if (result < 0)
    return result == -EEXIST ? -EADDRINUSE : result;
  result = put_place(&name->address, place);
  if (result == -ENAMETOOLONG)
    result = put_short(&name->address, place);
  if (result < 0)
    path_release(place);
  return result;
}

long socket_name_of_existing(struct socket_name *name, struct place *place) {
  char guest_path[sizeof name->address.sun_path + 1];
  memcpy(guest_path, name->address.sun_path, sizeof guest_path);
  long result = path_resolve(AT_FDCWD, guest_path, PATH_FOLLOW, place);
  if (result < 0)
    return result;
  result = put_place(&name->address, place);
  if (result == -ENAMETOOLONG)
    result = put_object(&name->address, place);
  if (result < 0)
    path_release(place);
  return result;
}

// The guest path of a host's name, in place. Returns the new length.
static long to_guest(char *path, size_t length, size_t capacity) {
  char root[PROC_DESCRIPTOR_PATH_SIZE];
  proc_descriptor_path(config.descriptor_base + HIDDEN_ROOT, root);
  size_t skip = strlen(root);
  if (length <= skip || memcmp(path, root, skip) != 0 || path[skip] != '/')
    return path_to_guest(path, length, capacity);
  size_t rest = length - skip;
  if (mounts()->root == NULL) {
    memmove(path, path + skip, rest + 1);
    return (long)rest;
  }
  if (config.root_length + rest >= capacity)
    return -ENAMETOOLONG;
  memmove(path + config.root_length, path + skip, rest + 1);
  memcpy(path, config.root, config.root_length);
  return path_to_guest(path, config.root_length + rest, capacity);
}

long socket_name_correct(void *guest, long room, long size) {
  struct sockaddr_un address;
  char path[sizeof address.sun_path + PATH_MAX];
  long known = size < room ? size : room;
  if (known <= SOCKET_NAME_HEAD || (size_t)known > sizeof address || guest_copy_in(&address, guest, (size_t)known) < 0)
    return size;
  if (address.sun_family != AF_UNIX || address.sun_path[0] != '/')
    return size;
  size_t length = (size_t)known - SOCKET_NAME_HEAD;
  memcpy(path, address.sun_path, length);
  path[length] = '\0';
  long translated = to_guest(path, strlen(path), sizeof path);
  if (translated < 0)
    return size;
  size = SOCKET_NAME_HEAD + translated + 1;
  known = size < room ? size : room;
  long result = guest_copy_out((char *)guest + SOCKET_NAME_HEAD, path, (size_t)(known - SOCKET_NAME_HEAD));
  return result < 0 ? result : size;
}
