// Work in the thread pool, behind a promise.
#ifndef ANYPROC_POOL_WORK_H
#define ANYPROC_POOL_WORK_H

#include "node-api.h"

enum { MOST_POOL_ARGUMENTS = 3 };

// What every kind of work begins with.
struct pool_work {
  // Runs in another thread. Gives what failed, or NULL.
  const char *(*run)(struct pool_work *work);
  // Makes what the promise is resolved with.
  napi_value (*result)(napi_env env, const struct pool_work *work);
  const char *failure;
  napi_async_work handle;
  napi_deferred deferred;
  // They keep the arguments from being collected.
  napi_ref references[MOST_POOL_ARGUMENTS];
};

// Starts work that was allocated with calloc(3), and frees it in the end. The arguments live until then. Gives the promise.
napi_value start_pool_work(napi_env env, struct pool_work *work, size_t count, const napi_value *arguments);

#endif
