#include "guest.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "arch.h"
#include "sys.h"

// setitimer(2) reads the value before it finds that there is no such timer: the cheapest way to have the kernel touch
// memory. For it an address of 0 means no value.
static bool readable(uintptr_t address) {
  enum { NO_TIMER = -1 };
  uintptr_t value = address & ~(uintptr_t)(sizeof(struct itimerval) - 1);
  return value != 0 && SYS_3(SYS_setitimer, NO_TIMER, value, 0) != -EFAULT;
}

static uintptr_t page_end(uintptr_t address) {
  return (address | (ARCH_PAGE_SIZE - 1)) + 1;
}

long guest_string_length(const char *guest, size_t size) {
  size_t length = 0;
  while (length < size) {
    uintptr_t at = (uintptr_t)guest + length;
    if (!readable(at))
      return -EFAULT;
    size_t end = length + (page_end(at) - at);
    for (; length < end && length < size; length++)
      if (guest[length] == '\0')
        return (long)length;
  }
  return -ENAMETOOLONG;
}

long guest_probe(const void *guest, size_t size) {
  for (uintptr_t at = (uintptr_t)guest, end = at + size; at < end; at = page_end(at))
    if (!readable(at))
      return -EFAULT;
  return 0;
}

long guest_copy_in(void *to, const void *guest, size_t size) {
  if ((uintptr_t)guest + size < (uintptr_t)guest || guest_probe(guest, size) < 0)
    return -EFAULT;
  memcpy(to, guest, size);
  return 0;
}

// Writing cannot be probed without a trace, so the kernel does it: of one word by having the same call store the
// present mask there first.
long guest_copy_out(void *guest, const void *from, size_t size) {
  if (size == sizeof(uint64_t)) {
    if (SYS_4(SYS_rt_sigprocmask, SIG_BLOCK, 0, guest, 8) < 0)
      return -EFAULT;
    memcpy(guest, from, size);
    return 0;
  }
  struct iovec local = {(void *)(uintptr_t)from, size}, remote = {guest, size};
  long written = SYS_6(SYS_process_vm_writev, SYS_0(SYS_getpid), &local, 1, &remote, 1, 0);
  return written == (long)size ? 0 : -EFAULT;
}
