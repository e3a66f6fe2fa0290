// Children of a test program, which succeed as it does.
#ifndef ANYPROC_TEST_CHILDREN_H
#define ANYPROC_TEST_CHILDREN_H

#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static inline void expect_success(pid_t child) {
  int status;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

// Runs `test` in a child of its own, so that what it gives up is not lost to the others.
static inline void in_child(void (*test)(void)) {
  pid_t child = fork();
  if (child == 0) {
    test();
    _exit(0);
  }
  expect_success(child);
}

#endif
