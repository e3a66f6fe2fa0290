// makeNode(path: Buffer, mode: number, major: number, minor: number): void
#include <errno.h>
#include <linux/limits.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "node-api.h"

napi_value make_node(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  char path[PATH_MAX];
  uint32_t mode, major_number, minor_number;
  TRY(get_arguments(env, info, 4, arguments));
  TRY(get_text(env, arguments[0], path, sizeof path));
  TRY(napi_get_value_uint32(env, arguments[1], &mode));
  TRY(napi_get_value_uint32(env, arguments[2], &major_number));
  TRY(napi_get_value_uint32(env, arguments[3], &minor_number));
  if (mknod(path, mode, makedev(major_number, minor_number)) == -1) return throw_system_error(env, errno, "mknod");
  return NULL;
}
