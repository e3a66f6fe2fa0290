// The bond to the supervisor: when its end of the life pipe closes, for whatever reason, the kernel sends SIGKILL.
#ifndef ANYPROC_LIFE_H
#define ANYPROC_LIFE_H

#include "call.h"

// Binds this process. Done at each program's start and in each forked child.
void life_arm(void);
// The same for a forked child that makes its first call: one with a stack of its own (clone(2)), which may have anything
// in common with its parent.
void life_arm_unforeseen(void);

// fork(2): the child is bound before it goes on, since it may never make a call that the engine would see.
call_handler life_fork;

#endif
