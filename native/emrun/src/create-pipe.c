// createPipe(): { read: number, write: number }
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "node-api.h"

static napi_value describe(napi_env env, const int ends[2]) {
  napi_value result, read_end, write_end;
  TRY(napi_create_object(env, &result));
  TRY(napi_create_int32(env, ends[0], &read_end));
  TRY(napi_create_int32(env, ends[1], &write_end));
  TRY(napi_set_named_property(env, result, "read", read_end));
  TRY(napi_set_named_property(env, result, "write", write_end));
  return result;
}

napi_value create_pipe(napi_env env, napi_callback_info info) {
  (void)info;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) == -1) return throw_system_error(env, errno, "pipe2");
  napi_value result = describe(env, ends);
  if (result == NULL) {
    close(ends[0]);
    close(ends[1]);
  }
  return result;
}
