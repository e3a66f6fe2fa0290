#include "filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

#include "arch.h"
#include "config.h"
#include "namespace.h"
#include "patch.h"
#include "sys.h"
#include "syscalls.h"
#include "trap.h"

// The kernel caches "allow" for numbers that a filter lets through without looking at anything else, so the number is
// looked up first, in a balanced tree, and only listed calls pay for more. What is listed has the rules of its number
// one after the other: test the condition, give the verdict; the next rule when the condition does not hold.
enum { PROGRAM_SIZE = 2048, RULE_SIZE = 24, BRANCH_SIZE = 5 };

struct program {
  struct sock_filter code[PROGRAM_SIZE];
  unsigned short length;
};

static bool has_room(const struct program *p, int instructions) {
  return p->length + instructions <= PROGRAM_SIZE;
}

static void emit(struct program *p, unsigned short code, uint32_t k, unsigned char yes, unsigned char no) {
  p->code[p->length++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct program *p, size_t offset) {
  emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

// Skips `yes` or `no` instructions.
static void compare(struct program *p, unsigned short operation, uint32_t k, unsigned char yes, unsigned char no) {
  emit(p, (unsigned short)(BPF_JMP | operation | BPF_K), k, yes, no);
}

static void answer(struct program *p, uint32_t value) {
  emit(p, BPF_RET | BPF_K, value, 0, 0);
}

static size_t low_half(int argument) {
  return offsetof(struct seccomp_data, args) + 8 * (size_t)argument;
}

enum { VERDICT_LENGTH = 7 };

// The engine's own calls, made from the gate page, pass; the guest's get `verdict`.
static void judge(struct program *p, uint32_t verdict) {
  uint64_t gate = (uintptr_t)gate_page;
  size_t pointer = offsetof(struct seccomp_data, instruction_pointer);
  load(p, pointer + 4);
  compare(p, BPF_JEQ, (uint32_t)(gate >> 32), 0, 3);
  load(p, pointer);
  emit(p, BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)(ARCH_PAGE_SIZE - 1), 0, 0);
  compare(p, BPF_JEQ, (uint32_t)gate, 1, 0);
  answer(p, verdict);
  answer(p, SECCOMP_RET_ALLOW);
}

// Falls through when the condition holds. Otherwise jumps over the verdict that follows.
static void test(struct program *p, const struct rule *rule) {
  switch (rule->condition) {
  case NONZERO:
    load(p, low_half(rule->argument));
    compare(p, BPF_JEQ, 0, 0, 2);
    load(p, low_half(rule->argument) + 4);
    compare(p, BPF_JEQ, 0, VERDICT_LENGTH, 0);
    break;
  case AMONG:
    load(p, low_half(rule->argument));
    for (int i = 0; i < rule->operand_count; i++) {
      int left = rule->operand_count - 1 - i;
      compare(p, BPF_JEQ, rule->operands[i], (unsigned char)left, left == 0 ? VERDICT_LENGTH : 0);
    }
    break;
  case HIDDEN:
    load(p, low_half(rule->argument));
    compare(p, BPF_JGE, (uint32_t)config.descriptor_base, 0, VERDICT_LENGTH + 1);
    compare(p, BPF_JGE, (uint32_t)config.descriptor_base + HIDDEN_COUNT, VERDICT_LENGTH, 0);
    break;
  case MASK_GROWS:
    load(p, low_half(0));
    compare(p, BPF_JEQ, SIG_UNBLOCK, VERDICT_LENGTH + 4, 0);
    load(p, low_half(1));
    compare(p, BPF_JEQ, 0, 0, 2);
    load(p, low_half(1) + 4);
    compare(p, BPF_JEQ, 0, VERDICT_LENGTH, 0);
    break;
  case ACTION_MATTERS:
    if (patch_is_on())
      break;
    load(p, low_half(0));
    compare(p, BPF_JEQ, SIGSYS, 4, 0);
    load(p, low_half(1));
    compare(p, BPF_JEQ, 0, 0, 2);
    load(p, low_half(1) + 4);
    compare(p, BPF_JEQ, 0, VERDICT_LENGTH, 0);
    break;
  case FORKS:
    load(p, low_half(0));
    compare(p, BPF_JSET, CLONE_NAMESPACES, 5, 0);
    compare(p, BPF_JSET, CLONE_VM, VERDICT_LENGTH + 4, 0);
    load(p, low_half(1));
    compare(p, BPF_JEQ, 0, 0, VERDICT_LENGTH + 2);
    load(p, low_half(1) + 4);
    compare(p, BPF_JEQ, 0, 0, VERDICT_LENGTH);
    break;
  default:
    break;
  }
}

// With somebody to tell, the shim refuses what the filter could.
static uint32_t verdict_of(const struct rule *rule) {
  bool is_told = (config.flags & CONFIG_DIAGNOSTICS) != 0 && rule_refuses_always(rule);
  return rule->action == RULE_TRAP || is_told ? SECCOMP_RET_TRAP : SECCOMP_RET_ERRNO | rule->value;
}

static void judge_unknown(struct program *p) {
  if ((config.flags & CONFIG_DIAGNOSTICS) != 0)
    judge(p, SECCOMP_RET_TRAP);
  else
    answer(p, (config.flags & CONFIG_PASS_UNKNOWN) != 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | ENOSYS);
}

// What is not in the table: numbers beyond its last one, and the holes before. Those with the x32 ABI's bit would be
// known calls by other numbers, and are refused in any case.
static bool add_unknown(struct program *p) {
  enum { FOREIGN_BIT = 0x40000000 };
  unsigned char skip = (config.flags & CONFIG_DIAGNOSTICS) != 0 ? VERDICT_LENGTH : 1;
  compare(p, BPF_JGE, FOREIGN_BIT, 0, 1);
  answer(p, SECCOMP_RET_ERRNO | ENOSYS);
  compare(p, BPF_JGT, SYSCALL_LAST_KNOWN, 0, skip);
  judge_unknown(p);
  for (uint32_t number = 0; number <= SYSCALL_LAST_KNOWN; number++) {
    if (syscall_is_known(number))
      continue;
    uint32_t end = number + 1;
    while (!syscall_is_known(end))
      end++;
    if (!has_room(p, BRANCH_SIZE + VERDICT_LENGTH))
      return false;
    compare(p, BPF_JGE, number, 0, (unsigned char)(skip + 1));
    compare(p, BPF_JGE, end, skip, 0);
    judge_unknown(p);
    number = end;
  }
  return true;
}

static bool applies(const struct rule *rule) {
  bool faked = config.flags & CONFIG_FAKE_IDS;
  switch (rule->condition) {
  case IDS_FAKED:
    return faked;
  case SHOWN_AS_ROOT:
    return faked && config.guest_uid == 0 && config.guest_gid == 0;
  default:
    return true;
  }
}

// The numbers that have rules in this run, ascending.
static size_t list_numbers(uint16_t *numbers) {
  size_t count = 0;
  for (size_t i = 0; i < rule_count; i++) {
    if (!applies(&rules[i]))
      continue;
    size_t at = count;
    while (at > 0 && numbers[at - 1] > rules[i].number)
      at--;
    if (at > 0 && numbers[at - 1] == rules[i].number)
      continue;
    memmove(numbers + at + 1, numbers + at, (count - at) * sizeof *numbers);
    numbers[at] = rules[i].number;
    count++;
  }
  return count;
}

static bool add_leaf(struct program *p, uint16_t number) {
  if (!has_room(p, BRANCH_SIZE))
    return false;
  compare(p, BPF_JEQ, number, 1, 0);
  answer(p, SECCOMP_RET_ALLOW);
  for (size_t i = 0; i < rule_count; i++) {
    const struct rule *rule = &rules[i];
    if (rule->number != number || !applies(rule))
      continue;
    if (!has_room(p, RULE_SIZE))
      return false;
    test(p, rule);
    judge(p, verdict_of(rule));
  }
  answer(p, SECCOMP_RET_ALLOW);
  return true;
}

// The upper half is too far away for a conditional jump, hence the jump behind it.
static bool add_tree(struct program *p, const uint16_t *numbers, size_t count) {
  if (count == 1)
    return add_leaf(p, numbers[0]);
  size_t half = count / 2;
  if (!has_room(p, BRANCH_SIZE))
    return false;
  compare(p, BPF_JGE, numbers[half], 0, 1);
  unsigned short jump = p->length;
  emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
  if (!add_tree(p, numbers, half))
    return false;
  p->code[jump].k = (uint32_t)(p->length - jump - 1);
  return add_tree(p, numbers + half, count - half);
}

static bool build(struct program *p) {
  uint16_t numbers[SYSCALL_LAST_KNOWN + 1];
  p->length = 0;
  load(p, offsetof(struct seccomp_data, arch));
  compare(p, BPF_JEQ, ARCH_AUDIT, 1, 0);
  answer(p, SECCOMP_RET_ERRNO | ENOSYS);
  load(p, offsetof(struct seccomp_data, nr));
  return add_unknown(p) && add_tree(p, numbers, list_numbers(numbers));
}

static long install(const struct program *program, unsigned flags) {
  struct sock_fprog installed = {program->length, (struct sock_filter *)program->code};
  // Kernels before 5.16 slow memory down for filtered processes unless asked not to; those before 4.17 cannot be asked.
  long error = SYS_3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &installed);
  return error == -EINVAL ? SYS_3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &installed) : error;
}

long filter_install(void) {
  struct program program;
  if (!build(&program))
    return -E2BIG;
  long error = SYS_5(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return error < 0 ? error : install(&program, 0);
}

// Of the verdicts of several filters the kernel takes the strictest, and a trap is stricter than an errno (seccomp(2)).
long filter_trap_ids(void) {
  static const uint16_t numbers[] = {SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid};
  enum { COUNT = sizeof numbers / sizeof *numbers };
  struct program program;
  program.length = 0;
  load(&program, offsetof(struct seccomp_data, arch));
  compare(&program, BPF_JEQ, ARCH_AUDIT, 1, 0);
  answer(&program, SECCOMP_RET_ALLOW);
  load(&program, offsetof(struct seccomp_data, nr));
  for (int i = 0; i < COUNT; i++)
    compare(&program, BPF_JEQ, numbers[i], (unsigned char)(COUNT - i), 0);
  answer(&program, SECCOMP_RET_ALLOW);
  judge(&program, SECCOMP_RET_TRAP);
  // The result is the id of a thread that could not follow: one that a tracer, say, gave a filter of its own.
  return install(&program, SECCOMP_FILTER_FLAG_TSYNC) == 0 ? 0 : install(&program, 0);
}
