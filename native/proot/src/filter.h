// The seccomp filter, made from the rules and inherited by every guest process.
#ifndef ANYPROC_FILTER_H
#define ANYPROC_FILTER_H

// Sets no_new_privs and installs the filter for this process. Returns 0 or a negative errno.
long filter_install(void);

// Has this process, all its threads and children trapped when they ask for their ids. Returns 0 or a negative errno.
long filter_trap_ids(void);

#endif
