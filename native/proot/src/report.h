// The one record that tells the supervisor why the first program could not start.
#ifndef ANYPROC_REPORT_H
#define ANYPROC_REPORT_H

// Writes "CODE ERRNO OBJECT\n" and ends the process.
_Noreturn void report_and_exit(int descriptor, const char *code, long error, const char *object);

#endif
