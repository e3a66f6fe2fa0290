#include "start.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "arch.h"
#include "config.h"
#include "identity.h"
#include "sys.h"

long start_configuration(int descriptor_base) {
  struct stat status;
  long error = SYS_2(SYS_fstat, descriptor_base + HIDDEN_CONFIG, &status);
  if (error < 0)
    return error;
  extern char image_end[];
  // Beside the shim, so that the guest's mappings lie where they would without it.
  unsigned long size = ((unsigned long)status.st_size + ARCH_PAGE_SIZE - 1) & ~(unsigned long)(ARCH_PAGE_SIZE - 1);
  long blob = SYS_6(SYS_mmap, image_end, size, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE,
                    descriptor_base + HIDDEN_CONFIG, 0);
  if (blob < 0)
    return blob;
  long shared = SYS_6(SYS_mmap, image_end + size, SHARED_SIZE, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_FIXED_NOREPLACE, descriptor_base + HIDDEN_SHARED, 0);
  if (shared < 0)
    return shared;
  error = config_read((void *)blob, (size_t)status.st_size, &config);
  if (error < 0)
    return error;
  if (config.descriptor_base != descriptor_base)
    return -EINVAL;
  config.shared = (struct shared *)shared;
  identity_start();
  return 0;
}

void start(long *base) {
  struct initial_stack stack = {.base = base, .argc = base[0], .argv = (const char **)(base + 1)};
  stack.envp = stack.argv + stack.argc + 1;
  const char **end = stack.envp;
  while (*end != NULL)
    end++;
  stack.auxv = (Elf64_auxv_t *)(end + 1);
  if (stack.argc < 3) {
    static const char message[] = "anyproc-proot-shim: not a command: run anyproc-proot instead\n";
    SYS_3(SYS_write, 2, message, sizeof message - 1);
    SYS_1(SYS_exit_group, 125);
  }
  const char *handover = stack.argv[0];
  size_t word = sizeof BOOTSTRAP_WORD - 1;
  if (strlen(handover) > word && memcmp(handover, BOOTSTRAP_WORD, word) == 0)
    bootstrap(&stack, handover + word);
  program(&stack, handover);
}
