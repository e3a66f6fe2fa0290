// The addon's entry point.
#include "digest.h"
#include "node-api.h"

static const struct {
  const char *name;
  napi_callback function;
} functions[] = {
  {"closeDescriptor", close_descriptor},
  {"createMemoryFile", create_memory_file},
  {"createPipe", create_pipe},
  {"startProcess", start_process},
};

// Defined by NAPI_MODULE_INIT(), which does not declare it.
NAPI_MODULE_EXPORT int32_t NODE_API_MODULE_GET_API_VERSION(void);

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
