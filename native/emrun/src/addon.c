// The addon's entry point.
#include "digest.h"
#include "node-api.h"

static const struct {
  const char *name;
  napi_callback function;
} functions[] = {
  {"createMemoryFile", create_memory_file},
  {"createPipe", create_pipe},
  {"startProcess", start_process},
};

NAPI_MODULE_INIT() {
  if (digest_load() != 0) {
    napi_throw_error(env, NULL, "this runtime does not export OpenSSL's SHA-256 to addons");
    return NULL;
  }
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    TRY(napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function));
    TRY(napi_set_named_property(env, exports, functions[i].name, function));
  }
  return exports;
}
