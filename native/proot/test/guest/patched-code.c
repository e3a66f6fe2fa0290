// Which code is patched, and what becomes of it: only private mappings of files that the guest cannot write; a mapping
// that another follows at the same address; a child.
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { PAGE = 4096, CALLS = 300, CACHE_LINE = 64 };

typedef long function(const char *path, long mode);

static bool expects_patches;

// mov $number, %eax; syscall; ret
static void write_code(unsigned char *at, int number) {
  at[0] = 0xb8;
  memcpy(at + 1, &number, sizeof number);
  memcpy(at + 5, "\x0f\x05\xc3", 3);
}

static int file_of_code(int number, size_t offset) {
  unsigned char page[PAGE] = {0};
  char name[] = "/tmp/anyproc-code-XXXXXX";
  int file = mkstemp(name);
  CHECK(file >= 0 && unlink(name) == 0);
  write_code(page + offset, number);
  CHECK(write(file, page, sizeof page) == sizeof page);
  return file;
}

static void call_often(unsigned char *code, long expected) {
  function *call = (function *)(void *)code;
  for (int i = 0; i < CALLS; i++)
    CHECK(call("/anyproc-missing", 0) == expected);
}

static bool is_patched(const unsigned char *code) {
  return code[0] == 0xe9;
}

static unsigned char *map(void *at, int protection, int flags, int file) {
  unsigned char *code = mmap(at, PAGE, protection, flags | (at != NULL ? MAP_FIXED : 0), file, 0);
  CHECK(code != MAP_FAILED);
  return code;
}

// A library that is closed and opened again, or another one in its place.
static void test_mappings_that_change(void) {
  int access_file = file_of_code(SYS_access, 0), rmdir_file = file_of_code(SYS_rmdir, 0);
  unsigned char *code = NULL;
  for (int round = 0; round < 60; round++) {
    code = map(code, PROT_READ | PROT_EXEC, MAP_PRIVATE, round % 2 == 0 ? access_file : rmdir_file);
    CHECK(!is_patched(code));
    call_often(code, -ENOENT);
    CHECK(is_patched(code) == expects_patches);
  }
  CHECK(munmap(code, PAGE) == 0);
  close(access_file);
  close(rmdir_file);
}

static void test_code_that_is_left_alone(void) {
  int file = file_of_code(SYS_access, 0), straddling = file_of_code(SYS_access, CACHE_LINE - 3);
  unsigned char *code = map(NULL, PROT_READ | PROT_EXEC, MAP_SHARED, file), read_back;
  call_often(code, -ENOENT);
  CHECK(!is_patched(code) && pread(file, &read_back, 1, 0) == 1 && read_back == 0xb8);
  code = map(NULL, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, file);
  call_often(code, -ENOENT);
  CHECK(!is_patched(code));
  code = map(NULL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  write_code(code, SYS_access);
  CHECK(mprotect(code, PAGE, PROT_READ | PROT_EXEC) == 0);
  call_often(code, -ENOENT);
  CHECK(!is_patched(code));
  code = map(NULL, PROT_READ | PROT_EXEC, MAP_PRIVATE, straddling) + CACHE_LINE - 3;
  call_often(code, -ENOENT);
  CHECK(!is_patched(code));
  close(file);
  close(straddling);
}

// The syscall instruction behind the jump still works: code may branch to it.
static void test_jump_to_the_instruction_itself(void) {
  int file = file_of_code(SYS_access, 0);
  unsigned char *code = map(NULL, PROT_READ | PROT_EXEC, MAP_PRIVATE, file);
  call_often(code, -ENOENT);
  long result = SYS_access;
  __asm__ volatile("call *%[code]"
                   : "+a"(result)
                   : "D"("/"), "S"(0L), [code] "r"(code + 5)
                   : "rcx", "r11", "memory");
  CHECK(result == 0);
  CHECK(munmap(code, PAGE) == 0);
  close(file);
}

static void test_children(void) {
  int file = file_of_code(SYS_access, 0), status;
  unsigned char *code = map(NULL, PROT_READ | PROT_EXEC, MAP_PRIVATE, file);
  call_often(code, -ENOENT);
  for (int i = 0; i < 8; i++) {
    pid_t child = i % 2 == 0 ? fork() : vfork();
    if (child == 0) {
      call_often(code, -ENOENT);
      _exit(is_patched(code) == expects_patches ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
  }
  close(file);
}

// Where memory may not become executable (prctl(2)), nothing is patched and everything works.
static void test_refusal(void) {
  enum { SET_MEMORY_DENY_WRITE_EXECUTE = 65, REFUSE_EXECUTE_GAIN = 1 };
  int file = file_of_code(SYS_rmdir, 0), status;
  pid_t child = fork();
  if (child == 0) {
    unsigned char *code = map(NULL, PROT_READ | PROT_EXEC, MAP_PRIVATE, file);
    bool is_refused = prctl(SET_MEMORY_DENY_WRITE_EXECUTE, REFUSE_EXECUTE_GAIN, 0, 0, 0) == 0;
    call_often(code, -ENOENT);
    _exit(is_refused && is_patched(code) ? 1 : 0);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  close(file);
}

int main(void) {
  const char *inside = getenv("ANYPROC_TEST_INSIDE");
  expects_patches = inside != NULL && strcmp(inside, "unpatched") != 0;
  test_mappings_that_change();
  test_code_that_is_left_alone();
  test_jump_to_the_instruction_itself();
  test_children();
  test_refusal();
  return 0;
}
