// setXattr(path: Buffer, name: Buffer, value: Buffer): void
// getXattrs(path: Buffer): Record<string, Buffer>
#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "node-api.h"

napi_value set_xattr(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char path[PATH_MAX], name[XATTR_NAME_MAX + 1];
  struct bytes value;
  TRY(get_arguments(env, info, 3, arguments));
  TRY(get_text(env, arguments[0], path, sizeof path));
  TRY(get_text(env, arguments[1], name, sizeof name));
  TRY(get_bytes(env, arguments[2], &value));
  if (lsetxattr(path, name, value.data, value.size, 0) == -1) return throw_system_error(env, errno, "lsetxattr");
  return NULL;
}

// Adds one attribute to the result. One that vanished, or that we may not read, is not there.
static napi_value add_attribute(napi_env env, napi_value result, const char *path, const char *name, char *value) {
  ssize_t size = lgetxattr(path, name, value, XATTR_SIZE_MAX);
  if (size == -1) return result;
  napi_value key, buffer;
  TRY(napi_create_string_latin1(env, name, NAPI_AUTO_LENGTH, &key));
  TRY(napi_create_buffer_copy(env, (size_t)size, value, NULL, &buffer));
  TRY(napi_set_property(env, result, key, buffer));
  return result;
}

static napi_value read_attributes(napi_env env, const char *path, const char *names, size_t size) {
  napi_value result;
  TRY(napi_create_object(env, &result));
  char *value = malloc(XATTR_SIZE_MAX);
  if (value == NULL) return throw_system_error(env, ENOMEM, "lgetxattr");
  napi_value added = result;
  for (const char *name = names; name < names + size && added != NULL; name += strlen(name) + 1) {
    added = add_attribute(env, result, path, name, value);
  }
  free(value);
  return added;
}

napi_value get_xattrs(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  char path[PATH_MAX];
  TRY(get_arguments(env, info, 1, arguments));
  TRY(get_text(env, arguments[0], path, sizeof path));
  // xattr(7): the list of names is never longer than this.
  char *names = malloc(XATTR_LIST_MAX);
  if (names == NULL) return throw_system_error(env, ENOMEM, "llistxattr");
  ssize_t size = llistxattr(path, names, XATTR_LIST_MAX);
  int error = errno;
  napi_value result = NULL;
  if (size >= 0 || error == EOPNOTSUPP) {
    result = read_attributes(env, path, names, size < 0 ? 0 : (size_t)size);
  } else {
    throw_system_error(env, error, "llistxattr");
  }
  free(names);
  return result;
}
