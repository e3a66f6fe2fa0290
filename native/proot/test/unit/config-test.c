// The configuration blob: what is written can be read, and what is broken is refused.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config-blob.h"
#include "config.h"
#include "expect.h"

static const struct bind binds[] = {
    {.guest = "/dev", .host = "/dev", .flags = BIND_IS_DIRECTORY},
    {.guest = "/srv/data/deep", .host = "/", .flags = BIND_IS_DIRECTORY | BIND_READ_ONLY},
    {.guest = "/etc/hosts", .host = "/etc/hosts"},
};

static const struct runner runners[] = {
    {.machine = 183, .program = "/usr/bin/emulator", .argv0_option = "-0"},
    {.machine = 40, .program = "/usr/bin/other", .argv0_option = ""},
};

static struct config sample(void) {
  return (struct config){
      .flags = CONFIG_FAKE_IDS | CONFIG_NO_CACHE,
      .guest_uid = 1,
      .guest_gid = 2,
      .host_uid = 1000,
      .host_gid = 1001,
      .descriptor_base = 1020,
      .supervisor = 4321,
      .root = "/rootfs",
      .shim = "/usr/lib/shim",
      .scratch = "/tmp/scratch",
      .mounts.count = 3,
      .mounts.binds = binds,
      .runner_count = 2,
      .runners = runners,
  };
}

static long write_sample(struct config from, char *blob, size_t capacity) {
  return config_write(&from, blob, capacity);
}

static void reads_back_what_was_written(void) {
  char blob[4096];
  struct config out;
  long size = write_sample(sample(), blob, sizeof blob);
  EXPECT(config_read(blob, (size_t)size, &out), 0);
  EXPECT(out.flags, CONFIG_FAKE_IDS | CONFIG_NO_CACHE);
  EXPECT(out.guest_uid, 1);
  EXPECT(out.guest_gid, 2);
  EXPECT(out.host_uid, 1000);
  EXPECT(out.host_gid, 1001);
  EXPECT(out.descriptor_base, 1020);
  EXPECT(out.supervisor, 4321);
  EXPECT_TEXT(out.root, "/rootfs");
  EXPECT(out.root_length, 7);
  EXPECT_TEXT(out.shim, "/usr/lib/shim");
  EXPECT_TEXT(out.scratch, "/tmp/scratch");
  EXPECT(out.mounts.count, 3);
  EXPECT(out.mounts.has_read_only, true);
  EXPECT_TEXT(out.mounts.binds[0].guest, "/srv/data/deep");
  EXPECT_TEXT(out.mounts.binds[0].name, "deep");
  EXPECT(out.mounts.binds[0].name_length, 4);
  EXPECT_TEXT(out.mounts.binds[0].host, "");
  EXPECT_TEXT(out.mounts.binds[1].guest, "/etc/hosts");
  EXPECT(out.mounts.binds[1].flags, 0);
  EXPECT_TEXT(out.mounts.binds[2].host, "/dev");
  EXPECT(out.runner_count, 2);
  EXPECT(out.runners[0].machine, 183);
  EXPECT_TEXT(out.runners[0].program, "/usr/bin/emulator");
  EXPECT_TEXT(out.runners[0].argv0_option, "-0");
  EXPECT_TEXT(out.runners[1].program, "/usr/bin/other");
  EXPECT_TEXT(out.runners[1].argv0_option, "");
}

static void host_root_is_the_empty_path(void) {
  char blob[4096];
  struct config out, from = sample();
  from.root = "/";
  long size = write_sample(from, blob, sizeof blob);
  EXPECT(config_read(blob, (size_t)size, &out), 0);
  EXPECT_TEXT(out.root, "");
  EXPECT(out.root_length, 0);
}

static void writer_refuses_bad_paths(void) {
  static const char *const bad[] = {"rootfs", "/rootfs/", "/a//b", "/a/./b", "/a/../b", "/..", "./a"};
  char blob[4096];
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct config from = sample();
    from.root = bad[i];
    EXPECT(write_sample(from, blob, sizeof blob), -EINVAL);
    struct bind bind = {.guest = bad[i], .host = "/x"};
    from = sample();
    from.mounts.binds = &bind;
    from.mounts.count = 1;
    EXPECT(write_sample(from, blob, sizeof blob), -EINVAL);
    struct runner runner = {.machine = 183, .program = bad[i], .argv0_option = ""};
    from = sample();
    from.runners = &runner;
    from.runner_count = 1;
    EXPECT(write_sample(from, blob, sizeof blob), -EINVAL);
  }
}

