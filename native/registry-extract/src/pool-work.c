#include "pool-work.h"

#include <stdlib.h>

static void run(napi_env env, void *argument) {
  (void)env;
  struct pool_work *work = argument;
  work->failure = work->run(work);
}

static void free_work(napi_env env, struct pool_work *work) {
  for (size_t i = 0; i < MOST_POOL_ARGUMENTS; i++) {
    if (work->references[i] != NULL) napi_delete_reference(env, work->references[i]);
  }
  if (work->handle != NULL) napi_delete_async_work(env, work->handle);
  free(work);
}

static void end(napi_env env, napi_status status, void *argument) {
  struct pool_work *work = argument;
  const char *failure = status == napi_ok ? work->failure : "it was not done";
  napi_value code, message, outcome;
  if (failure == NULL) {
    outcome = work->result(env, work);
    if (outcome != NULL) napi_resolve_deferred(env, work->deferred, outcome);
  } else if (napi_create_string_latin1(env, failure, NAPI_AUTO_LENGTH, &message) == napi_ok &&
             napi_create_string_latin1(env, "ERR_OPERATION_FAILED", NAPI_AUTO_LENGTH, &code) == napi_ok &&
             napi_create_error(env, code, message, &outcome) == napi_ok) {
    napi_reject_deferred(env, work->deferred, outcome);
  }
  free_work(env, work);
}

static napi_status start(napi_env env, struct pool_work *work, size_t count, const napi_value *arguments,
                         napi_value *promise) {
  napi_value name;
  napi_status status = napi_create_string_latin1(env, "anyproc-files", NAPI_AUTO_LENGTH, &name);
  for (size_t i = 0; i < count && status == napi_ok; i++) {
    status = napi_create_reference(env, arguments[i], 1, &work->references[i]);
  }
  if (status == napi_ok) status = napi_create_async_work(env, NULL, name, run, end, work, &work->handle);
  if (status == napi_ok) status = napi_create_promise(env, &work->deferred, promise);
  if (status == napi_ok) status = napi_queue_async_work(env, work->handle);
  return status;
}

napi_value start_pool_work(napi_env env, struct pool_work *work, size_t count, const napi_value *arguments) {
  napi_value promise;
  if (start(env, work, count, arguments, &promise) == napi_ok) return promise;
  free_work(env, work);
  return NULL;
}
