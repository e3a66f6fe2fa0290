// The guests' parent: passes signals on, reaps, ends everything in time and tells how the first guest ended.
#ifndef ANYPROC_SUPERVISE_H
#define ANYPROC_SUPERVISE_H

#include <signal.h>
#include <stdbool.h>

#include "spawn.h"

struct supervision {
  struct guest guest;
  int signals; // signalfd of everything that can be blocked
  int life;    // its end is everybody's end, or -1
  int parent;  // pidfd of a process whose end is everybody's end, or -1
  bool wait_for_all;
  sigset_t passed_on; // what the first guest has been sent
};

// Returns the first guest's wait status (waitpid(2)).
int supervise(struct supervision *supervision);

// Ends this process in the same way.
_Noreturn void end_as(int status);

#endif
