#include "binds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "failure.h"

// Removes empty, "." and ".." components in place. The path is absolute.
static void normalise(char *path) {
  char *out = path;
  for (const char *in = path; *in != '\0';) {
    while (*in == '/')
      in++;
    size_t length = strcspn(in, "/");
    if (length == 2 && in[0] == '.' && in[1] == '.') {
      while (out > path && *--out != '/') {
      }
    } else if (length > 0 && !(length == 1 && in[0] == '.')) {
      *out++ = '/';
      memmove(out, in, length);
      out += length;
    }
    in += length;
  }
  *out = '\0';
}

static int open_in_root(int root, const char *path) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
  return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

// Replaces the part of `path` that exists in the rootfs by what its symlinks lead to.
static void follow_symlinks(int root, const char *root_path, char path[PATH_MAX]) {
  char rest[PATH_MAX] = "", parent[PATH_MAX];
  int found;
  strcpy(parent, path);
  while ((found = open_in_root(root, parent[0] != '\0' ? parent : "/")) < 0 && parent[0] != '\0') {
    char *slash = strrchr(parent, '/');
    char longer[2 * PATH_MAX];
    snprintf(longer, sizeof longer, "%s%s", slash, rest);
    strcpy(rest, longer);
    *slash = '\0';
  }
  if (found < 0)
    return;
  char link[64], host[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", found);
  ssize_t length = readlink(link, host, sizeof host - 1);
  size_t root_length = strcmp(root_path, "/") == 0 ? 0 : strlen(root_path);
  if (length >= (ssize_t)root_length && (size_t)length - root_length + strlen(rest) < PATH_MAX) {
    host[length] = '\0';
    const char *inside = host + root_length;
    snprintf(path, PATH_MAX, "%s%s", strcmp(inside, "/") == 0 ? "" : inside, rest);
  }
  close(found);
}

// The same for all but the last name, which may then be a symlink that the bind covers.
static void follow_parents(int root, const char *root_path, char path[PATH_MAX]) {
  char *slash = strrchr(path, '/');
  if (slash == NULL)
    return;
  char name[PATH_MAX];
  strcpy(name, slash);
  *slash = '\0';
  follow_symlinks(root, root_path, path);
  if (strlen(path) + strlen(name) >= PATH_MAX)
    fail("bind", ENAMETOOLONG, name);
  strcat(path, name);
}

static void resolve(const struct bind_option *option, int root, const char *root_path, struct bind *out) {
  char guest[PATH_MAX];
  struct stat host_status;
  if (option->host[0] != '/')
    fail("bind", 0, option->host);
  char *host = realpath(option->host, NULL);
  if (host == NULL || stat(host, &host_status) < 0)
    fail("bind", errno, option->host);
  if (option->guest[0] != '/' || strlen(option->guest) >= sizeof guest)
    fail("bind", 0, option->guest);
  strcpy(guest, option->guest);
  normalise(guest);
  (option->no_follow ? follow_parents : follow_symlinks)(root, root_path, guest);
  if (guest[0] == '\0')
    fail("bind", EINVAL, option->guest);
  *out = (struct bind){.guest = strdup(guest),
                       .host = host,
                       .flags = (option->read_only ? BIND_READ_ONLY : 0u) |
                                (S_ISDIR(host_status.st_mode) ? BIND_IS_DIRECTORY : 0u)};
}

size_t binds_resolve(const struct options *options, int root, const char *root_path, struct bind *out) {
  size_t count = 0;
  for (size_t i = 0; i < options->bind_count; i++) {
    struct bind bind;
    resolve(&options->binds[i], root, root_path, &bind);
    size_t at = 0;
    while (at < count && strcmp(out[at].guest, bind.guest) != 0)
      at++;
    out[at] = bind;
    if (at == count)
      count++;
  }
  return count;
}
