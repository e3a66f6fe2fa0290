#include "owners.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <linux/xattr.h>
#include <string.h>

#include "cursor.h"
#include "guest.h"
#include "identity.h"
#include "proc-link.h"
#include "sys.h"
#include "syscall-numbers.h"
#include "text.h"

static const char attribute[] = OWNERS_ATTRIBUTE;

enum { VALUE_SIZE = sizeof "4294967295:4294967295" };

struct owner {
  uint32_t uid, gid;
};

static bool are_kept(void) {
  return config.shared != NULL && __atomic_load_n(&config.shared->has_owners, __ATOMIC_RELAXED) != 0;
}

// On the host's own tree nothing is left behind, and an owner that the host knows stays.
static bool may_be_marked(uint32_t mode, uint32_t uid) {
  return (config.flags & CONFIG_FAKE_IDS) != 0 && config.root_length > 0 && config.shared != NULL &&
         (S_ISREG(mode) || S_ISDIR(mode)) && uid == config.host_uid;
}

// Reads digits up to `end`, which it passes.
static bool read_id(const char **at, const char *limit, char end, uint32_t *out) {
  uint64_t id = 0;
  const char *c = *at;
  for (; c < limit && *c >= '0' && *c <= '9' && id < UINT32_MAX; c++)
    id = id * 10 + (uint64_t)(*c - '0');
  bool is_number = c > *at && id < UINT32_MAX && (end == '\0' ? c == limit : c < limit && *c == end);
  *at = c + 1;
  *out = (uint32_t)id;
  return is_number;
}

static bool read_owner(const char *value, long length, struct owner *out) {
  const char *limit = value + length;
  return length > 0 && read_id(&value, limit, ':', &out->uid) && read_id(&value, limit, '\0', &out->gid);
}

// getxattrat(2), from Linux 6.13 on, needs no way through /proc. -ENOSYS, or what a sandbox says, where it is not there.
static long get_attribute_at(const struct place *place, char value[VALUE_SIZE]) {
  static bool is_missing;
  const struct {
    uint64_t value;
    uint32_t size, flags;
  } request = {.value = (uintptr_t)value, .size = VALUE_SIZE};
  if (__atomic_load_n(&is_missing, __ATOMIC_RELAXED))
    return -ENOSYS;
  long result = SYS_6(SYS_getxattrat, place->descriptor, place->path, place->magic ? 0 : AT_SYMLINK_NOFOLLOW, attribute,
                      &request, sizeof request);
  if (result == -ENOSYS || result == -EPERM)
    __atomic_store_n(&is_missing, true, __ATOMIC_RELAXED);
  return result;
}

static bool owner_of_place(struct place *place, struct owner *out) {
  char value[VALUE_SIZE];
  long arguments[6] = {0, (long)attribute, (long)value, sizeof value};
  long result = get_attribute_at(place, value);
  if (result == -ENOSYS || result == -EPERM)
    result = path_call_plain(place, place->magic ? SYS_getxattr : SYS_lgetxattr, arguments, 0);
  return read_owner(value, result, out);
}

// By the descriptor's link in /proc, which leads to what O_PATH opened too.
static void place_of_descriptor(int descriptor, struct place *out) {
  *out = (struct place){.descriptor = AT_FDCWD, .path = ".", .owned = -1, .magic = true};
  if (descriptor == AT_FDCWD)
    return;
  proc_descriptor_path(descriptor, out->buffer);
  out->path = out->buffer;
}

static bool owner_of_descriptor(int descriptor, struct owner *out) {
  char value[VALUE_SIZE];
  long length = SYS_4(SYS_fgetxattr, descriptor, attribute, value, sizeof value);
  if (length != -EBADF)
    return read_owner(value, length, out);
  struct place place;
  place_of_descriptor(descriptor, &place);
  return owner_of_place(&place, out);
}

void owners_start(void) {
  if (may_be_marked(S_IFDIR, config.host_uid) && SYS_4(SYS_lgetxattr, config.root, attribute, NULL, 0) >= 0)
    __atomic_store_n(&config.shared->has_owners, 1, __ATOMIC_RELAXED);
}

static void show(bool is_marked, const struct owner *owner, uint32_t *uid, uint32_t *gid) {
  if (!is_marked) {
    identity_show_owner(uid, gid);
    return;
  }
  *uid = owner->uid;
  *gid = owner->gid;
}

void owners_show(struct place *place, uint32_t mode, uint32_t *uid, uint32_t *gid) {
  struct owner owner;
  show(are_kept() && may_be_marked(mode, *uid) && owner_of_place(place, &owner), &owner, uid, gid);
}

