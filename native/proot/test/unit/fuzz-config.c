// libFuzzer: config_read() trusts no byte, and what it accepts is consistent.
#include <stdlib.h>
#include <string.h>

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
  if (!holds)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct config out;
  char blob[1 << 16];
  if (config_read(data, size, &out) < 0)
    return 0;
  check(strlen(out.root) == out.root_length && (out.root_length == 0 || out.root[0] == '/'));
  check(out.shim[0] == '/' && out.scratch[0] == '/');
  for (size_t i = 0; i < out.mounts.count; i++) {
    const struct bind *bind = &out.mounts.binds[i];
    check(strlen(bind->guest) == bind->guest_length && strlen(bind->host) == bind->host_length);
    check(bind->guest[0] == '/' && bind->name[-1] == '/' && strlen(bind->name) == bind->name_length);
    check(i == 0 || bind->guest_length <= out.mounts.binds[i - 1].guest_length);
  }
  for (size_t i = 0; i < out.runner_count; i++)
    check(out.runners[i].program[0] == '/' && strlen(out.runners[i].argv0_option) < size);
  long again = config_write(&out, blob, sizeof blob);
  check(again > 0 || again == -22 || again == -28); // two binds at one place, or a blob that shares its strings
  return 0;
}
