#include "expect.h"

#include <stdio.h>
#include <string.h>

static int checks, failures;

static void count(const char *file, int line, const char *what, int failed) {
  checks++;
  failures += failed;
  if (failed)
    printf("%s:%d: %s", file, line, what);
}

void expect_number(const char *file, int line, const char *what, long actual, long expected) {
  count(file, line, what, actual != expected);
  if (actual != expected)
    printf(" is %ld, not %ld\n", actual, expected);
}

void expect_text(const char *file, int line, const char *what, const char *actual, const char *expected) {
  int failed = strcmp(actual, expected) != 0;
  count(file, line, what, failed);
  if (failed)
    printf(" is \"%s\", not \"%s\"\n", actual, expected);
}

int expect_finish(const char *name) {
  printf("%s: %d checks, %d failures\n", name, checks, failures);
  return failures == 0 ? 0 : 1;
}