void owners_show_descriptor(int descriptor, uint32_t mode, uint32_t *uid, uint32_t *gid) {
  struct owner owner;
  show(are_kept() && may_be_marked(mode, *uid) && owner_of_descriptor(descriptor, &owner), &owner, uid, gid);
}

static bool lies_below(const char *path, const char *directory) {
  size_t length = strlen(directory);
  return length > 0 && strlen(path) > length && memcmp(path, directory, length) == 0 && path[length] == '/';
}

// Where a file lies. A place may have been used up when that matters.
struct home {
  const struct bind *bind; // unless it is that of `descriptor`
  int descriptor;
  bool by_descriptor;
  bool is_unknown;
};

static struct home home_of(const struct place *place) {
  return (struct home){.bind = place->bind,
                       .descriptor = place->descriptor,
                       .by_descriptor = place->relative && !place->bind_found,
                       .is_unknown = place->magic};
}

// What is bound from elsewhere is the host's, and shall not carry a guest's notes.
static bool is_own(const struct home *home) {
  char text[CURSOR_CAPACITY];
  struct cursor cursor = {.text = text};
  const struct bind *bind = home->bind;
  if (home->by_descriptor)
    bind = cursor_from_descriptor(&cursor, home->descriptor) ? cursor.bind : NULL;
  return !home->is_unknown &&
         (bind == NULL || lies_below(bind->host, config.root) || lies_below(bind->host, config.scratch));
}

static size_t write_owner(char value[VALUE_SIZE], const struct owner *owner) {
  struct text text = {0};
  text_add_number(&text, owner->uid);
  text_add(&text, ":");
  text_add_number(&text, owner->gid);
  memcpy(value, text.bytes, text.length);
  return text.length;
}

// The next run shall know that there is something to look for.
static void announce(void) {
  char value[VALUE_SIZE];
  struct owner root = {config.guest_uid, config.guest_gid};
  if (are_kept())
    return;
  SYS_5(SYS_lsetxattr, config.root, attribute, value, write_owner(value, &root), XATTR_CREATE);
  __atomic_store_n(&config.shared->has_owners, 1, __ATOMIC_RELAXED);
}

static long chmod_place(const struct place *place, uint32_t mode) {
  return SYS_3(SYS_fchmodat, place->descriptor, place->path, mode & 07777);
}

// Attributes of users want a file that may be written, xattr(7): for that moment the owner may.
static long mark(struct place *place, uint32_t mode, const struct owner *owner) {
  char value[VALUE_SIZE];
  long arguments[6] = {0, (long)attribute, (long)value, (long)write_owner(value, owner)};
  bool is_closed = (mode & S_IWUSR) == 0 && config.host_uid != 0;
  if (is_closed)
    chmod_place(place, mode | S_IWUSR);
  long result = path_call_plain(place, place->magic ? SYS_setxattr : SYS_lsetxattr, arguments, 0);
  if (is_closed)
    chmod_place(place, mode);
  if (result == 0)
    announce();
  return result == -ENOSPC || result == -EDQUOT ? result : 0;
}

// chown(2): what made a file run as its owner is gone, also when root asks.
static uint32_t without_set_id(const struct place *place, uint32_t mode) {
  uint32_t bits = S_ISREG(mode) ? S_ISUID | ((mode & S_IXGRP) != 0 ? S_ISGID : 0) : 0;
  if ((mode & bits) == 0 || chmod_place(place, mode & ~bits) < 0)
    return mode;
  return mode & ~bits;
}

static long change(struct place *place, const struct home *home, const struct stat *stat, const struct owner *asked) {
  if (!identity_may_give(asked->uid, asked->gid))
    return -EPERM;
  uint32_t mode = without_set_id(place, stat->st_mode);
  if (!may_be_marked(mode, stat->st_uid))
    return 0;
  struct owner now = {stat->st_uid, stat->st_gid};
  struct owner wanted;
  bool is_marked = owner_of_place(place, &wanted);
  show(is_marked, &wanted, &now.uid, &now.gid);
  wanted.uid = asked->uid == UINT32_MAX ? now.uid : asked->uid;
  wanted.gid = asked->gid == UINT32_MAX ? now.gid : asked->gid;
  bool is_same = wanted.uid == now.uid && wanted.gid == now.gid;
  return is_same || !is_own(home) ? 0 : mark(place, mode, &wanted);
}

long owners_change(struct place *place, uint32_t uid, uint32_t gid) {
  struct stat stat;
  struct home home = home_of(place);
  long result =
      SYS_4(SYS_newfstatat, place->descriptor, place->path, &stat, place->magic ? 0 : AT_SYMLINK_NOFOLLOW);
  return result < 0 ? result : change(place, &home, &stat, &(struct owner){uid, gid});
}

