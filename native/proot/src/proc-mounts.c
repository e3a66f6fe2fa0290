#include "proc-mounts.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "config.h"
#include "cursor.h"
#include "proc-line.h"
#include "sys.h"
#include "text.h"

enum { FIRST_NUMBER = 1000 }; // beyond the host's own mounts, so that nobody takes one for the other

bool proc_mounts_changed(void) {
  return mounts() != &config.mounts;
}

// A tmpfs of the guest's is a directory of the run's.
static bool is_in_scratch(const char *host) {
  size_t length = strlen(config.scratch);
  return strlen(host) > length && memcmp(host, config.scratch, length) == 0;
}

static const char *type_name(const char *host) {
  static const struct {
    long magic;
    const char *name;
  } types[] = {{PROC_SUPER_MAGIC, "proc"},     {SYSFS_MAGIC, "sysfs"},   {TMPFS_MAGIC, "tmpfs"},
               {DEVPTS_SUPER_MAGIC, "devpts"}, {EXT4_SUPER_MAGIC, "ext4"}, {XFS_SUPER_MAGIC, "xfs"},
               {BTRFS_SUPER_MAGIC, "btrfs"},   {OVERLAYFS_SUPER_MAGIC, "overlay"}};
  struct statfs system;
  if (is_in_scratch(host))
    return "tmpfs";
  if (SYS_2(SYS_statfs, host, &system) < 0)
    return "none";
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i].magic == system.f_type)
      return types[i].name;
  return "none";
}

struct line {
  char text[PROC_LINE_CAPACITY];
  size_t length;
};

static void add(struct line *line, const char *more) {
  size_t length = strlen(more);
  if (length > sizeof line->text - line->length)
    length = sizeof line->text - line->length;
  memcpy(line->text + line->length, more, length);
  line->length += length;
}

static void add_number(struct line *line, long number, const char *after) {
  struct text text = {0};
  text_add_number(&text, number);
  add(line, text_end(&text));
  add(line, after);
}

static void add_path(struct line *line, const struct bind *bind) {
  if (bind_is_root(bind))
    add(line, "/");
  else
    line->length += proc_line_escape(bind->guest, bind->guest_length, line->text + line->length,
                                     sizeof line->text - line->length);
}

// Bind by bind from its place among the others, with the rootfs, NULL, after the last.
static long number_of(const struct mounts *now, const struct bind *bind) {
  return FIRST_NUMBER + (bind == NULL ? (long)now->count : bind - now->binds);
}

static const struct bind *parent_of(const struct bind *bind) {
  return bind_covering(bind->guest, bind->guest_length - bind->name_length - 1);
}

static long write_mount(long descriptor, const struct mounts *now, const struct bind *bind, bool is_mountinfo) {
  struct line line;
  struct stat status;
  const char *host = bind == NULL ? config.root : bind->host;
  host = host[0] == '\0' ? "/" : host;
  const char *type = type_name(host), *access = bind != NULL && (bind->flags & BIND_READ_ONLY) != 0 ? "ro" : "rw";
  line.length = 0;
  if (is_mountinfo) {
    if (SYS_4(SYS_newfstatat, AT_FDCWD, host, &status, 0) < 0)
      status.st_dev = 0;
    add_number(&line, number_of(now, bind), " ");
    add_number(&line, bind_is_root(bind) ? FIRST_NUMBER - 1 : number_of(now, parent_of(bind)), " ");
    add_number(&line, (long)(status.st_dev >> 8 & 0xfff), ":");
    add_number(&line, (long)((status.st_dev & 0xff) | (status.st_dev >> 12 & 0xfff00)), " / ");
  } else {
    add(&line, type);
    add(&line, " ");
  }
  add_path(&line, bind);
  add(&line, " ");
  if (is_mountinfo) {
    add(&line, access);
    add(&line, ",relatime - ");
    add(&line, type);
    add(&line, " ");
    add(&line, type);
    add(&line, " rw\n");
  } else {
    add(&line, type);
    add(&line, " ");
    add(&line, access);
    add(&line, ",relatime 0 0\n");
  }
  long written = SYS_3(SYS_write, descriptor, line.text, line.length);
  return written < 0 ? written : 0;
}

// The outermost first, as the kernel does, whose order is that of mounting.
long proc_mounts_write(long descriptor, bool is_mountinfo) {
  const struct mounts *now = mounts();
  long result = now->root == NULL ? write_mount(descriptor, now, NULL, is_mountinfo) : 0;
  for (size_t i = now->count; i-- > 0 && result == 0;)
    result = write_mount(descriptor, now, &now->binds[i], is_mountinfo);
  return result;
}
