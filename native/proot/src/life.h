// The bond to the supervisor: when its end of the life pipe closes, for whatever reason, the kernel sends SIGKILL.
#ifndef ANYPROC_LIFE_H
#define ANYPROC_LIFE_H

// Binds this process. Done at each program's start and in a forked child's first trap.
void life_arm(void);

#endif
