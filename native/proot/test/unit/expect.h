// Checks that count failures instead of ending the program.
#ifndef ANYPROC_TEST_EXPECT_H
#define ANYPROC_TEST_EXPECT_H

// Both sides are printed when they differ.
#define EXPECT(actual, expected) expect_number(__FILE__, __LINE__, #actual, (long)(actual), (long)(expected))
#define EXPECT_TEXT(actual, expected) expect_text(__FILE__, __LINE__, #actual, (actual), (expected))

void expect_number(const char *file, int line, const char *what, long actual, long expected);
void expect_text(const char *file, int line, const char *what, const char *actual, const char *expected);

// Prints a summary; the program's exit status.
int expect_finish(const char *name);

#endif
