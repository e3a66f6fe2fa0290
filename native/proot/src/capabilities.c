#include "capabilities.h"

#include <linux/capability.h>
#include <linux/securebits.h>

#define BIT(capability) ((uint64_t)1 << (capability))

static const uint64_t file_system_capabilities = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) |
                                                 BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) |
                                                 BIT(CAP_MKNOD) | BIT(CAP_MAC_OVERRIDE);

static bool has_root(const uint32_t ids[ID_COUNT]) {
  return ids[ID_REAL] == 0 || ids[ID_EFFECTIVE] == 0 || ids[ID_SAVED] == 0;
}

static bool has_bit(const struct identity *identity, uint32_t bit) {
  return (identity->secure_bits & bit) != 0;
}

void capabilities_follow_ids(struct identity *identity, const uint32_t before[ID_COUNT]) {
  uint64_t *sets = identity->capabilities;
  if (has_bit(identity, SECBIT_NO_SETUID_FIXUP))
    return;
  if (has_root(before) && !has_root(identity->uid)) {
    if (!has_bit(identity, SECBIT_KEEP_CAPS))
      sets[CAPABILITIES_PERMITTED] = sets[CAPABILITIES_EFFECTIVE] = 0;
    sets[CAPABILITIES_AMBIENT] = 0;
  }
  if (before[ID_EFFECTIVE] == 0 && identity->uid[ID_EFFECTIVE] != 0)
    sets[CAPABILITIES_EFFECTIVE] = 0;
  if (before[ID_EFFECTIVE] != 0 && identity->uid[ID_EFFECTIVE] == 0)
    sets[CAPABILITIES_EFFECTIVE] = sets[CAPABILITIES_PERMITTED];
}

void capabilities_follow_file_system_id(struct identity *identity, uint32_t before) {
  uint64_t *sets = identity->capabilities;
  if (has_bit(identity, SECBIT_NO_SETUID_FIXUP))
    return;
  if (before == 0 && identity->uid[ID_FILE_SYSTEM] != 0)
    sets[CAPABILITIES_EFFECTIVE] &= ~file_system_capabilities;
  if (before != 0 && identity->uid[ID_FILE_SYSTEM] == 0)
    sets[CAPABILITIES_EFFECTIVE] |= sets[CAPABILITIES_PERMITTED] & file_system_capabilities;
}

// "Set-user-ID and set-group-ID" bits; a group bit without execute permission is no such bit (inode(7)).
static void take_ids_of_file(struct identity *identity, const struct stat *file) {
  if (identity->no_new_privileges)
    return;
  if ((file->st_mode & S_ISUID) != 0)
    identity->uid[ID_EFFECTIVE] = file->st_uid;
  if ((file->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
    identity->gid[ID_EFFECTIVE] = file->st_gid;
}

// "Transformation of capabilities during execve()", and "Capabilities and execution of programs by root".
void capabilities_follow_exec(struct identity *identity, const struct stat *file) {
  uint64_t *sets = identity->capabilities;
  uint32_t user = identity->uid[ID_EFFECTIVE], group = identity->gid[ID_EFFECTIVE];
  take_ids_of_file(identity, file);
  if (identity->uid[ID_EFFECTIVE] != user || identity->gid[ID_EFFECTIVE] != group) {
    identity->changed = true;
    sets[CAPABILITIES_AMBIENT] = 0;
  }
  identity->uid[ID_SAVED] = identity->uid[ID_FILE_SYSTEM] = identity->uid[ID_EFFECTIVE];
  identity->gid[ID_SAVED] = identity->gid[ID_FILE_SYSTEM] = identity->gid[ID_EFFECTIVE];
  bool root_counts = !has_bit(identity, SECBIT_NOROOT);
  bool is_root = root_counts && identity->uid[ID_EFFECTIVE] == 0;
  if (is_root || (root_counts && identity->uid[ID_REAL] == 0))
    sets[CAPABILITIES_PERMITTED] = sets[CAPABILITIES_INHERITABLE] | sets[CAPABILITIES_BOUNDING];
  else
    sets[CAPABILITIES_PERMITTED] = sets[CAPABILITIES_AMBIENT];
  sets[CAPABILITIES_EFFECTIVE] = is_root ? sets[CAPABILITIES_PERMITTED] : sets[CAPABILITIES_AMBIENT];
  identity->secure_bits &= ~(uint32_t)SECBIT_KEEP_CAPS;
}
