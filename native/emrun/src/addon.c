// The functions that JavaScript sees: createMemoryFile(payload) and createPipe().
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <node_api.h>

#include "digest.h"
#include "memory-file.h"

// Every Node-API call fails only when JavaScript threw or the environment is being torn down: the caller returns then.
#define TRY(call)                          \
  do {                                     \
    if ((call) != napi_ok) return NULL;    \
  } while (false)

// An Error as node:fs makes them, with `code` and `syscall`.
static napi_value system_error(napi_env env, int error, const char *call) {
  char text[160];
  napi_value message, name, code, syscall_name, result;
  snprintf(text, sizeof text, "%s: %s", call, strerror(error));
  TRY(napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message));
  TRY(napi_create_int32(env, error, &code));
  TRY(napi_create_string_utf8(env, call, NAPI_AUTO_LENGTH, &syscall_name));
  TRY(napi_create_error(env, NULL, message, &result));
  TRY(napi_create_string_utf8(env, "errno", NAPI_AUTO_LENGTH, &name));
  TRY(napi_set_property(env, result, name, code));
  TRY(napi_create_string_utf8(env, "syscall", NAPI_AUTO_LENGTH, &name));
  TRY(napi_set_property(env, result, name, syscall_name));
  return result;
}

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

static void created(napi_env env, napi_status status, void *data) {
  struct creation *creation = data;
  bool has_owner = status == napi_ok && settle(env, creation);
  // Work that was cancelled never ran, and has no descriptor; one that nobody was told of must not stay open.
  if (status == napi_ok && creation->error == 0 && !has_owner) close(creation->file.descriptor);
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

// createMemoryFile(payload: Uint8Array): Promise<{ descriptor: number, digest: string }>
static napi_value create_memory_file(napi_env env, napi_callback_info info) {
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
  struct creation *creation = calloc(1, sizeof *creation);
  if (creation == NULL) {
    napi_throw(env, system_error(env, ENOMEM, "calloc"));
    return NULL;
  }
  creation->data = data;
  creation->size = size;
  napi_value promise = queue(env, payload, creation);
  if (promise == NULL) free(creation);
  return promise;
}

// createPipe(): { read: number, write: number }
static napi_value create_pipe(napi_env env, napi_callback_info info) {
  (void)info;
  int ends[2];
  napi_value result, read_end, write_end;
  if (pipe2(ends, O_CLOEXEC) == -1) {
    napi_throw(env, system_error(env, errno, "pipe2"));
    return NULL;
  }
  TRY(napi_create_object(env, &result));
  TRY(napi_create_int32(env, ends[0], &read_end));
  TRY(napi_create_int32(env, ends[1], &write_end));
  TRY(napi_set_named_property(env, result, "read", read_end));
  TRY(napi_set_named_property(env, result, "write", write_end));
  return result;
}

NAPI_MODULE_INIT() {
  if (digest_load() != 0) {
    napi_throw_error(env, NULL, "this runtime does not export OpenSSL's SHA-256 to addons");
    return NULL;
  }
  napi_value function;
  TRY(napi_create_function(env, "createMemoryFile", NAPI_AUTO_LENGTH, create_memory_file, NULL, &function));
  TRY(napi_set_named_property(env, exports, "createMemoryFile", function));
  TRY(napi_create_function(env, "createPipe", NAPI_AUTO_LENGTH, create_pipe, NULL, &function));
  TRY(napi_set_named_property(env, exports, "createPipe", function));
  return exports;
}
