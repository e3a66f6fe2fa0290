#include "config.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>

#include "config-blob.h"

struct config config;

__attribute__((section(".bss.binds"))) static struct bind bind_table[CONFIG_BINDS_MAX];
__attribute__((section(".bss.binds"))) static struct runner runner_table[CONFIG_RUNNERS_MAX];

bool config_path_is_canonical(const char *path, size_t length) {
  size_t start = 0;
  while (start < length) {
    if (path[start] != '/')
      return false;
    const char *name = path + start + 1;
    size_t size = 0;
    while (start + 1 + size < length && name[size] != '/')
      size++;
    if (size == 0 || size > NAME_MAX)
      return false;
    if (name[0] == '.' && (size == 1 || (size == 2 && name[1] == '.')))
      return false;
    start += 1 + size;
  }
  return length < PATH_MAX;
}

static const char *read_word(const char *blob, size_t size, struct blob_text text) {
  if (text.offset >= size || text.length >= size - text.offset)
    return NULL;
  const char *start = blob + text.offset;
  return start[text.length] == '\0' && strlen(start) == text.length ? start : NULL;
}

static const char *read_text(const char *blob, size_t size, struct blob_text text) {
  const char *path = read_word(blob, size, text);
  return path != NULL && config_path_is_canonical(path, text.length) ? path : NULL;
}

static bool read_runner(const char *blob, size_t size, const struct blob_runner *record, struct runner *runner) {
  runner->machine = record->machine;
  runner->program = read_text(blob, size, record->program);
  runner->argv0_option = read_word(blob, size, record->argv0_option);
  return runner->program != NULL && record->program.length > 0 && runner->argv0_option != NULL;
}

static void set_name(struct bind *bind) {
  size_t start = bind->guest_length;
  while (bind->guest[start - 1] != '/')
    start--;
  bind->name = bind->guest + start;
  bind->name_length = bind->guest_length - start;
}

static bool read_bind(const char *blob, size_t size, const struct blob_bind *record, struct bind *bind) {
  bind->guest = read_text(blob, size, record->guest);
  bind->host = read_text(blob, size, record->host);
  if (bind->guest == NULL || bind->host == NULL || record->guest.length == 0)
    return false;
  if ((record->flags & ~(uint32_t)BIND_KNOWN_FLAGS) != 0)
    return false;
  bind->guest_length = record->guest.length;
  bind->host_length = record->host.length;
  bind->flags = record->flags;
  set_name(bind);
  return true;
}

long config_read(const void *blob, size_t size, struct config *out) {
  const char *bytes = blob;
  struct blob_header header;
  if (size < sizeof header)
    return -EINVAL;
  memcpy(&header, bytes, sizeof header);
  if (header.magic != BLOB_MAGIC || header.version != BLOB_VERSION || header.size != size)
    return -EINVAL;
  if ((header.flags & ~(uint32_t)CONFIG_KNOWN_FLAGS) != 0 || header.descriptor_base < 0 ||
      header.descriptor_base > INT32_MAX - HIDDEN_COUNT)
    return -EINVAL;
  if (header.bind_count > CONFIG_BINDS_MAX || header.runner_count > CONFIG_RUNNERS_MAX)
    return -EINVAL;
  size_t runners_at = sizeof header + header.bind_count * sizeof(struct blob_bind);
  if (runners_at + header.runner_count * sizeof(struct blob_runner) > size)
    return -EINVAL;

  struct config config_new = {
      .flags = header.flags,
      .guest_uid = header.guest_uid,
      .guest_gid = header.guest_gid,
      .host_uid = header.host_uid,
      .host_gid = header.host_gid,
      .descriptor_base = header.descriptor_base,
      .supervisor = header.supervisor,
      .root = read_text(bytes, size, header.root),
      .root_length = header.root.length,
      .shim = read_text(bytes, size, header.shim),
      .scratch = read_text(bytes, size, header.scratch),
      .mounts.count = header.bind_count,
      .mounts.binds = bind_table,
      .runner_count = header.runner_count,
      .runners = runner_table,
  };
  if (config_new.root == NULL || config_new.shim == NULL || header.shim.length == 0 || config_new.scratch == NULL ||
      header.scratch.length == 0)
    return -EINVAL;
  for (size_t i = 0; i < header.bind_count; i++) {
    struct blob_bind record;
    memcpy(&record, bytes + sizeof header + i * sizeof record, sizeof record);
    struct bind *bind = &bind_table[i];
    if (!read_bind(bytes, size, &record, bind))
      return -EINVAL;
    if (i > 0 && bind->guest_length > bind_table[i - 1].guest_length)
      return -EINVAL;
    if ((bind->flags & BIND_READ_ONLY) != 0)
      config_new.mounts.has_read_only = true;
    if ((bind->flags & BIND_MISSING) != 0)
      config_new.mounts.has_missing = true;
  }
  for (size_t i = 0; i < header.runner_count; i++) {
    struct blob_runner record;
    memcpy(&record, bytes + runners_at + i * sizeof record, sizeof record);
    if (!read_runner(bytes, size, &record, &runner_table[i]))
      return -EINVAL;
  }
  *out = config_new;
  return 0;
}
