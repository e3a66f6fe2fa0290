#include "descriptors.h"

#include <errno.h>

#include "config.h"
#include "sys.h"

long descriptors_close_range(struct call *call) {
  unsigned first = (unsigned)call->argument[0], last = (unsigned)call->argument[1];
  unsigned flags = (unsigned)call->argument[2];
  unsigned hidden_first = (unsigned)config.descriptor_base, hidden_last = hidden_first + HIDDEN_COUNT - 1;
  if (first > hidden_last || last < hidden_first || first > last)
    return SYS_3(SYS_close_range, first, last, flags);
  long result = 0;
  if (first < hidden_first)
    result = SYS_3(SYS_close_range, first, hidden_first - 1, flags);
  if (result == 0 && last > hidden_last)
    result = SYS_3(SYS_close_range, hidden_last + 1, last, flags);
  return result;
}
