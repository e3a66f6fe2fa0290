// Path names of AF_UNIX sockets, unix(7), to the kernel and back. A host path rarely fits the 108 bytes that a guest
// path fitted.
#ifndef ANYPROC_SOCKET_NAME_H
#define ANYPROC_SOCKET_NAME_H

#include <linux/un.h>
#include <stddef.h>

#include "path.h"

enum { SOCKET_NAME_HEAD = offsetof(struct sockaddr_un, sun_path) };

struct socket_name {
  struct sockaddr_un address;
  char end; // the kernel allows a name that fills sun_path without a NUL
};

// Reads the guest's address. Returns whether it is a path name; what else it may be is for the kernel.
bool socket_name_read(const void *guest, long size, struct socket_name *out);

// Puts the host's name in the place of the guest's: of a socket that is about to be made, or that exists. Returns the
// size of the address, with the place to be released once it has been used, or a negative errno.
long socket_name_of_new(struct socket_name *name, struct place *place);
long socket_name_of_existing(struct socket_name *name, struct place *place);

// The kernel has written an address of `size` bytes to the guest's buffer of `room` bytes: makes it the guest's name,
// when it is a path. Returns its size, or a negative errno.
long socket_name_correct(void *guest, long room, long size);

#endif
