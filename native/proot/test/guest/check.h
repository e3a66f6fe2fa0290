// For the small programs that run both natively and as guests: each must succeed in both.
#ifndef ANYPROC_TEST_CHECK_H
#define ANYPROC_TEST_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: %s (errno: %s)\n", __FILE__, __LINE__, #condition, strerror(errno));                     \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

#define CHECK_ERRNO(expression, expected)                                                                              \
  do {                                                                                                                 \
    errno = 0;                                                                                                         \
    long result_ = (long)(expression);                                                                                 \
    if (result_ != -1 || errno != (expected)) {                                                                        \
      fprintf(stderr, "%s:%d: %s gave %ld, %s instead of %s\n", __FILE__, __LINE__, #expression, result_,              \
              strerror(errno), #expected);                                                                             \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

#endif
