// A call through a site that is patched leaves everything as the syscall instruction does: registers, the flags, the
// red zone, the vector registers. And the site is patched when it should be, and not when it should not.
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { KEPT = 11, VECTORS = 16, RED_ZONE_WORDS = 16 };

struct state {
  uint64_t kept[KEPT];                 // rbx, rbp, rdi, rsi, rdx, r8, r9, r10, r12, r13, r14
  uint64_t flags;
  uint64_t red_zone[RED_ZONE_WORDS];
  uint8_t vectors[VECTORS][16];
  uint64_t result;
};

// void call(struct state *in_and_out): loads everything, calls newfstatat(2), stores everything.
void call(struct state *state);
extern char call_site[];
__asm__(".text\n"
        ".globl call, call_site\n"
        "call:\n"
        "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
        "  mov %rdi, %r15\n"
        "  .set i, 0\n"
        "  .rept 16\n"
        "  mov 96+8*i(%r15), %rax\n"
        "  mov %rax, -128+8*i(%rsp)\n"
        "  .set i, i+1\n"
        "  .endr\n"
        "  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "  movdqu 224+16*\\n(%r15), %xmm\\n\n"
        "  .endr\n"
        "  mov (%r15), %rbx\n  mov 8(%r15), %rbp\n  mov 16(%r15), %rdi\n  mov 24(%r15), %rsi\n"
        "  mov 32(%r15), %rdx\n  mov 40(%r15), %r8\n  mov 48(%r15), %r9\n  mov 56(%r15), %r10\n"
        "  mov 64(%r15), %r12\n  mov 72(%r15), %r13\n  mov 80(%r15), %r14\n"
        "  lea -136(%rsp), %rsp\n  pushq 88(%r15)\n  popfq\n  lea 136(%rsp), %rsp\n"
        "  .balign 64\n"
        "call_site:\n"
        "  mov $262, %eax\n"
        "  syscall\n"
        "  mov %rax, 480(%r15)\n"
        "  lea -136(%rsp), %rsp\n  pushfq\n  popq 88(%r15)\n  lea 136(%rsp), %rsp\n"
        "  mov %rbx, (%r15)\n  mov %rbp, 8(%r15)\n  mov %rdi, 16(%r15)\n  mov %rsi, 24(%r15)\n"
        "  mov %rdx, 32(%r15)\n  mov %r8, 40(%r15)\n  mov %r9, 48(%r15)\n  mov %r10, 56(%r15)\n"
        "  mov %r12, 64(%r15)\n  mov %r13, 72(%r15)\n  mov %r14, 80(%r15)\n"
        "  .set i, 0\n"
        "  .rept 16\n"
        "  mov -128+8*i(%rsp), %rax\n"
        "  mov %rax, 96+8*i(%r15)\n"
        "  .set i, i+1\n"
        "  .endr\n"
        "  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "  movdqu %xmm\\n, 224+16*\\n(%r15)\n"
        "  .endr\n"
        "  cld\n  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
        "  ret\n");
_Static_assert(offsetof(struct state, flags) == 88 && offsetof(struct state, red_zone) == 96 &&
                   offsetof(struct state, vectors) == 224 && offsetof(struct state, result) == 480,
               "known to the assembly");

// Carry, parity, adjust, zero, sign, direction, overflow.
static const uint64_t flags[] = {0x202, 0x203, 0x206, 0x212, 0x242, 0x282, 0x602, 0xa02, 0xed7};

static bool is_patched(void) {
  return (unsigned char)call_site[0] == 0xe9;
}

static void fill(struct state *state, uint64_t seed, const char *path, struct stat *status) {
  uint8_t *bytes = (uint8_t *)state;
  for (size_t i = 0; i < sizeof *state; i++)
    bytes[i] = (uint8_t)((seed + i) * 0x9e3779b1u >> 13);
  state->kept[2] = (uint64_t)AT_FDCWD;
  state->kept[3] = (uint64_t)path;
  state->kept[4] = (uint64_t)status;
  state->kept[7] = 0;
  state->flags = flags[seed % (sizeof flags / sizeof flags[0])];
}

int main(void) {
  const char *inside = getenv("ANYPROC_TEST_INSIDE");
  struct stat status, expected;
  struct state before, after;
  CHECK(stat("/", &expected) == 0);
  CHECK(!is_patched());
  for (uint64_t i = 0; i < 200; i++) {
    bool is_missing = i % 3 == 0;
    memset(&status, 0, sizeof status);
    fill(&before, i, is_missing ? "/anyproc-missing" : "/", &status);
    after = before;
    call(&after);
    CHECK((long)after.result == (is_missing ? -ENOENT : 0));
    CHECK(is_missing || (status.st_ino == expected.st_ino && status.st_dev == expected.st_dev));
    after.result = before.result;
    CHECK(memcmp(&before, &after, sizeof before) == 0);
  }
  CHECK(is_patched() == (inside != NULL && strcmp(inside, "unpatched") != 0));
  return 0;
}
