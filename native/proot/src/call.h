// One intercepted system call, from the trap to its result.
#ifndef ANYPROC_CALL_H
#define ANYPROC_CALL_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A handler returns this when the kernel call it wants may block. Such a call is not made inside the signal frame:
// the frame is popped first and the call is made in the guest's own mask and stack, so that EINTR, restarts and
// longjmp out of a handler stay native, and nothing is held while it blocks.
#define CALL_DEFERRED (-5000L)

// Whether the handler is asked again (stage 1, `call->result` set) before the guest gets the result.
enum resume { RESUME_NEVER, RESUME_ALWAYS, RESUME_ON_RESULTS };

struct deferred {
  long number;
  long argument[6];
  // Index of the argument to be pointed at `data` once it has been copied to the guest's stack, or -1.
  int data_argument;
  // Offset of a word in `data` that holds another offset in `data`, to be made an address there, or -1.
  int data_pointer;
  enum resume resume;
  long resume_results[2]; // with RESUME_ON_RESULTS; they may be the same
  uint32_t data_size; // bytes of `data` in use; only those are copied. Keep it small: goroutine stacks are.
  _Alignas(16) char data[PATH_MAX + 64];
};

struct call {
  long number;
  long argument[6];
  int stage;   // 0: first look; 1: after the deferred call
  long result; // stage 1: what the deferred call returned
  // Stage 0: to be filled. `data_argument` and `data_pointer` start as -1, `resume` as RESUME_NEVER, the rest as 0.
  // Stage 1: `number` and `argument` still tell which call was made; `data` is fresh.
  struct deferred *deferred;
  uint64_t *mask; // the guest thread's signal mask from the moment this call returns
};

// Returns what the guest shall see (negative errno on failure), or CALL_DEFERRED with *call->deferred filled.
typedef long call_handler(struct call *call);

#endif
