// One way to fail before the guest's first instruction: a sentence for people, a record for programs.
#ifndef ANYPROC_FAILURE_H
#define ANYPROC_FAILURE_H

// Where the record goes (--report-fd), or -1.
void failure_set_report(int descriptor);

// Tells the reader that the program runs.
void failure_close_report(void);
// From here on only the record is written, which the parent reads: the words are its business.
void failure_leave_words(int descriptor);

// Prints "anyproc-proot: WHAT: OBJECT: REMEDY", writes "CODE ERRNO OBJECT\n" and exits with 125, 126 or 127.
_Noreturn void fail(const char *code, int error, const char *object);

#endif
