#include "exec-plan.h"

#include <stddef.h>
#include <sys/mman.h>

#include "process.h"
#include "slot.h"
#include "sys.h"

// Plans outlive the trap that makes them: execve(2) reads them in the guest's own context.
__attribute__((section(".bss.plans"))) static struct exec_plan plans[EXEC_BUFFER_COUNT];

// A vfork child takes its plan along when it execs. The kernel then marks the owner word in the memory that its
// parent still uses, as it does for a robust mutex (set_robust_list(2)). Threads that have such a list already are
// no fresh vfork children.
void exec_plan_bind(struct exec_plan *plan) {
  struct robust_list_head *present = NULL;
  size_t size;
  if (plan->owner == NULL)
    return;
  if (SYS_3(SYS_get_robust_list, 0, &present, &size) < 0 || present != NULL)
    return;
  *plan->owner = (uint32_t)SYS_0(SYS_gettid);
  plan->robust.list.next = &plan->robust.list;
  plan->robust.futex_offset = 0;
  plan->robust.list_op_pending = (struct robust_list *)plan->owner;
  SYS_2(SYS_set_robust_list, &plan->robust, sizeof plan->robust);
}

static void unbind_from_thread(struct exec_plan *plan) {
  if (*plan->owner != SLOT_BUSY)
    SYS_2(SYS_set_robust_list, 0, sizeof plan->robust);
}

struct exec_plan *exec_plan_acquire(void) {
  struct exec_plan *plan;
  int i = owner_claim(process.exec_buffer_owner, EXEC_BUFFER_COUNT);
  if (i >= 0) {
    plan = &plans[i];
    plan->owner = &process.exec_buffer_owner[i];
  } else {
    long at = SYS_6(SYS_mmap, 0, sizeof *plan, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0)
      return NULL;
    plan = (struct exec_plan *)at;
    plan->owner = NULL;
  }
  plan->image = plan->interpreter_image = -1;
  plan->machine = 0;
  plan->interpreter_missing = false;
  plan->mount_forbids = false;
  plan->mapped = 0;
  plan->argv = plan->inline_argv;
  return plan;
}

void exec_plan_abandon(struct exec_plan *plan) {
  if (plan->image >= 0)
    SYS_1(SYS_close, plan->image);
  if (plan->interpreter_image >= 0)
    SYS_1(SYS_close, plan->interpreter_image);
  if (plan->mapped > 0)
    SYS_2(SYS_munmap, plan->argv, plan->mapped);
  if (plan->owner == NULL) {
    SYS_2(SYS_munmap, plan, sizeof *plan);
    return;
  }
  unbind_from_thread(plan);
  __atomic_store_n(plan->owner, 0, __ATOMIC_RELEASE);
}
