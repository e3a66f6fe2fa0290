// /proc/PID/mounts and mountinfo once guests have mounted something: made from their own mounts, proc(5).
#ifndef ANYPROC_PROC_MOUNTS_H
#define ANYPROC_PROC_MOUNTS_H

#include <stdbool.h>

// Whether the mounts are no longer the configuration's, which the host's file tells well enough.
bool proc_mounts_changed(void);

// Writes the file, with the fields of mountinfo or of mounts. Returns 0 or a negative errno.
long proc_mounts_write(long descriptor, bool is_mountinfo);

#endif
