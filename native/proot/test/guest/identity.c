// Dropping root really drops it: every way of asking agrees, children and programs inherit it, and a set-user-ID
// program gets it back. Needs root, real or made-up.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "children.h"

enum { USER = 1234, GROUP = 4321 };

static void expect_line(const char *file, const char *line) {
  char content[8192] = "";
  int descriptor = open(file, O_RDONLY);
  CHECK(descriptor >= 0 && read(descriptor, content, sizeof content - 1) > 0 && close(descriptor) == 0);
  if (strstr(content, line) == NULL) {
    fprintf(stderr, "%s has no \"%s\":\n%s\n", file, line, content);
    exit(1);
  }
}

static void expect_users(uid_t real, uid_t effective, uid_t saved) {
  uid_t ids[3];
  CHECK(getresuid(&ids[0], &ids[1], &ids[2]) == 0);
  CHECK(ids[0] == real && ids[1] == effective && ids[2] == saved);
  CHECK(getuid() == real && geteuid() == effective);
}

static void expect_groups(gid_t real, gid_t effective, gid_t saved) {
  gid_t ids[3];
  CHECK(getresgid(&ids[0], &ids[1], &ids[2]) == 0);
  CHECK(ids[0] == real && ids[1] == effective && ids[2] == saved);
  CHECK(getgid() == real && getegid() == effective);
}

static struct __user_cap_data_struct *capabilities(void) {
  static struct __user_cap_data_struct data[2];
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  CHECK(syscall(SYS_capget, &header, data) == 0);
  return data;
}

static int set_capabilities(const struct __user_cap_data_struct data[2]) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  return (int)syscall(SYS_capset, &header, data);
}

static void drop(void) {
  gid_t groups[2] = {70, 7};
  CHECK(setgroups(2, groups) == 0 && setresgid(GROUP, GROUP, GROUP) == 0 && setresuid(USER, USER, USER) == 0);
}

static void expect_dropped(void) {
  gid_t groups[8];
  expect_users(USER, USER, USER);
  expect_groups(GROUP, GROUP, GROUP);
  CHECK(getgroups(8, groups) == 2 && groups[0] == 7 && groups[1] == 70);
  CHECK_ERRNO(getgroups(1, groups), EINVAL);
  CHECK(setfsuid((uid_t)-1) == USER && setfsgid((gid_t)-1) == GROUP);
  CHECK_ERRNO(setuid(0), EPERM);
  CHECK_ERRNO(setreuid(0, (uid_t)-1), EPERM);
  CHECK_ERRNO(setresuid((uid_t)-1, 0, (uid_t)-1), EPERM);
  CHECK_ERRNO(setgid(0), EPERM);
  CHECK_ERRNO(setgroups(1, groups), EPERM);
  CHECK_ERRNO(chown("/", 0, 0), EPERM);
  CHECK(capabilities()[0].permitted == 0 && capabilities()[0].effective == 0);
  expect_line("/proc/self/status", "Uid:\t1234\t1234\t1234\t1234\n");
  expect_line("/proc/thread-self/status", "Gid:\t4321\t4321\t4321\t4321\n");
  expect_line("/proc/self/status", "Groups:\t7 70 \n");
  expect_line("/proc/self/status", "CapEff:\t0000000000000000\n");
}

static void drops_for_good(void) {
  drop();
  expect_dropped();
  in_child(expect_dropped);
}

static void another_process_sees_it(void) {
  int ready[2];
  char path[64], byte;
  CHECK(pipe(ready) == 0);
  pid_t child = fork();
  if (child == 0) {
    drop();
    CHECK(write(ready[1], "", 1) == 1);
    pause();
  }
  CHECK(read(ready[0], &byte, 1) == 1);
  snprintf(path, sizeof path, "/proc/%d/status", child);
  expect_line(path, "Uid:\t1234\t1234\t1234\t1234\n");
  expect_users(0, 0, 0);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

static void effective_id_comes_back(void) {
  CHECK(seteuid(USER) == 0);
  expect_users(0, USER, 0);
  CHECK(capabilities()[0].effective == 0 && capabilities()[0].permitted != 0);
  CHECK(seteuid(0) == 0);
  expect_users(0, 0, 0);
  CHECK(capabilities()[0].effective != 0);
  CHECK(setreuid(USER, 0) == 0);
  expect_users(USER, 0, 0);
  CHECK(setreuid(0, USER) == 0);
  expect_users(0, USER, USER);
  CHECK(setuid(0) == 0);
  expect_users(0, 0, USER);
}

static void group_ids_follow_the_same_rules(void) {
  CHECK(setregid(GROUP, 5) == 0);
  expect_groups(GROUP, 5, 5);
  CHECK(setgid(6) == 0);
  expect_groups(6, 6, 6);
  CHECK_ERRNO(setuid((uid_t)-1), EINVAL);
  CHECK(setfsgid(9) == 6 && setfsgid((gid_t)-1) == 9);
}

static void capabilities_can_be_kept(void) {
  struct __user_cap_data_struct kept[2] = {{.effective = 1u << CAP_NET_RAW, .permitted = 1u << CAP_NET_RAW}};
  CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 1);
  CHECK(setresuid(USER, USER, USER) == 0);
  CHECK(capabilities()[0].effective == 0 && (capabilities()[0].permitted & 1u << CAP_NET_RAW) != 0);
  CHECK(set_capabilities(kept) == 0 && capabilities()[0].effective == 1u << CAP_NET_RAW);
  kept[0].permitted |= 1u << CAP_SYS_ADMIN;
  CHECK_ERRNO(set_capabilities(kept), EPERM);
  kept[0].permitted = kept[0].inheritable = kept[0].effective;
  CHECK(set_capabilities(kept) == 0);
  CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) == 0);
  CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0) == 1);
  CHECK_ERRNO(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0), EPERM);
  expect_line("/proc/self/status", "CapAmb:\t0000000000002000\n");
}

