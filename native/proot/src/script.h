// The first line of a script.
#ifndef ANYPROC_SCRIPT_H
#define ANYPROC_SCRIPT_H

#include <stddef.h>

enum { SCRIPT_HEAD = 256 }; // BINPRM_BUF_SIZE

struct script {
  char line[SCRIPT_HEAD + 1];
  const char *interpreter; // in `line`
  const char *argument;    // in `line`, or NULL
};

// Reads "#!interpreter [argument]" from a file's first bytes. Returns 1, or 0 when it is no script, or -ENOEXEC.
long script_read(const char *head, size_t size, struct script *out);

#endif
