#include "patch.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "arch-site.h"
#include "arch.h"
#include "config.h"
#include "guest.h"
#include "mapping.h"
#include "patched-call.h"
#include "process.h"
#include "sys.h"
#include "syscalls.h"
#include "trace.h"
#include "trap.h"

// Patching costs as much as a few traps do.
#ifndef HITS_TO_PATCH
#define HITS_TO_PATCH 3
#endif

enum { PAGE_COUNT = 4 };

// Stubs near the code that jumps to them.
struct stub_page {
  uintptr_t entry; // where every stub goes
  unsigned char unused[ARCH_STUB_SIZE - sizeof(uintptr_t)];
  unsigned char stubs[ARCH_PAGE_SIZE / ARCH_STUB_SIZE - 1][ARCH_STUB_SIZE];
};
_Static_assert(sizeof(struct stub_page) == ARCH_PAGE_SIZE, "one page");

enum { STUB_COUNT = ARCH_PAGE_SIZE / ARCH_STUB_SIZE - 1 };

static struct stub_pages {
  struct stub_page *page;
  int used;
} stub_pages[PAGE_COUNT];

// The least range that holds all stub pages, for the assembly to tell quickly what is surely no stub.
uintptr_t stub_pages_start, stub_pages_size;

static bool is_refused;

bool patch_is_on(void) {
  return (config.flags & CONFIG_NO_PATCH) == 0;
}

static uint64_t *counter_of(uintptr_t behind) {
  return &process.traps_at[(behind * 0x9e3779b97f4a7c15u >> 32) % TRAP_COUNTER_COUNT];
}

// A site that could not be patched is looked at again from time to time: there may be other code by then.
static bool is_hot(uintptr_t behind) {
  enum { COUNT_BITS = 8, COUNT_MASK = (1 << COUNT_BITS) - 1 };
  uint64_t *counter = counter_of(behind), seen = __atomic_load_n(counter, __ATOMIC_RELAXED);
  uint64_t count = seen >> COUNT_BITS == behind ? (seen + 1) & COUNT_MASK : 1;
  __atomic_store_n(counter, behind << COUNT_BITS | count, __ATOMIC_RELAXED);
  return count == HITS_TO_PATCH;
}

static bool is_near(uintptr_t page, uintptr_t site) {
  return (page < site ? site - page : page - site) < ARCH_JUMP_REACH;
}

// The guest may have unmapped it.
static bool is_ours(const struct stub_page *page) {
  return guest_probe(page, sizeof page->entry) == 0 && page->entry == (uintptr_t)patched_entry;
}

