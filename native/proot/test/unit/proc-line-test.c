// Lines of proc(5) files in guest terms.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "expect.h"
#include "guest-call.h"
#include "proc-line.h"

static const struct identity *whose;

static const char *translate(proc_line_translator *translator, const char *line) {
  static char out[PROC_LINE_CAPACITY + 1];
  long length = translator(line, strlen(line), whose, out);
  if (length < 0)
    return "dropped";
  out[length] = '\0';
  return out;
}

static void maps(void) {
#define HEAD "7f00-7f10 r-xp 00002000 fe:00 42                 "
  EXPECT_TEXT(translate(proc_line_of_maps, HEAD "/tmp/root of all/usr/bin/a b"), HEAD "/usr/bin/a b");
  EXPECT_TEXT(translate(proc_line_of_maps, HEAD "/tmp/root of all/x (deleted)"), HEAD "/x (deleted)");
  EXPECT_TEXT(translate(proc_line_of_maps, HEAD "/bound/lib.so"), HEAD "/a much longer guest path/lib.so");
  EXPECT_TEXT(translate(proc_line_of_maps, HEAD "/elsewhere/lib.so"), HEAD "/elsewhere/lib.so");
  EXPECT_TEXT(translate(proc_line_of_maps, HEAD "[heap]"), HEAD "[heap]");
  EXPECT_TEXT(translate(proc_line_of_maps, HEAD), HEAD);
  EXPECT_TEXT(translate(proc_line_of_maps, ""), "");
  EXPECT_TEXT(translate(proc_line_of_maps, HEAD "/nowhere/anyproc-proot-shim"), "dropped");
#undef HEAD
}

static void lines_of_mounts(void) {
  EXPECT_TEXT(translate(proc_line_of_mounts, "tmpfs /tmp/root\\040of\\040all/run tmpfs rw 0 0"),
              "tmpfs /run tmpfs rw 0 0");
  EXPECT_TEXT(translate(proc_line_of_mounts, "tmpfs /bound/x tmpfs rw 0 0"),
              "tmpfs /a\\040much\\040longer\\040guest\\040path/x tmpfs rw 0 0");
  EXPECT_TEXT(translate(proc_line_of_mounts, "tmpfs /elsewhere tmpfs rw 0 0"), "dropped");
  EXPECT_TEXT(translate(proc_line_of_mounts, "short"), "dropped");
  EXPECT_TEXT(translate(proc_line_of_mountinfo, "22 27 0:21 / /bound - proc proc rw"),
              "22 27 0:21 / /a\\040much\\040longer\\040guest\\040path - proc proc rw");
}

static void the_file_system_of_the_rootfs_is_its_root(void) {
  guest_configure("", NULL, 0, 0);
  EXPECT_TEXT(translate(proc_line_of_mounts, "disk / ext4 rw 0 0"), "disk / ext4 rw 0 0");
  char directory[] = "/dev/shm/anyproc-line-XXXXXX", line[64];
  if (mkdtemp(directory) == NULL)
    return;
  guest_configure(directory, NULL, 0, 0);
  EXPECT_TEXT(translate(proc_line_of_mounts, "tmpfs /dev/shm tmpfs rw 0 0"), "tmpfs / tmpfs rw 0 0");
  EXPECT_TEXT(translate(proc_line_of_mounts, "disk / ext4 rw 0 0"), "dropped");
  snprintf(line, sizeof line, "tmpfs %s tmpfs rw 0 0", directory);
  EXPECT_TEXT(translate(proc_line_of_mounts, line), "tmpfs / tmpfs rw 0 0");
  rmdir(directory);
}

static void status(void) {
  config.guest_uid = config.guest_gid = 0;
  config.host_uid = 1000;
  config.host_gid = 1001;
  EXPECT_TEXT(translate(proc_line_of_status, "Uid:\t1000\t1000\t1000\t33"), "Uid:\t0\t0\t0\t33");
  EXPECT_TEXT(translate(proc_line_of_status, "Gid:\t1001\t1001\t1000\t0"), "Gid:\t0\t0\t1000\t0");
  EXPECT_TEXT(translate(proc_line_of_status, "Groups:\t1001 27 "), "Groups:\t0 27 ");
  EXPECT_TEXT(translate(proc_line_of_status, "Pid:\t1000"), "Pid:\t1000");
}

static void status_of_a_guest(void) {
  struct identity identity = {.uid = {1, 2, 3, 4}, .gid = {5, 6, 7, 8}, .group_count = 2, .group = {27, 4000000000u}};
  identity.capabilities[CAPABILITIES_BOUNDING] = 0x1ffffffffffu;
  identity.no_new_privileges = 1;
  whose = &identity;
  EXPECT_TEXT(translate(proc_line_of_status, "Uid:\t1000\t1000\t1000\t33"), "Uid:\t1\t2\t3\t4");
  EXPECT_TEXT(translate(proc_line_of_status, "Gid:\t0\t0\t0\t0"), "Gid:\t5\t6\t7\t8");
  EXPECT_TEXT(translate(proc_line_of_status, "Groups:\t1 "), "Groups:\t27 4000000000 ");
  EXPECT_TEXT(translate(proc_line_of_status, "CapBnd:\t0000000000000000"), "CapBnd:\t000001ffffffffff");
  EXPECT_TEXT(translate(proc_line_of_status, "NoNewPrivs:\t0"), "NoNewPrivs:\t1");
  EXPECT_TEXT(translate(proc_line_of_status, "Pid:\t1000"), "Pid:\t1000");
  whose = NULL;
}

int main(void) {
  const struct bind bind = {.guest = "/a much longer guest path", .host = "/bound", .flags = BIND_IS_DIRECTORY};
  char directory[] = "/tmp/root of all";
  config.root = directory;
  config.root_length = strlen(directory);
  config.shim = "/nowhere/anyproc-proot-shim";
  struct bind read = bind;
  read.guest_length = strlen(read.guest);
  read.name = read.guest + 1;
  read.name_length = read.guest_length - 1;
  read.host_length = strlen(read.host);
  config.mounts.binds = &read;
  config.mounts.count = 1;
  maps();
  lines_of_mounts();
  the_file_system_of_the_rootfs_is_its_root();
  status();
  status_of_a_guest();
  return expect_finish("proc line");
}
