// Names of Unix sockets arrive as they were given, by every call that tells one, also while a call waits.
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char directory[] = "/tmp/anyproc-names-XXXXXX";

struct name {
  struct sockaddr_un address;
  socklen_t size;
};

static struct name name_of(const char *file) {
  struct name name = {.address.sun_family = AF_UNIX};
  int length = snprintf(name.address.sun_path, sizeof name.address.sun_path, "%s/%s", directory, file);
  name.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length + 1);
  return name;
}

// A name that fills sun_path, up to the NUL.
static struct name long_name(char letter) {
  char file[128];
  memset(file, letter, sizeof file);
  size_t length = sizeof((struct sockaddr_un *)NULL)->sun_path - 1 - sizeof directory;
  file[length] = '\0';
  return name_of(file);
}

static struct sockaddr *address_of(struct name *name) {
  return (struct sockaddr *)&name->address;
}

static int bound(int type, struct name *name) {
  int result = socket(AF_UNIX, type, 0);
  CHECK(result >= 0 && bind(result, address_of(name), name->size) == 0);
  return result;
}

static void expect_name(const struct name *got, const struct name *expected) {
  if (got->size != expected->size || memcmp(&got->address, &expected->address, got->size) != 0) {
    fprintf(stderr, "%.108s (%u) instead of %.108s (%u)\n", got->address.sun_path, got->size,
            expected->address.sun_path, expected->size);
    exit(1);
  }
}

static struct name empty(void) {
  return (struct name){.size = sizeof(struct sockaddr_un)};
}

static struct msghdr message_for(struct name *name, struct iovec *data) {
  return (struct msghdr){.msg_name = &name->address, .msg_namelen = name->size, .msg_iov = data, .msg_iovlen = 1};
}

static void datagrams_tell_their_sender(void) {
  struct name server_name = name_of("server"), client_name = name_of("client"), told = empty();
  int server = bound(SOCK_DGRAM, &server_name), client = bound(SOCK_DGRAM, &client_name);
  char text[8];
  struct iovec out = {"hello", 5}, in = {text, sizeof text};

  struct msghdr message = message_for(&server_name, &out);
  CHECK(sendmsg(client, &message, 0) == 5);
  CHECK(recvfrom(server, text, sizeof text, 0, address_of(&told), &told.size) == 5 && memcmp(text, "hello", 5) == 0);
  expect_name(&told, &client_name);

  CHECK(sendto(client, "hi", 2, 0, address_of(&server_name), server_name.size) == 2);
  told = empty();
  message = message_for(&told, &in);
  CHECK(recvmsg(server, &message, 0) == 2 && memcmp(text, "hi", 2) == 0 && message.msg_iov == &in);
  told.size = message.msg_namelen;
  expect_name(&told, &client_name);
  close(server);
  close(client);
}

static void many_messages_at_once(void) {
  struct name names[3] = {name_of("first"), name_of("second"), name_of("third")}, told[4];
  int sockets[3];
  char texts[4][8];
  struct iovec in[4], out[4];
  struct mmsghdr messages[4] = {{.msg_len = 0}};
  for (int i = 0; i < 3; i++)
    sockets[i] = bound(SOCK_DGRAM, &names[i]);
  for (int i = 0; i < 4; i++) {
    out[i] = (struct iovec){"12345678", (size_t)i + 1};
    messages[i].msg_hdr = message_for(&names[i < 2 ? 0 : 1], &out[i]);
  }
  int sent = 0;
  while (sent < 4) {
    int part = sendmmsg(sockets[2], messages + sent, 4 - (unsigned)sent, 0);
    CHECK(part > 0);
    sent += part;
  }
  for (int i = 0; i < 4; i++) {
    CHECK(messages[i].msg_len == (unsigned)i + 1);
    told[i] = empty();
    in[i] = (struct iovec){texts[i], sizeof texts[i]};
    messages[i].msg_hdr = message_for(&told[i], &in[i]);
  }
  CHECK(recvmmsg(sockets[0], messages, 2, 0, NULL) == 2);
  CHECK(recvmmsg(sockets[1], messages + 2, 2, 0, NULL) == 2);
  for (int i = 0; i < 4; i++) {
    CHECK(messages[i].msg_len == (unsigned)i + 1);
    told[i].size = messages[i].msg_hdr.msg_namelen;
    expect_name(&told[i], &names[2]);
  }
  for (int i = 0; i < 3; i++)
    close(sockets[i]);
}

