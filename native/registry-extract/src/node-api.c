#include "node-api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

napi_status get_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments) {
  size_t given = count;
  napi_status status = napi_get_cb_info(env, info, &given, arguments, NULL, NULL);
  if (status != napi_ok || given >= count) return status;
  napi_throw_type_error(env, NULL, "an argument is missing");
  return napi_invalid_arg;
}

napi_status get_bytes(napi_env env, napi_value value, struct bytes *out) {
  napi_status status = napi_get_buffer_info(env, value, &out->data, &out->size);
  if (status != napi_ok) napi_throw_type_error(env, NULL, "an argument is not a Buffer");
  return status;
}

napi_status get_text(napi_env env, napi_value value, char *out, size_t size) {
  struct bytes bytes;
  napi_status status = get_bytes(env, value, &bytes);
  if (status != napi_ok) return status;
  if (bytes.size >= size) {
    throw_system_error(env, ENAMETOOLONG, "copy");
    return napi_invalid_arg;
  }
  if (memchr(bytes.data, 0, bytes.size) != NULL) {
    napi_throw_type_error(env, NULL, "a name has a NUL in it");
    return napi_invalid_arg;
  }
  memcpy(out, bytes.data, bytes.size);
  out[bytes.size] = 0;
  return napi_ok;
}

static const char *error_code(int error) {
  switch (error) {
    case EPERM: return "EPERM";
    case ENOENT: return "ENOENT";
    case E2BIG: return "E2BIG";
    case EACCES: return "EACCES";
    case EFBIG: return "EFBIG";
    case EMFILE: return "EMFILE";
    case ENFILE: return "ENFILE";
    case EEXIST: return "EEXIST";
    case ENOTDIR: return "ENOTDIR";
    case EINVAL: return "EINVAL";
    case ENOSPC: return "ENOSPC";
    case EROFS: return "EROFS";
    case ERANGE: return "ERANGE";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    case ENOSYS: return "ENOSYS";
    case ELOOP: return "ELOOP";
    case ENODATA: return "ENODATA";
    case EOPNOTSUPP: return "EOPNOTSUPP";
    case EDQUOT: return "EDQUOT";
    default: return "EIO";
  }
}

static napi_status set_text(napi_env env, napi_value object, const char *name, const char *text) {
  napi_value value;
  napi_status status = napi_create_string_latin1(env, text, NAPI_AUTO_LENGTH, &value);
  return status == napi_ok ? napi_set_named_property(env, object, name, value) : status;
}

napi_value throw_system_error(napi_env env, int error, const char *call) {
  napi_value message, value, number;
  char text[256];
  snprintf(text, sizeof text, "%s: %s, %s", error_code(error), strerror(error), call);
  TRY(napi_create_string_latin1(env, text, NAPI_AUTO_LENGTH, &message));
  TRY(napi_create_error(env, NULL, message, &value));
  TRY(napi_create_int32(env, -error, &number));
  TRY(napi_set_named_property(env, value, "errno", number));
  TRY(set_text(env, value, "code", error_code(error)));
  TRY(set_text(env, value, "syscall", call));
  napi_throw(env, value);
  return NULL;
}
