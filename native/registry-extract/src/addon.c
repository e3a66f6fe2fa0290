// The addon's entry point: what node:fs, node:crypto and node:zlib lack. No path is followed in its last component.
#include "node-api.h"

static const struct {
  const char *name;
  napi_callback function;
} functions[] = {
  {"setXattr", set_xattr},
  {"getXattrs", get_xattrs},
  {"makeNode", make_node},
  {"setModificationTime", set_modification_time},
  {"createFile", create_file},
  {"createHash", create_hash},
  {"updateHash", update_hash},
  {"updateHashSync", update_hash_sync},
  {"finishHash", finish_hash},
  {"createDecompressor", create_decompressor},
  {"decompress", decompress},
};

// Defined by NAPI_MODULE_INIT(), which does not declare it.
NAPI_MODULE_EXPORT int32_t NODE_API_MODULE_GET_API_VERSION(void);

NAPI_MODULE_INIT() {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    TRY(napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function));
    TRY(napi_set_named_property(env, exports, functions[i].name, function));
  }
  return exports;
}
