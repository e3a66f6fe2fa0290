// createMemoryFile(payload: Uint8Array): Promise<{ descriptor: number, digest: string }>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "memory-file.h"
#include "node-api.h"

// Up to here it takes about a millisecond, less than fork(2) takes of a process as large as Node.js: a turn over
// another thread would cost more than it spares.
enum { SMALL = 1024 * 1024 };

struct creation {
  napi_async_work work;
  napi_deferred deferred;
  napi_ref payload; // keeps the bytes alive while the other thread reads them
  const uint8_t *data;
  size_t size;
  int error;
  struct memory_file file;
};

static void create_on_worker(napi_env env, void *data) {
  (void)env;
  struct creation *creation = data;
  creation->error = memory_file_create(creation->data, creation->size, &creation->file);
}

static napi_value describe(napi_env env, const struct memory_file *file) {
  napi_value result, descriptor, digest;
  TRY(napi_create_object(env, &result));
  TRY(napi_create_int32(env, file->descriptor, &descriptor));
  TRY(napi_create_string_latin1(env, file->digest, NAPI_AUTO_LENGTH, &digest));
  TRY(napi_set_named_property(env, result, "descriptor", descriptor));
  TRY(napi_set_named_property(env, result, "digest", digest));
  return result;
}

static bool settle(napi_env env, const struct creation *creation) {
  napi_value value;
  if (creation->error != 0) {
    value = system_error(env, -creation->error, creation->file.failed_call);
    return value != NULL && napi_reject_deferred(env, creation->deferred, value) == napi_ok;
  }
  value = describe(env, &creation->file);
  return value != NULL && napi_resolve_deferred(env, creation->deferred, value) == napi_ok;
}

// Tells JavaScript how it went. A descriptor that nobody is told of must not stay open.
static void finish(napi_env env, const struct creation *creation) {
  if (!settle(env, creation) && creation->error == 0) close(creation->file.descriptor);
}

static void created(napi_env env, napi_status status, void *data) {
  struct creation *creation = data;
  // Work that was cancelled has never run.
  if (status == napi_ok) finish(env, creation);
  napi_delete_reference(env, creation->payload);
  napi_delete_async_work(env, creation->work);
  free(creation);
}

static napi_value queue(napi_env env, napi_value payload, struct creation *creation) {
  napi_value name, promise;
  TRY(napi_create_reference(env, payload, 1, &creation->payload));
  TRY(napi_create_string_utf8(env, "anyproc-emrun", NAPI_AUTO_LENGTH, &name));
  TRY(napi_create_async_work(env, NULL, name, create_on_worker, created, creation, &creation->work));
  TRY(napi_create_promise(env, &creation->deferred, &promise));
  TRY(napi_queue_async_work(env, creation->work));
  return promise;
}

static napi_value create_later(napi_env env, napi_value payload, const uint8_t *data, size_t size) {
  struct creation *creation = calloc(1, sizeof *creation);
  if (creation == NULL) return throw_system_error(env, ENOMEM, "calloc");
  creation->data = data;
  creation->size = size;
  napi_value promise = queue(env, payload, creation);
  if (promise == NULL) free(creation);
  return promise;
}

static napi_value create_now(napi_env env, const uint8_t *data, size_t size) {
  struct creation creation = {.data = data, .size = size};
  napi_value promise;
  TRY(napi_create_promise(env, &creation.deferred, &promise));
  create_on_worker(env, &creation);
  finish(env, &creation);
  return promise;
}

napi_value create_memory_file(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value payload;
  napi_typedarray_type type;
  void *data;
  size_t size;
  TRY(napi_get_cb_info(env, info, &count, &payload, NULL, NULL));
  if (napi_get_typedarray_info(env, payload, &type, &size, &data, NULL, NULL) != napi_ok || type != napi_uint8_array) {
    napi_throw_type_error(env, NULL, "payload is not a Uint8Array");
    return NULL;
  }
  return size <= SMALL ? create_now(env, data, size) : create_later(env, payload, data, size);
}
