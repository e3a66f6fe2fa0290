// createFile(path: Buffer, data: Buffer, mode: number, uid: number, gid: number, seconds: number, nanoseconds: number): boolean
// Makes a file with all that belongs to it, in one call instead of six. False when it may not have that owner; the ids
// -1 leave it to who makes it.
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node-api.h"

static const char *write_all(int file, struct bytes data) {
  const char *next = data.data;
  for (size_t left = data.size; left > 0;) {
    ssize_t written = write(file, next, left);
    if (written == -1 && errno == EINTR) continue;
    if (written == -1) return "write";
    next += written;
    left -= (size_t)written;
  }
  return NULL;
}

static int is_refusal(int error) {
  // chown(2): not allowed, or an id that this user namespace does not have.
  return error == EPERM || error == EINVAL;
}

// Gives the call that failed, or NULL.
static const char *fill(int file, struct bytes data, uid_t uid, gid_t gid, mode_t mode, const struct timespec times[2],
                        int *is_owned) {
  const char *failed = write_all(file, data);
  if (failed != NULL) return failed;
  *is_owned = fchown(file, uid, gid) == 0;
  if (!*is_owned && !is_refusal(errno)) return "fchown";
  // After content and owner: write(2) and chown(2) take set-user-ID bits away.
  if (fchmod(file, mode) == -1) return "fchmod";
  return futimens(file, times) == -1 ? "futimens" : NULL;
}

napi_value create_file(napi_env env, napi_callback_info info) {
  napi_value arguments[7], result;
  char path[PATH_MAX];
  struct bytes data;
  uint32_t mode;
  int64_t uid, gid, seconds, nanoseconds;
  TRY(get_arguments(env, info, 7, arguments));
  TRY(get_text(env, arguments[0], path, sizeof path));
  TRY(get_bytes(env, arguments[1], &data));
  TRY(napi_get_value_uint32(env, arguments[2], &mode));
  TRY(napi_get_value_int64(env, arguments[3], &uid));
  TRY(napi_get_value_int64(env, arguments[4], &gid));
  TRY(napi_get_value_int64(env, arguments[5], &seconds));
  TRY(napi_get_value_int64(env, arguments[6], &nanoseconds));
  struct timespec time = {.tv_sec = seconds, .tv_nsec = nanoseconds};
  struct timespec times[2] = {time, time};
  int is_owned;
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file == -1) return throw_system_error(env, errno, "open");
  const char *failed = fill(file, data, (uid_t)uid, (gid_t)gid, mode, times, &is_owned);
  int error = errno;
  close(file);
  if (failed != NULL) return throw_system_error(env, error, failed);
  TRY(napi_get_boolean(env, is_owned, &result));
  return result;
}
