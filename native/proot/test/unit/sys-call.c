// The hosted counterpart of the gate page: the plain instruction.
#include "sys.h"

#include <errno.h>
#include <unistd.h>

long sys_call(long number, long a, long b, long c, long d, long e, long f) {
  long result = syscall(number, a, b, c, d, e, f);
  return result == -1 ? -errno : result;
}
