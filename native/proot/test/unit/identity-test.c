// Identities on their way through execve(2).
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>

#include "capabilities.h"
#include "config.h"
#include "expect.h"

static struct identity start(uint32_t uid) {
  config.guest_uid = config.guest_gid = uid;
  identity_start();
  return *identity_current();
}

static void an_unchanged_identity_needs_no_word(void) {
  char word[IDENTITY_WORD_SIZE];
  struct identity identity = start(0);
  EXPECT((long)identity_write(&identity, word), 1);
  EXPECT(word[0], ' ');
}

static void a_changed_identity_is_read_as_it_was_written(void) {
  char word[IDENTITY_WORD_SIZE + sizeof "/bin/true"];
  struct identity identity = start(0);
  identity.changed = true;
  identity.uid[ID_SAVED] = 4000000000u;
  identity.group_count = GROUPS_MAX;
  for (uint32_t i = 0; i < GROUPS_MAX; i++)
    identity.group[i] = i * 1000003u;
  size_t length = identity_write(&identity, word);
  memcpy(word + length, "/bin/true", sizeof "/bin/true");
  start(0);
  const char *at = word;
  identity_read(&at);
  EXPECT_TEXT(at, "/bin/true");
  EXPECT(memcmp(identity_current(), &identity, sizeof identity), 0);
}

static void root_keeps_everything_over_exec(void) {
  struct stat file = {.st_mode = S_IFREG | 0755, .st_uid = 5};
  struct identity identity = start(0), before = identity;
  capabilities_follow_exec(&identity, &file);
  EXPECT(memcmp(&identity, &before, sizeof before), 0);
}

static void a_set_user_id_file_gives_its_owner(void) {
  struct stat file = {.st_mode = S_IFREG | S_ISUID | 0755, .st_uid = 0};
  struct identity identity = start(1000);
  capabilities_follow_exec(&identity, &file);
  EXPECT(identity.uid[ID_REAL], 1000);
  EXPECT(identity.uid[ID_EFFECTIVE], 0);
  EXPECT(identity.uid[ID_SAVED], 0);
  EXPECT(identity.changed, 1);
  EXPECT(identity_can(&identity, CAP_SYS_ADMIN), 1);
  identity = start(1000);
  identity.no_new_privileges = 1;
  capabilities_follow_exec(&identity, &file);
  EXPECT(identity.uid[ID_EFFECTIVE], 1000);
}

static void a_set_group_id_file_must_be_executable_by_its_group(void) {
  struct stat file = {.st_mode = S_IFREG | S_ISGID | 0745, .st_gid = 7};
  struct identity identity = start(1000);
  capabilities_follow_exec(&identity, &file);
  EXPECT(identity.gid[ID_EFFECTIVE], 1000);
  file.st_mode |= S_IXGRP;
  capabilities_follow_exec(&identity, &file);
  EXPECT(identity.gid[ID_EFFECTIVE], 7);
}

static void kept_capabilities_end_at_exec(void) {
  struct stat file = {.st_mode = S_IFREG | 0755};
  struct identity identity = start(0);
  uint32_t before[ID_COUNT];
  memcpy(before, identity.uid, sizeof before);
  identity.secure_bits = SECBIT_KEEP_CAPS;
  for (int i = 0; i < ID_COUNT; i++)
    identity.uid[i] = 1000;
  capabilities_follow_ids(&identity, before);
  EXPECT(identity_can(&identity, CAP_CHOWN), 0);
  EXPECT((long)identity.capabilities[CAPABILITIES_PERMITTED], (1L << (CAP_LAST_CAP + 1)) - 1);
  capabilities_follow_exec(&identity, &file);
  EXPECT((long)identity.capabilities[CAPABILITIES_PERMITTED], 0);
  EXPECT(identity.secure_bits, 0);
}

int main(void) {
  an_unchanged_identity_needs_no_word();
  a_changed_identity_is_read_as_it_was_written();
  root_keeps_everything_over_exec();
  a_set_user_id_file_gives_its_owner();
  a_set_group_id_file_must_be_executable_by_its_group();
  kept_capabilities_end_at_exec();
  return expect_finish("identity");
}
