// What this machine offers the engine, found out by trying.
#ifndef ANYPROC_PROBE_H
#define ANYPROC_PROBE_H

// Prints one JSON object. Returns 0, or 1 when it could not be written.
int probe(void);

#endif