static void connections_tell_both_ends(void) {
  struct name server_name = name_of("listener"), client_name = name_of("caller"), told = empty();
  int server = bound(SOCK_STREAM, &server_name), client = bound(SOCK_STREAM, &client_name);
  CHECK(listen(server, 1) == 0);
  pid_t child = fork();
  if (child == 0)
    _exit(connect(client, address_of(&server_name), server_name.size) == 0 ? 0 : 1);
  int connection = accept(server, address_of(&told), &told.size), status;
  CHECK(connection >= 0 && waitpid(child, &status, 0) == child && status == 0);
  expect_name(&told, &client_name);
  told = empty();
  CHECK(getsockname(connection, address_of(&told), &told.size) == 0);
  expect_name(&told, &server_name);
  told = empty();
  CHECK(getpeername(connection, address_of(&told), &told.size) == 0);
  expect_name(&told, &client_name);
  close(connection);
  close(client);
  close(server);
}

static void the_longest_names_work(void) {
  struct name server_name = long_name('s'), wrong = long_name('w');
  int server = socket(AF_UNIX, SOCK_DGRAM, 0), client = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK(bind(server, address_of(&server_name), server_name.size) == 0);
  char text[8];
  struct iovec out = {"hello", 5};
  struct msghdr message = message_for(&server_name, &out);
  CHECK(sendmsg(client, &message, 0) == 5 && recv(server, text, sizeof text, 0) == 5);
  CHECK(connect(client, address_of(&server_name), server_name.size) == 0);
  CHECK(send(client, "hi", 2, 0) == 2 && recv(server, text, sizeof text, 0) == 2);
  message = message_for(&wrong, &out);
  CHECK_ERRNO(sendmsg(client, &message, 0), ENOENT);
  CHECK_ERRNO(connect(client, address_of(&wrong), wrong.size), ENOENT);
  close(client);
  close(server);
}

static void interrupt(int signal) {
  (void)signal;
}

static void waiting_can_be_interrupted(void) {
  struct name name = name_of("silent"), told = empty();
  struct sigaction action = {.sa_handler = interrupt};
  int server = bound(SOCK_DGRAM, &name);
  char text[8];
  struct iovec in = {text, sizeof text};
  struct msghdr message = message_for(&told, &in);
  CHECK(sigaction(SIGALRM, &action, NULL) == 0);
  ualarm(20000, 20000);
  CHECK_ERRNO(recvmsg(server, &message, 0), EINTR);
  CHECK(message.msg_namelen == told.size);
  CHECK_ERRNO(recvfrom(server, text, sizeof text, 0, address_of(&told), &told.size), EINTR);
  ualarm(0, 0);
  close(server);
}

static void bad_addresses_fail(void) {
  struct name name = name_of("bad");
  int server = bound(SOCK_DGRAM, &name);
  CHECK_ERRNO(sendmsg(server, (struct msghdr *)8, 0), EFAULT);
  CHECK_ERRNO(recvmsg(server, (struct msghdr *)8, MSG_DONTWAIT), EFAULT);
  CHECK_ERRNO(recvmmsg(server, (struct mmsghdr *)8, 1, MSG_DONTWAIT, NULL), EFAULT);
  close(server);
}

int main(void) {
  char command[64];
  CHECK(mkdtemp(directory) != NULL);
  datagrams_tell_their_sender();
  many_messages_at_once();
  connections_tell_both_ends();
  the_longest_names_work();
  waiting_can_be_interrupted();
  bad_addresses_fail();
  snprintf(command, sizeof command, "rm -rf %s", directory);
  CHECK(system(command) == 0);
  return 0;
}
