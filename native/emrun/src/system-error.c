#include <stdio.h>
#include <string.h>

#include "node-api.h"

napi_value system_error(napi_env env, int error, const char *call) {
  char text[160];
  napi_value message, number, name, result;
  snprintf(text, sizeof text, "%s: %s", call, strerror(error));
  TRY(napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message));
  TRY(napi_create_error(env, NULL, message, &result));
  // Negative, as on the errors of node:fs.
  TRY(napi_create_int32(env, -error, &number));
  TRY(napi_set_named_property(env, result, "errno", number));
  TRY(napi_create_string_utf8(env, call, NAPI_AUTO_LENGTH, &name));
  TRY(napi_set_named_property(env, result, "syscall", name));
  return result;
}

napi_value throw_system_error(napi_env env, int error, const char *call) {
  napi_value value = system_error(env, error, call);
  if (value != NULL) napi_throw(env, value);
  return NULL;
}
