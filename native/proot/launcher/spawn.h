// The first guest process.
#ifndef ANYPROC_SPAWN_H
#define ANYPROC_SPAWN_H

#include <signal.h>
#include <sys/types.h>

#include "configuration.h"
#include "options.h"

struct guest {
  pid_t pid;
  int life;   // write end: its end is the guests' end
  int report; // read end: a record, or nothing once the program runs
};

// What the launcher changed for itself and the guest must not inherit.
struct inherited {
  sigset_t mask;
  struct sigaction child_action;
};

void spawn_guest(const struct options *options, const struct configuration *configuration,
                 const struct inherited *inherited, struct guest *out);

#endif
