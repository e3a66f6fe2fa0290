// Calls with one address: bind(2), connect(2), sendto(2), getsockname(2), getpeername(2), accept(2), recvfrom(2).
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "guest.h"
#include "path-calls.h"
#include "socket-name.h"
#include "sys.h"

long call_bind(struct call *call) {
  const long *a = call->argument;
  struct socket_name name;
  struct place place;
  if (!socket_name_read((const void *)a[1], (int)a[2], &name))
    return SYS_3(SYS_bind, a[0], a[1], a[2]);
  long size = socket_name_of_new(&name, &place);
  if (size < 0)
    return size;
  long result = SYS_3(SYS_bind, a[0], &name, size);
  path_release(&place);
  return result;
}

// Defers the call with its address, at argument `index`, replaced.
static long call_with_name(struct call *call, int index, const struct socket_name *name, size_t size) {
  struct deferred *deferred = call->deferred;
  call_later(call);
  deferred->argument[index + 1] = (long)size;
  deferred->data_argument = index;
  deferred->data_size = (uint32_t)size;
  memcpy(deferred->data, &name->address, size);
  return CALL_DEFERRED;
}

static long call_with_address(struct call *call, int index) {
  const long *a = call->argument;
  struct socket_name name;
  struct place place;
  if (!socket_name_read((const void *)a[index], (int)a[index + 1], &name))
    return call_later(call);
  long size = socket_name_of_existing(&name, &place);
  if (size < 0)
    return size;
  if (place.owned < 0)
    return call_with_name(call, index, &name, (size_t)size);
  // It waits only while the other side's queue is full, and nothing may stay open while it does.
  long argument[6];
  memcpy(argument, a, sizeof argument);
  argument[index] = (long)&name;
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

// The kernel writes the size of the address to a copy, so that the guest's own still tells how much room there is.
static long receive_with_address(struct call *call, int index) {
  struct deferred *deferred = call->deferred;
  void *address = (void *)call->argument[index], *guest_size = (void *)call->argument[index + 1];
  int32_t room, size;
  if (guest_copy_in(&room, guest_size, sizeof room) < 0)
    return call->stage == 0 ? call_later(call) : call->result;
  if (call->stage == 0) {
    call_later(call);
    deferred->data_argument = index + 1;
    deferred->data_size = sizeof room;
    memcpy(deferred->data, &room, sizeof room);
    deferred->resume = RESUME_ALWAYS;
    return CALL_DEFERRED;
  }
  if (call->result < 0)
    return call->result;
  memcpy(&size, (const void *)deferred->argument[index + 1], sizeof size);
  long corrected = socket_name_correct(address, room, size);
  if (corrected < 0)
    return corrected;
  size = (int32_t)corrected;
  long result = guest_copy_out(guest_size, &size, sizeof size);
  return result < 0 ? result : call->result;
}

long call_accept(struct call *call) {
  return receive_with_address(call, 1);
}

long call_recvfrom(struct call *call) {
  return receive_with_address(call, 4);
}

// getsockname(2) and getpeername(2).
long call_socket_name(struct call *call) {
  const long *a = call->argument;
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
  if (name.sun_family != AF_UNIX)
    return SYS_3(call->number, a[0], a[1], a[2]);
  size = (int32_t)socket_name_correct(&name, sizeof name, size);
  size_t copied = (size_t)(size < room ? size : room);
  result = guest_copy_out((void *)a[1], &name, copied < sizeof name ? copied : sizeof name);
  return result < 0 ? result : guest_copy_out((void *)a[2], &size, sizeof size);
}
