// What the functions of the addon share.
#ifndef ANYPROC_NODE_API_H
#define ANYPROC_NODE_API_H

#include <node_api.h>

// Every Node-API call fails only when JavaScript threw or the environment is being torn down: the caller returns then.
#define TRY(call)                       \
  do {                                  \
    if ((call) != napi_ok) return NULL; \
  } while (0)

// An Error with `errno` and `syscall`, as node:fs makes them; NULL when even that fails.
napi_value system_error(napi_env env, int error, const char *call);

// Throws it, and returns NULL for the caller to return.
napi_value throw_system_error(napi_env env, int error, const char *call);

// The functions that JavaScript sees.
napi_value create_memory_file(napi_env env, napi_callback_info info);
napi_value close_descriptor(napi_env env, napi_callback_info info);
napi_value create_pipe(napi_env env, napi_callback_info info);
napi_value start_process(napi_env env, napi_callback_info info);

#endif