static struct stub_page *map_page_at(uintptr_t address) {
  long at = SYS_6(SYS_mmap, address, ARCH_PAGE_SIZE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (at < 0)
    return NULL;
  struct stub_page *page = (struct stub_page *)at;
  if ((uintptr_t)at == address) {
    page->entry = (uintptr_t)patched_entry;
    if (SYS_3(SYS_mprotect, page, ARCH_PAGE_SIZE, PROT_READ | PROT_EXEC) == 0)
      return page;
    is_refused = true;
  }
  SYS_2(SYS_munmap, at, ARCH_PAGE_SIZE);
  return NULL;
}

// Close below the code if there is room; else as far above as it may be, for a heap grows there.
static struct stub_page *map_page_near(uintptr_t site) {
  const uintptr_t step = 16 << 20, lowest = 1 << 20, base = site & ~(uintptr_t)(ARCH_PAGE_SIZE - 1);
  struct stub_page *page = NULL;
  for (uintptr_t away = step; page == NULL && !is_refused && away < ARCH_JUMP_REACH && base > away + lowest; away += step)
    page = map_page_at(base - away);
  for (uintptr_t away = ARCH_JUMP_REACH - step; page == NULL && !is_refused && away > 0; away -= step)
    page = map_page_at(base + away);
  return page;
}

static void note_range(uintptr_t page) {
  uintptr_t start = stub_pages_start, end = start + stub_pages_size;
  if (start == 0 || page < start)
    start = page;
  if (page + ARCH_PAGE_SIZE > end)
    end = page + ARCH_PAGE_SIZE;
  stub_pages_start = start;
  stub_pages_size = end - start;
}

static struct stub_pages *page_near(uintptr_t site) {
  for (int i = 0; i < PAGE_COUNT; i++) {
    struct stub_pages *pages = &stub_pages[i];
    if (pages->page == NULL) {
      pages->page = map_page_near(site);
      if (pages->page == NULL)
        return NULL;
      note_range((uintptr_t)pages->page);
      return pages;
    }
    if (is_near((uintptr_t)pages->page, site) && pages->used < STUB_COUNT && is_ours(pages->page))
      return pages;
  }
  return NULL;
}

// A library that was loaded again where it had been finds its stubs there.
static uintptr_t stub_for(uintptr_t site, uintptr_t behind, long number) {
  struct stub_pages *pages = page_near(site);
  if (pages == NULL)
    return 0;
  struct stub_page *page = pages->page;
  for (int i = 0; i < pages->used; i++) {
    long stub_number;
    uintptr_t stub_behind;
    arch_stub_read(page->stubs[i], &stub_number, &stub_behind);
    if (stub_behind == behind && stub_number == number)
      return (uintptr_t)page->stubs[i];
  }
  if (SYS_3(SYS_mprotect, page, ARCH_PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) < 0) {
    is_refused = true;
    return 0;
  }
  unsigned char *stub = page->stubs[pages->used++];
  arch_stub_write(stub, number, behind, (uintptr_t)&page->entry);
  SYS_3(SYS_mprotect, page, ARCH_PAGE_SIZE, PROT_READ | PROT_EXEC);
  return (uintptr_t)stub;
}

// A private mapping of a file's code: nothing that somebody else has, and nothing that the guest writes itself.
static bool may_change(const struct mapping *mapping) {
  return mapping->of_file && !mapping->shared && mapping->readable && mapping->executable && !mapping->writable;
}

static bool find_site(uintptr_t behind, long number, uintptr_t *site) {
  struct mapping mapping;
  if (mapping_find(behind - 1, &mapping) < 0 || !may_change(&mapping))
    return false;
  uintptr_t start = behind - mapping.start < ARCH_SITE_SIZE ? mapping.start : behind - ARCH_SITE_SIZE;
  return guest_probe((void *)start, behind - start) == 0 && arch_site_find(start, behind, number, site);
}

static void patch(uintptr_t behind, long number) {
  uintptr_t site;
  if (!find_site(behind, number, &site))
    return;
  uintptr_t stub = stub_for(site, behind, number);
  void *page = (void *)(site & ~(uintptr_t)(ARCH_PAGE_SIZE - 1));
  if (stub == 0)
    return;
  if (SYS_3(SYS_mprotect, page, ARCH_PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) < 0) {
    is_refused = true;
    return;
  }
  arch_site_write(site, stub);
  SYS_3(SYS_mprotect, page, ARCH_PAGE_SIZE, PROT_READ | PROT_EXEC);
  __atomic_store_n(counter_of(behind), 0, __ATOMIC_RELAXED); // what traps there from now on is other code
}

void patch_consider(uintptr_t behind, long number) {
  uint32_t nobody = 0;
  if (!patch_is_on() || is_refused || !syscall_may_be_patched(number) || !is_hot(behind))
    return;
  if (!__atomic_compare_exchange_n(&process.patching, &nobody, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
    return;
  if (trace_is_on())
    is_refused = true;
  else
    patch(behind, number);
  __atomic_store_n(&process.patching, 0, __ATOMIC_RELEASE);
}

bool patch_in_stub(uintptr_t address, long *number, uintptr_t *behind) {
  for (int i = 0; i < PAGE_COUNT && stub_pages[i].page != NULL; i++) {
    uintptr_t offset = address - (uintptr_t)stub_pages[i].page->stubs;
    if (offset / ARCH_STUB_SIZE >= (uintptr_t)stub_pages[i].used)
      continue;
    arch_stub_read(stub_pages[i].page->stubs[offset / ARCH_STUB_SIZE], number, behind);
    return true;
  }
  return false;
}