long owners_change_descriptor(int descriptor, uint32_t uid, uint32_t gid) {
  struct stat stat;
  struct place place;
  struct home home = {.descriptor = descriptor, .by_descriptor = true};
  long result = SYS_4(SYS_newfstatat, descriptor, "", &stat, AT_EMPTY_PATH);
  if (result < 0)
    return result;
  place_of_descriptor(descriptor, &place);
  return change(&place, &home, &stat, &(struct owner){uid, gid});
}

bool owners_matter_to_makers(void) {
  if ((config.flags & CONFIG_FAKE_IDS) == 0)
    return false;
  const struct identity *identity = identity_current();
  return are_kept() || identity->uid[ID_FILE_SYSTEM] != config.guest_uid ||
         identity->gid[ID_FILE_SYSTEM] != config.guest_gid;
}

// Who has made a file; in a set-group-ID directory it has the directory's group, inode(7). False for the run's first user,
// whose files need no mark. Uses the directory's place up.
static bool maker_in(struct place *directory, struct owner *out) {
  const struct identity *identity = identity_current();
  struct stat stat;
  *out = (struct owner){identity->uid[ID_FILE_SYSTEM], identity->gid[ID_FILE_SYSTEM]};
  if (SYS_4(SYS_newfstatat, directory->descriptor, directory->path, &stat, 0) == 0 && (stat.st_mode & S_ISGID) != 0) {
    owners_show(directory, stat.st_mode, &stat.st_uid, &stat.st_gid);
    out->gid = stat.st_gid;
  }
  return out->uid != config.guest_uid || out->gid != config.guest_gid;
}

static void adopt(struct place *place, const struct home *home, const struct stat *stat, const struct owner *owner) {
  struct owner shown = {stat->st_uid, stat->st_gid};
  identity_show_owner(&shown.uid, &shown.gid);
  bool is_shown = owner->uid == shown.uid && owner->gid == shown.gid;
  if (!is_shown && may_be_marked(stat->st_mode, stat->st_uid) && is_own(home))
    mark(place, stat->st_mode, owner);
}

static bool directory_of(const struct place *place, struct place *out) {
  out->bind = place->bind;
  out->relative = place->relative;
  out->bind_found = place->bind_found;
  out->magic = place->magic;
  return path_parent(place, out) == 0;
}

void owners_adopt(struct place *place) {
  struct stat stat;
  struct owner owner;
  struct place directory;
  struct home home = home_of(place);
  if (owners_matter_to_makers() && directory_of(place, &directory) && maker_in(&directory, &owner) &&
      SYS_4(SYS_newfstatat, place->descriptor, place->path, &stat, AT_SYMLINK_NOFOLLOW) == 0)
    adopt(place, &home, &stat, &owner);
}

// A file lies where its directory does, and mostly that is easier to tell.
static void adopt_descriptor(int descriptor, struct place *directory) {
  struct stat stat;
  struct owner owner;
  struct place place;
  struct home home = home_of(directory);
  if (!maker_in(directory, &owner) || SYS_2(SYS_fstat, descriptor, &stat) < 0)
    return;
  place_of_descriptor(descriptor, &place);
  adopt(&place, &home, &stat, &owner);
}

void owners_adopt_opened(int descriptor, const struct place *place) {
  struct place directory;
  if (owners_matter_to_makers() && directory_of(place, &directory))
    adopt_descriptor(descriptor, &directory);
}

void owners_adopt_unnamed(int descriptor, struct place *directory) {
  if (owners_matter_to_makers())
    adopt_descriptor(descriptor, directory);
}

void owners_adopt_descriptor(int descriptor) {
  struct place directory;
  struct cursor cursor = {.text = directory.buffer};
  if (!owners_matter_to_makers() || !cursor_from_descriptor(&cursor, descriptor))
    return;
  cursor_up(&cursor);
  directory.descriptor = cursor_descriptor(&cursor);
  directory.path = cursor_path(&cursor);
  directory.owned = -1;
  directory.bind = cursor.bind;
  directory.relative = directory.bind_found = directory.magic = false;
  adopt_descriptor(descriptor, &directory);
}

bool owners_is_attribute(const char *guest_name) {
  return (config.flags & CONFIG_FAKE_IDS) != 0 &&
         guest_string_length(guest_name, sizeof attribute) == sizeof attribute - 1 &&
         memcmp(guest_name, attribute, sizeof attribute) == 0;
}

long owners_hide_attribute(char *list, long size) {
  if ((config.flags & CONFIG_FAKE_IDS) == 0)
    return size;
  size_t length = 0;
  for (char *name = list; name < list + size; name += length) {
    length = strlen(name) + 1;
    if (length == sizeof attribute && memcmp(name, attribute, length) == 0) {
      memmove(name, name + length, (size_t)(list + size - name) - length);
      return size - (long)length;
    }
  }
  return size;
}
