#include <errno.h>
#include <string.h>

#include "config-blob.h"
#include "config.h"

struct writer {
  char *blob;
  size_t capacity;
  size_t used;
};

static long write_word(struct writer *writer, const char *word, size_t length, struct blob_text *text) {
  if (length >= writer->capacity - writer->used)
    return -ENOSPC;
  *text = (struct blob_text){.offset = (uint32_t)writer->used, .length = (uint32_t)length};
  memcpy(writer->blob + writer->used, word, length);
  writer->blob[writer->used + length] = '\0';
  writer->used += length + 1;
  return 0;
}

static long write_text(struct writer *writer, const char *path, struct blob_text *text) {
  size_t length = strlen(path);
  if (length == 1 && path[0] == '/')
    length = 0;
  if (!config_path_is_canonical(path, length))
    return -EINVAL;
  return write_word(writer, path, length, text);
}

// Indexes of the binds, longest guest path first.
static void sort_binds(const struct config *from, size_t *order) {
  for (size_t i = 0; i < from->mounts.count; i++) {
    size_t at = i;
    for (; at > 0 && strlen(from->mounts.binds[order[at - 1]].guest) < strlen(from->mounts.binds[i].guest); at--)
      order[at] = order[at - 1];
    order[at] = i;
  }
}

static bool same_string(const char *a, const char *b) {
  size_t length = strlen(a);
  return length == strlen(b) && memcmp(a, b, length) == 0;
}

static long write_binds(struct writer *writer, const struct config *from) {
  size_t order[CONFIG_BINDS_MAX];
  sort_binds(from, order);
  for (size_t i = 0; i < from->mounts.count; i++) {
    const struct bind *bind = &from->mounts.binds[order[i]];
    for (size_t j = 0; j < i; j++)
      if (same_string(from->mounts.binds[order[j]].guest, bind->guest))
        return -EINVAL;
    struct blob_bind record = {.flags = bind->flags};
    long result = write_text(writer, bind->guest, &record.guest);
    if (result == 0 && record.guest.length == 0)
      result = -EINVAL;
    if (result == 0)
      result = write_text(writer, bind->host, &record.host);
    if (result < 0)
      return result;
    memcpy(writer->blob + sizeof(struct blob_header) + i * sizeof record, &record, sizeof record);
  }
  return 0;
}

static long write_runners(struct writer *writer, const struct config *from) {
  size_t at = sizeof(struct blob_header) + from->mounts.count * sizeof(struct blob_bind);
  for (size_t i = 0; i < from->runner_count; i++) {
    const struct runner *runner = &from->runners[i];
    struct blob_runner record = {.machine = runner->machine};
    long result = write_text(writer, runner->program, &record.program);
    if (result == 0 && record.program.length == 0)
      result = -EINVAL;
    if (result == 0)
      result = write_word(writer, runner->argv0_option, strlen(runner->argv0_option), &record.argv0_option);
    if (result < 0)
      return result;
    memcpy(writer->blob + at + i * sizeof record, &record, sizeof record);
  }
  return 0;
}

long config_write(const struct config *from, void *blob, size_t capacity) {
  if (from->mounts.count > CONFIG_BINDS_MAX || from->runner_count > CONFIG_RUNNERS_MAX)
    return -E2BIG;
  struct writer writer = {
      .blob = blob,
      .capacity = capacity,
      .used = sizeof(struct blob_header) + from->mounts.count * sizeof(struct blob_bind) +
              from->runner_count * sizeof(struct blob_runner),
  };
  if (capacity > INT32_MAX || writer.used > capacity)
    return -ENOSPC;
  struct blob_header header = {
      .magic = BLOB_MAGIC,
      .version = BLOB_VERSION,
      .flags = from->flags,
      .guest_uid = from->guest_uid,
      .guest_gid = from->guest_gid,
      .host_uid = from->host_uid,
      .host_gid = from->host_gid,
      .descriptor_base = from->descriptor_base,
      .supervisor = from->supervisor,
      .bind_count = (uint32_t)from->mounts.count,
      .runner_count = (uint32_t)from->runner_count,
  };
  long result = write_text(&writer, from->root, &header.root);
  if (result == 0)
    result = write_text(&writer, from->shim, &header.shim);
  if (result == 0)
    result = write_text(&writer, from->scratch, &header.scratch);
  if (result == 0)
    result = write_binds(&writer, from);
  if (result == 0)
    result = write_runners(&writer, from);
  if (result < 0)
    return result;
  header.size = (uint32_t)writer.used;
  memcpy(blob, &header, sizeof header);
  return (long)writer.used;
}
