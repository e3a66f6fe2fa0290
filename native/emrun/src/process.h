// Starts a program in a child process.
#ifndef ANYPROC_PROCESS_H
#define ANYPROC_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

enum { NO_DESCRIPTOR = -1 }; // stands for /dev/null

struct process_options {
  const char *path;
  char *const *argv;
  char *const *env;
  const char *cwd;  // NULL: stay
  int *descriptors; // what the child has as 0, 1, 2 and so on; overwritten
  size_t descriptor_count;
};

// Gives the child's pid, or a negative errno with *failed_call set. An error is that of the very call that failed,
// execve(2) included: nothing is tried instead.
pid_t process_start(const struct process_options *options, const char **failed_call);

#endif