static void writer_refuses_impossible_binds(void) {
  static struct bind many[CONFIG_BINDS_MAX + 1];
  char blob[4096];
  struct bind root = {.guest = "/", .host = "/x"};
  struct bind twice[] = {{.guest = "/a", .host = "/x"}, {.guest = "/a", .host = "/y"}};
  struct config from = sample();
  from.mounts.binds = &root;
  from.mounts.count = 1;
  EXPECT(write_sample(from, blob, sizeof blob), -EINVAL);
  from.mounts.binds = twice;
  from.mounts.count = 2;
  EXPECT(write_sample(from, blob, sizeof blob), -EINVAL);
  from.mounts.binds = many;
  from.mounts.count = CONFIG_BINDS_MAX + 1;
  EXPECT(write_sample(from, blob, sizeof blob), -E2BIG);
  from = sample();
  from.runner_count = CONFIG_RUNNERS_MAX + 1;
  EXPECT(write_sample(from, blob, sizeof blob), -E2BIG);
}

static void writer_never_writes_past_the_end(void) {
  char whole[4096], blob[4096];
  long size = write_sample(sample(), whole, sizeof whole);
  for (long capacity = 0; capacity < size; capacity++) {
    memset(blob, 0x55, sizeof blob);
    EXPECT(write_sample(sample(), blob, (size_t)capacity), -ENOSPC);
    EXPECT(blob[capacity], 0x55);
  }
  EXPECT(write_sample(sample(), blob, (size_t)size), size);
}

static void reader_refuses_any_other_size(void) {
  char blob[4096] = {0};
  struct config out;
  long size = write_sample(sample(), blob, sizeof blob);
  for (long length = 0; length < size; length++)
    EXPECT(config_read(blob, (size_t)length, &out), -EINVAL);
  EXPECT(config_read(blob, (size_t)size + 1, &out), -EINVAL);
}

// Overwrites one field of a good blob.
static long read_with(size_t offset, uint32_t value) {
  char blob[4096];
  struct config out;
  long size = write_sample(sample(), blob, sizeof blob);
  memcpy(blob + offset, &value, sizeof value);
  return config_read(blob, (size_t)size, &out);
}

static void reader_refuses_broken_fields(void) {
  size_t first = sizeof(struct blob_header);
  EXPECT(read_with(offsetof(struct blob_header, magic), 1), -EINVAL);
  EXPECT(read_with(offsetof(struct blob_header, version), BLOB_VERSION + 1), -EINVAL);
  EXPECT(read_with(offsetof(struct blob_header, flags), 1u << 31), -EINVAL);
  EXPECT(read_with(offsetof(struct blob_header, descriptor_base), UINT32_MAX), -EINVAL);
  EXPECT(read_with(offsetof(struct blob_header, bind_count), CONFIG_BINDS_MAX + 1), -EINVAL);
  EXPECT(read_with(offsetof(struct blob_header, bind_count), UINT32_MAX), -EINVAL);
  EXPECT(read_with(offsetof(struct blob_header, root) + offsetof(struct blob_text, offset), UINT32_MAX), -EINVAL);
  EXPECT(read_with(offsetof(struct blob_header, root) + offsetof(struct blob_text, length), UINT32_MAX), -EINVAL);
  EXPECT(read_with(offsetof(struct blob_header, shim) + offsetof(struct blob_text, length), 0), -EINVAL);
  EXPECT(read_with(offsetof(struct blob_header, runner_count), CONFIG_RUNNERS_MAX + 1), -EINVAL);
  EXPECT(read_with(offsetof(struct blob_header, runner_count), UINT32_MAX), -EINVAL);
  EXPECT(read_with(first + offsetof(struct blob_bind, flags), 1u << 31), -EINVAL);
  EXPECT(read_with(first + offsetof(struct blob_bind, guest) + offsetof(struct blob_text, length), 3), -EINVAL);
  EXPECT(read_with(first + offsetof(struct blob_bind, guest) + offsetof(struct blob_text, offset), 0), -EINVAL);
  size_t runner = first + 3 * sizeof(struct blob_bind);
  EXPECT(read_with(runner + offsetof(struct blob_runner, program) + offsetof(struct blob_text, length), 0), -EINVAL);
  EXPECT(read_with(runner + offsetof(struct blob_runner, argv0_option) + offsetof(struct blob_text, length), 1), -EINVAL);
}

int main(void) {
  reads_back_what_was_written();
  host_root_is_the_empty_path();
  writer_refuses_bad_paths();
  writer_refuses_impossible_binds();
  writer_never_writes_past_the_end();
  reader_refuses_any_other_size();
  reader_refuses_broken_fields();
  return expect_finish("config");
}
