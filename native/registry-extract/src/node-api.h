// What the functions of the addon share.
#ifndef ANYPROC_NODE_API_H
#define ANYPROC_NODE_API_H

#include <limits.h>
#include <node_api.h>
#include <stddef.h>

// Every Node-API call fails only when JavaScript threw or the environment is being torn down: the caller returns then.
#define TRY(call)                       \
  do {                                  \
    if ((call) != napi_ok) return NULL; \
  } while (0)

// A function that Node.js brings along; NULL in one that does not have it, or keeps it to itself.
#define FROM_NODE extern __attribute__((weak))

// The bytes of a Buffer argument.
struct bytes {
  void *data;
  size_t size;
};

// Gives the arguments of a call, of which there must be `count`.
napi_status get_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments);

napi_status get_bytes(napi_env env, napi_value value, struct bytes *out);

// Copies a Buffer into a string that ends with NUL. One with a NUL in it is a TypeError, a longer one ENAMETOOLONG.
napi_status get_text(napi_env env, napi_value value, char *out, size_t size);

// Throws an Error with `code`, `errno` and `syscall`, as node:fs does, and returns NULL for the caller to return.
napi_value throw_system_error(napi_env env, int error, const char *call);

napi_value set_xattr(napi_env env, napi_callback_info info);
napi_value get_xattrs(napi_env env, napi_callback_info info);
napi_value make_node(napi_env env, napi_callback_info info);
napi_value set_modification_time(napi_env env, napi_callback_info info);
napi_value create_file(napi_env env, napi_callback_info info);
napi_value create_hash(napi_env env, napi_callback_info info);
napi_value update_hash(napi_env env, napi_callback_info info);
napi_value update_hash_sync(napi_env env, napi_callback_info info);
napi_value finish_hash(napi_env env, napi_callback_info info);
napi_value create_decompressor(napi_env env, napi_callback_info info);
napi_value decompress(napi_env env, napi_callback_info info);

#endif