static void bounding_set_shrinks(void) {
  CHECK(prctl(PR_CAPBSET_READ, CAP_NET_RAW, 0, 0, 0) == 1 && prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0) == 0);
  CHECK(prctl(PR_CAPBSET_READ, CAP_NET_RAW, 0, 0, 0) == 0);
  CHECK_ERRNO(prctl(PR_CAPBSET_READ, 1000, 0, 0, 0), EINVAL);
  drop();
  CHECK_ERRNO(prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0), EPERM);
}

static void *drop_in_thread(void *unused) {
  (void)unused;
  drop();
  return NULL;
}

static void threads_drop_together(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, drop_in_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
  expect_dropped();
}

static void vfork_child_drops_alone(void) {
  pid_t child = vfork();
  if (child == 0) {
    syscall(SYS_setresuid, USER, USER, USER);
    _exit(syscall(SYS_getuid) == USER ? 0 : 1);
  }
  expect_success(child);
  expect_users(0, 0, 0);
}

static char program[] = "/tmp/anyproc-identity-XXXXXX", raised[] = "/tmp/anyproc-identity-XXXXXX";

static void execute(const char *path, const char *what) {
  char *arguments[] = {(char *)path, (char *)what, NULL};
  execv(path, arguments);
  _exit(99);
}

static void vfork_child_executes(void) {
  pid_t child = vfork();
  if (child == 0) {
    syscall(SYS_setgroups, 2, (gid_t[]){7, 70});
    syscall(SYS_setresgid, GROUP, GROUP, GROUP);
    syscall(SYS_setresuid, USER, USER, USER);
    execute(program, "dropped");
  }
  expect_success(child);
  expect_users(0, 0, 0);
}

static void peers_tell_who_they_are(void) {
  int sockets[2];
  struct ucred peer = {.uid = 1};
  socklen_t size = sizeof peer;
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
  CHECK(getsockopt(sockets[0], SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0);
  CHECK(peer.pid == getpid() && peer.uid == 0 && peer.gid == 0);
}

static void programs_inherit(void) {
  drop();
  execute(program, "dropped");
}

static void copy_program(char *to, mode_t mode) {
  char buffer[1 << 16];
  ssize_t size;
  int from = open("/proc/self/exe", O_RDONLY), copy = mkstemp(to);
  CHECK(from >= 0 && copy >= 0);
  while ((size = read(from, buffer, sizeof buffer)) > 0)
    CHECK(write(copy, buffer, (size_t)size) == size);
  CHECK(fchmod(copy, mode) == 0 && close(copy) == 0 && close(from) == 0);
}

static void set_user_id_programs_raise(void) {
  drop();
  pid_t child = fork();
  if (child == 0)
    execute(raised, "raised");
  expect_success(child);
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
  expect_line("/proc/self/status", "NoNewPrivs:\t1\n");
  execute(raised, "dropped");
}

static int second(const char *what) {
  if (strcmp(what, "dropped") == 0) {
    expect_dropped();
    CHECK(getauxval(AT_UID) == USER && getauxval(AT_EGID) == GROUP && getauxval(AT_SECURE) == 0);
  } else {
    expect_users(USER, 0, 0);
    CHECK(getauxval(AT_UID) == USER && getauxval(AT_EUID) == 0 && getauxval(AT_SECURE) == 1);
    CHECK(capabilities()[0].effective != 0 && setuid(0) == 0);
    expect_users(0, 0, 0);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1)
    return second(argv[1]);
  if (getuid() != 0) {
    puts("skipped: not root");
    return 0;
  }
  copy_program(program, 0755);
  copy_program(raised, 04755);
  // The engine cannot take no_new_privs back from real root.
  bool may_raise = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
  CHECK(may_raise || getenv("ANYPROC_TEST_MADE_UP_IDS") == NULL);
  in_child(drops_for_good);
  in_child(another_process_sees_it);
  in_child(effective_id_comes_back);
  in_child(group_ids_follow_the_same_rules);
  in_child(capabilities_can_be_kept);
  in_child(bounding_set_shrinks);
  in_child(threads_drop_together);
  in_child(vfork_child_drops_alone);
  in_child(vfork_child_executes);
  in_child(peers_tell_who_they_are);
  in_child(programs_inherit);
  if (may_raise)
    in_child(set_user_id_programs_raise);
  expect_users(0, 0, 0);
  CHECK(unlink(program) == 0 && unlink(raised) == 0);
  return 0;
}
