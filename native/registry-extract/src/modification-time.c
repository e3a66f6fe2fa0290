// setModificationTime(path: Buffer, seconds: number, nanoseconds: number): void
// Sets the access time too. node:fs has microseconds, and no time before 1970.
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdint.h>
#include <sys/stat.h>

#include "node-api.h"

napi_value set_modification_time(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  char path[PATH_MAX];
  int64_t seconds, nanoseconds;
  TRY(get_arguments(env, info, 3, arguments));
  TRY(get_text(env, arguments[0], path, sizeof path));
  TRY(napi_get_value_int64(env, arguments[1], &seconds));
  TRY(napi_get_value_int64(env, arguments[2], &nanoseconds));
  struct timespec time = {.tv_sec = seconds, .tv_nsec = nanoseconds};
  struct timespec times[2] = {time, time};
  if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == -1) return throw_system_error(env, errno, "utimensat");
  return NULL;
}
