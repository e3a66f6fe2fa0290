// What the kernel says about a mapping, asked and read as text: both must agree, and be right.
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "expect.h"
#include "mapping.h"

enum { PAGE = 4096 };

static void *map(int protection, int flags, int file) {
  void *at = mmap(NULL, PAGE, protection, flags, file, 0);
  if (at == MAP_FAILED)
    abort();
  return at;
}

static long find_in_text(uintptr_t address, struct mapping *out) {
  int maps = open("/proc/self/maps", O_RDONLY);
  long result = mapping_find_in_text(maps, address, out);
  close(maps);
  return result;
}

static void both_say(const void *at, struct mapping expected) {
  struct mapping asked, read;
  uintptr_t address = (uintptr_t)at + PAGE / 2;
  EXPECT(mapping_find(address, &asked), 0);
  EXPECT(find_in_text(address, &read), 0);
  const struct mapping *found[] = {&asked, &read};
  for (int i = 0; i < 2; i++) {
    EXPECT(found[i]->start <= address && address < found[i]->end, true);
    EXPECT(found[i]->readable, expected.readable);
    EXPECT(found[i]->writable, expected.writable);
    EXPECT(found[i]->executable, expected.executable);
    EXPECT(found[i]->shared, expected.shared);
    EXPECT(found[i]->of_file, expected.of_file);
  }
  EXPECT(asked.start == read.start && asked.end == read.end, true);
}

int main(void) {
  char name[] = "/tmp/anyproc-mapping-XXXXXX";
  int file = mkstemp(name);
  if (file < 0 || unlink(name) < 0 || ftruncate(file, PAGE) < 0)
    abort();
  both_say(map(PROT_READ | PROT_EXEC, MAP_PRIVATE, file),
           (struct mapping){.readable = true, .executable = true, .of_file = true});
  both_say(map(PROT_READ | PROT_WRITE, MAP_SHARED, file),
           (struct mapping){.readable = true, .writable = true, .shared = true, .of_file = true});
  both_say(map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1),
           (struct mapping){.readable = true, .writable = true, .executable = true});
  both_say(map(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1), (struct mapping){0});

  struct mapping none;
  char *hole = map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (munmap(hole, PAGE) < 0)
    abort();
  EXPECT(mapping_find((uintptr_t)hole, &none), -ENOENT);
  EXPECT(find_in_text((uintptr_t)hole, &none), -ENOENT);
  return expect_finish("mapping");
}
