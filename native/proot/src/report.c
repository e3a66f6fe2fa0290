#include "report.h"

#include <string.h>
#include <sys/uio.h>

#include "sys.h"
#include "text.h"

void report_and_exit(int descriptor, const char *code, long error, const char *object) {
  struct text head = {0};
  text_add(&head, code);
  text_add(&head, " ");
  text_add_number(&head, -error);
  text_add(&head, " ");
  struct iovec parts[] = {{head.bytes, head.length}, {(void *)(unsigned long)object, strlen(object)}, {"\n", 1}};
  SYS_3(SYS_writev, descriptor, parts, 3);
  for (;;)
    SYS_1(SYS_exit_group, 127);
}
