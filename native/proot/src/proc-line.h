// Lines of proc(5) files, from the host's terms to the guest's.
#ifndef ANYPROC_PROC_LINE_H
#define ANYPROC_PROC_LINE_H

#include <linux/limits.h>
#include <stddef.h>

#include "identity.h"

enum {
  // Room for a line: a path may be escaped to four times its length.
  PROC_LINE_CAPACITY = 2 * PATH_MAX,
  PROC_LINE_DROPPED = -1,
};

// Writes the line as the guest shall see it, without a newline; `out` has room for one byte more. Returns its length or
// PROC_LINE_DROPPED. What a translator cannot read it leaves as it is. `whose` is the identity of the process that the
// file is about, NULL when it is not known.
typedef long proc_line_translator(const char *line, size_t length, const struct identity *whose,
                                  char out[PROC_LINE_CAPACITY]);

// Writes a path with the escapes of fstab(5), as far as there is room. Returns its size.
size_t proc_line_escape(const char *text, size_t length, char *out, size_t capacity);

proc_line_translator proc_line_of_maps, proc_line_of_mounts, proc_line_of_mountinfo, proc_line_of_status;

#endif
