// closeDescriptor(descriptor: number): void
#include <unistd.h>

#include "node-api.h"

napi_value close_descriptor(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t descriptor;
  TRY(napi_get_cb_info(env, info, &count, &argument, NULL, NULL));
  if (napi_get_value_int32(env, argument, &descriptor) != napi_ok) {
    napi_throw_type_error(env, NULL, "descriptor is not a number");
    return NULL;
  }
  close(descriptor);
  return NULL;
}
