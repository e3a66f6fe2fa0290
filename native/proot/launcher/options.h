// The command line.
#ifndef ANYPROC_OPTIONS_H
#define ANYPROC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../src/config.h"

struct bind_option {
  const char *host;
  const char *guest;
  bool read_only;
  bool no_follow; // a symlink at `guest` is covered itself, not what it leads to
};

struct options {
  const char *rootfs;
  struct bind_option binds[CONFIG_BINDS_MAX];
  size_t bind_count;
  struct runner runners[CONFIG_RUNNERS_MAX];
  size_t runner_count;
  const char *cwd;
  const char *argv0;
  const char *shim;
  bool has_id;
  uid_t uid;
  gid_t gid;
  bool no_cache;
  bool no_patch;
  bool no_kill_on_exit;
  bool pass_unknown;
  bool probe;
  int diagnostics;
  int report;
  int life;
  pid_t parent; // whose end is everybody's end, or 0
  char **command;
};

void options_parse(char **argv, struct options *out);

#endif
