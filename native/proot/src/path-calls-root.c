// chroot(2) and pivot_root(2): the mounts in terms of another root.
#include <errno.h>
#include <string.h>

#include "mount-point.h"
#include "namespace.h"
#include "path-calls.h"
#include "sys.h"

struct prefix {
  const char *text;
  size_t length;
};

static struct prefix guest_of(const struct mount_point *point) {
  struct prefix prefix;
  prefix.text = mount_point_guest(point, &prefix.length);
  return prefix;
}

static bool covers(struct prefix prefix, const struct bind *bind) {
  return mount_covers(prefix.text, prefix.length, bind->guest, bind->guest_length);
}

static void strip(struct bind *bind, struct prefix prefix) {
  bind->guest += prefix.length;
  bind->guest_length -= prefix.length;
}

// Everything below the new root stays; everything else is no longer there.
static void keep_below(struct mount_draft *draft, struct prefix root) {
  size_t kept = 0;
  for (size_t i = 0; i < draft->count; i++) {
    struct bind bind = draft->binds[i];
    if (bind.hidden_by != 0 || !covers(root, &bind))
      continue;
    strip(&bind, root);
    draft->binds[kept++] = bind;
  }
  draft->count = kept;
}

// The root itself, unless it is a mount that has just become it. It hides nothing: it lies below all others.
static long add_root(struct mount_draft *draft, const struct mount_point *root) {
  size_t host_length;
  if (mount_draft_find(draft, "", 0) >= 0)
    return 0;
  const struct bind *bind = root->at.bind;
  const char *host = mount_point_host(root, &host_length);
  if (host == NULL)
    return -ENOSPC;
  draft->binds[draft->count++] =
      (struct bind){.guest = "",
                    .host = host,
                    .host_length = host_length,
                    .flags = BIND_IS_DIRECTORY | (bind == NULL ? 0 : bind->flags & BIND_READ_ONLY)};
  return 0;
}

static long finish(struct mount_draft *draft, long result) {
  if (result < 0)
    mount_draft_abandon(draft);
  else
    mount_draft_commit(draft);
  return result;
}

// In mounts of the process's own, since others keep their root.
static long change_root(const struct mount_point *root) {
  struct mount_draft draft;
  long result = namespace_leave(false);
  if (result == 0)
    result = mount_draft_begin(&draft, 1);
  if (result < 0)
    return result;
  struct prefix prefix = guest_of(root);
  if (prefix.text == NULL)
    return finish(&draft, -ENOSPC);
  keep_below(&draft, prefix);
  return finish(&draft, add_root(&draft, root));
}

long call_chroot(struct call *call) {
  struct mount_point root;
  long result = mount_point_find(path_argument(call, 0), &root);
  if (result < 0)
    return result;
  if (!root.is_directory)
    return -ENOTDIR;
  if (root.is_reachable && mount_point_is_root(&root) && bind_is_root(root.at.bind))
    return 0;
  if (!namespace_may_change_root() || !root.is_reachable)
    return -EPERM;
  return change_root(&root);
}

// What is not below the new root moves below `old`; with `old` empty it is left behind.
static long move_others(struct mount_draft *draft, struct prefix root, struct prefix old) {
  size_t kept = 0;
  for (size_t i = 0; i < draft->count; i++) {
    struct bind bind = draft->binds[i];
    if (bind.hidden_by != 0)
      continue;
    if (covers(root, &bind)) {
      strip(&bind, root);
    } else if (old.length == 0) {
      continue;
    } else {
      bind.guest = mount_draft_text(old.text, old.length, bind.guest, bind.guest_length);
      if (bind.guest == NULL)
        return -ENOSPC;
      bind.guest_length += old.length;
    }
    draft->binds[kept++] = bind;
  }
  draft->count = kept;
  return 0;
}

static long pivot(const struct mount_point *root, const struct mount_point *old) {
  struct mount_draft draft;
  long result = mount_draft_begin(&draft, 2);
  if (result < 0)
    return result;
  struct prefix new_root = guest_of(root), put_old = guest_of(old);
  struct bind rootfs = {.guest = "",
                        .host = config.root,
                        .host_length = config.root_length,
                        .flags = BIND_IS_DIRECTORY};
  if (new_root.text == NULL || put_old.text == NULL)
    return finish(&draft, -ENOSPC);
  if (!mount_covers(new_root.text, new_root.length, put_old.text, put_old.length))
    return finish(&draft, -EINVAL);
  if (mounts()->root == NULL)
    draft.binds[draft.count++] = rootfs;
  put_old.text += new_root.length;
  put_old.length -= new_root.length;
  result = move_others(&draft, new_root, put_old);
  if (result == 0 && put_old.length == 0)
    config.shared->has_old_root = 1;
  return finish(&draft, result);
}

long call_pivot_root(struct call *call) {
  struct mount_point root, old;
  long result = mount_point_find(path_argument(call, 0), &root);
  if (result == 0)
    result = mount_point_find(path_argument(call, 1), &old);
  if (result < 0)
    return result;
  if (!root.is_directory || !old.is_directory)
    return -ENOTDIR;
  if (!namespace_may_mount())
    return -EPERM;
  if (!root.is_reachable || !old.is_reachable || !mount_point_is_root(&root))
    return -EINVAL;
  if (bind_is_root(root.at.bind))
    return -EBUSY;
  return pivot(&root, &old);
}
