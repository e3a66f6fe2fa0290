// Calls whose addresses stand in messages: sendmsg(2), recvmsg(2), sendmmsg(2), recvmmsg(2). All may block.
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "guest.h"
#include "path-calls.h"
#include "socket-name.h"
#include "sys.h"

static bool read_message(const void *guest, struct msghdr *out) {
  return guest_copy_in(out, guest, sizeof *out) == 0;
}

// What lies on the guest's stack while a message with a path name is sent.
struct named_message {
  struct msghdr message;
  struct sockaddr_un address;
};

// Sends the message to the host's name.
static long send_named(struct call *call, const struct msghdr *message, struct socket_name *name, long flags) {
  struct deferred *deferred = call->deferred;
  struct place place;
  long size = socket_name_of_existing(name, &place);
  if (size < 0)
    return size;
  struct named_message named = {.message = *message, .address = name->address};
  named.message.msg_namelen = (socklen_t)size;
  if (place.owned >= 0) { // as connect(2) does
    named.message.msg_name = &named.address;
    long result = SYS_3(SYS_sendmsg, call->argument[0], &named.message, flags);
    path_release(&place);
    return result;
  }
  _Static_assert(offsetof(struct msghdr, msg_name) == 0, "the first word is made an address");
  named.message.msg_name = (void *)offsetof(struct named_message, address);
  deferred->number = SYS_sendmsg;
  deferred->argument[0] = call->argument[0];
  deferred->argument[2] = flags;
  deferred->data_argument = 1;
  deferred->data_pointer = 0;
  deferred->data_size = sizeof named;
  memcpy(deferred->data, &named, sizeof named);
  return CALL_DEFERRED;
}

long call_sendmsg(struct call *call) {
  struct msghdr message;
  struct socket_name name;
  if (!read_message((const void *)call->argument[1], &message) || message.msg_name == NULL ||
      !socket_name_read(message.msg_name, (int)message.msg_namelen, &name))
    return call_later(call);
  return send_named(call, &message, &name, call->argument[2]);
}

static struct mmsghdr *messages_of(const struct call *call) {
  return (struct mmsghdr *)call->argument[1];
}

static long tell_sent(const struct call *call, long sent) {
  unsigned length = (unsigned)sent;
  if (sent < 0)
    return sent;
  return guest_copy_out(&messages_of(call)->msg_len, &length, sizeof length) < 0 ? -EFAULT : 1;
}

// As many messages as come before the next one with a path name, or that one: sendmmsg(2) may always send fewer.
long call_sendmmsg(struct call *call) {
  struct msghdr message;
  struct socket_name name;
  if (call->stage == 1)
    return tell_sent(call, call->result);
  unsigned count = (unsigned)call->argument[2], plain = 0;
  bool is_named = false;
  while (plain < count && !is_named && read_message(&messages_of(call)[plain].msg_hdr, &message)) {
    is_named = message.msg_name != NULL && socket_name_read(message.msg_name, (int)message.msg_namelen, &name);
    plain += is_named ? 0 : 1;
  }
  if (plain > 0 || !is_named) {
    call_later(call);
    call->deferred->argument[2] = is_named ? plain : count;
    return CALL_DEFERRED;
  }
  long result = send_named(call, &message, &name, call->argument[3]);
  if (result != CALL_DEFERRED)
    return tell_sent(call, result);
  call->deferred->resume = RESUME_ALWAYS;
  return CALL_DEFERRED;
}

// The kernel has filled `received`; the guest's own header still tells how much room there is for the name.
static long correct_message(struct msghdr *guest, struct msghdr *received) {
  struct msghdr asked;
  if (!read_message(guest, &asked))
    return -EFAULT;
  if (received->msg_name != NULL && received->msg_namelen > 0) {
    long size = socket_name_correct(received->msg_name, (int)asked.msg_namelen, (int)received->msg_namelen);
    if (size < 0)
      return size;
    received->msg_namelen = (socklen_t)size;
  }
  return guest_copy_out(guest, received, sizeof *received);
}

long call_recvmsg(struct call *call) {
  struct deferred *deferred = call->deferred;
  struct msghdr *guest = (struct msghdr *)call->argument[1], message;
  if (call->stage == 1) {
    memcpy(&message, (const void *)deferred->argument[1], sizeof message);
    long result = call->result < 0 ? 0 : correct_message(guest, &message);
    return result < 0 ? result : call->result;
  }
  call_later(call);
  if (!read_message(guest, &message) || message.msg_name == NULL)
    return CALL_DEFERRED;
  deferred->data_argument = 1;
  deferred->data_size = sizeof message;
  memcpy(deferred->data, &message, sizeof message);
  deferred->resume = RESUME_ALWAYS;
  return CALL_DEFERRED;
}

enum { MESSAGES_AT_ONCE = 16 }; // whose headers have room on the guest's stack: recvmmsg(2) may always bring fewer

static long correct_messages(struct call *call) {
  const struct mmsghdr *filled = (const struct mmsghdr *)call->deferred->argument[1];
  for (long i = 0; i < call->result; i++) {
    struct mmsghdr received = filled[i];
    long result = correct_message(&messages_of(call)[i].msg_hdr, &received.msg_hdr);
    if (result == 0)
      result = guest_copy_out(&messages_of(call)[i].msg_len, &received.msg_len, sizeof received.msg_len);
    if (result < 0)
      return i > 0 ? i : result;
  }
  return call->result;
}

long call_recvmmsg(struct call *call) {
  struct deferred *deferred = call->deferred;
  struct mmsghdr messages[MESSAGES_AT_ONCE];
  unsigned count = (unsigned)call->argument[2];
  if (call->stage == 1)
    return correct_messages(call);
  if (count > MESSAGES_AT_ONCE)
    count = MESSAGES_AT_ONCE;
  call_later(call);
  if (guest_copy_in(messages, messages_of(call), count * sizeof *messages) < 0)
    return CALL_DEFERRED;
  bool has_names = false;
  for (unsigned i = 0; i < count; i++)
    has_names |= messages[i].msg_hdr.msg_name != NULL;
  if (!has_names)
    return CALL_DEFERRED;
  deferred->argument[2] = count;
  deferred->data_argument = 1;
  deferred->data_size = (uint32_t)(count * sizeof *messages);
  memcpy(deferred->data, messages, deferred->data_size);
  deferred->resume = RESUME_ALWAYS;
  return CALL_DEFERRED;
}
