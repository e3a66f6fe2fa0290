// createHash(algorithm: string): External | undefined
// updateHash(hash: External, data: Buffer): Promise<void>
// updateHashSync(hash: External, data: Buffer): void
// finishHash(hash: External): Buffer
// Hashes in the thread pool, with the OpenSSL that Node.js brings along; node:crypto has that for the calling thread
// alone. One update must have ended before the next begins, and the data must stay as it is until then.
#include <errno.h>
#include <stdlib.h>

#include "node-api.h"

// openssl/evp.h, EVP_DigestInit(3): absent from a Node.js that keeps them to itself.
#define FROM_NODE extern __attribute__((weak))
typedef struct evp_md_st EVP_MD;
typedef struct evp_md_ctx_st EVP_MD_CTX;
FROM_NODE const EVP_MD *EVP_get_digestbyname(const char *name);
FROM_NODE EVP_MD_CTX *EVP_MD_CTX_new(void);
FROM_NODE void EVP_MD_CTX_free(EVP_MD_CTX *context);
FROM_NODE int EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, void *engine);
FROM_NODE int EVP_DigestUpdate(EVP_MD_CTX *context, const void *data, size_t size);
FROM_NODE int EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *digest, unsigned int *size);

enum { MOST_DIGEST_BYTES = 64, MOST_NAME_BYTES = 32 };

// An update on its way.
struct update {
  EVP_MD_CTX *context;
  struct bytes data;
  int is_done;
  napi_async_work work;
  napi_deferred deferred;
  // They keep hash and data from being collected.
  napi_ref hash_reference;
  napi_ref data_reference;
};

static int is_available(void) {
  return EVP_get_digestbyname && EVP_MD_CTX_new && EVP_MD_CTX_free && EVP_DigestInit_ex && EVP_DigestUpdate &&
         EVP_DigestFinal_ex;
}

static void free_hash(napi_env env, void *context, void *hint) {
  (void)env;
  (void)hint;
  EVP_MD_CTX_free(context);
}

napi_value create_hash(napi_env env, napi_callback_info info) {
  napi_value arguments[1], result;
  char name[MOST_NAME_BYTES];
  TRY(get_arguments(env, info, 1, arguments));
  TRY(napi_get_value_string_latin1(env, arguments[0], name, sizeof name, NULL));
  const EVP_MD *type = is_available() ? EVP_get_digestbyname(name) : NULL;
  EVP_MD_CTX *context = type == NULL ? NULL : EVP_MD_CTX_new();
  if (context == NULL) return NULL;
  if (EVP_DigestInit_ex(context, type, NULL) == 1 &&
      napi_create_external(env, context, free_hash, NULL, &result) == napi_ok) {
    return result;
  }
  EVP_MD_CTX_free(context);
  return NULL;
}

static void run_update(napi_env env, void *argument) {
  (void)env;
  struct update *update = argument;
  update->is_done = EVP_DigestUpdate(update->context, update->data.data, update->data.size) == 1;
}

static void free_update(napi_env env, struct update *update) {
  if (update->hash_reference) napi_delete_reference(env, update->hash_reference);
  if (update->data_reference) napi_delete_reference(env, update->data_reference);
  if (update->work) napi_delete_async_work(env, update->work);
  free(update);
}

static void end_update(napi_env env, napi_status status, void *argument) {
  struct update *update = argument;
  napi_value message, outcome;
  if (status == napi_ok && update->is_done) {
    if (napi_get_undefined(env, &outcome) == napi_ok) napi_resolve_deferred(env, update->deferred, outcome);
  } else if (napi_create_string_latin1(env, "the hash could not be computed", NAPI_AUTO_LENGTH, &message) == napi_ok &&
             napi_create_error(env, NULL, message, &outcome) == napi_ok) {
    napi_reject_deferred(env, update->deferred, outcome);
  }
  free_update(env, update);
}

static napi_status start_update(napi_env env, napi_value *arguments, struct update *update, napi_value *promise) {
  napi_value name;
  napi_status status = napi_create_reference(env, arguments[0], 1, &update->hash_reference);
  if (status == napi_ok) status = napi_create_reference(env, arguments[1], 1, &update->data_reference);
  if (status == napi_ok) status = napi_create_string_latin1(env, "updateHash", NAPI_AUTO_LENGTH, &name);
  if (status == napi_ok) {
    status = napi_create_async_work(env, NULL, name, run_update, end_update, update, &update->work);
  }
  if (status == napi_ok) status = napi_create_promise(env, &update->deferred, promise);
  if (status == napi_ok) status = napi_queue_async_work(env, update->work);
  return status;
}

napi_value update_hash(napi_env env, napi_callback_info info) {
  napi_value arguments[2], promise;
  void *context;
  struct bytes data;
  TRY(get_arguments(env, info, 2, arguments));
  TRY(napi_get_value_external(env, arguments[0], &context));
  TRY(get_bytes(env, arguments[1], &data));
  struct update *update = calloc(1, sizeof *update);
  if (update == NULL) return throw_system_error(env, ENOMEM, "updateHash");
  update->context = context;
  update->data = data;
  if (start_update(env, arguments, update, &promise) == napi_ok) return promise;
  free_update(env, update);
  return NULL;
}

napi_value update_hash_sync(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  void *context;
  struct bytes data;
  TRY(get_arguments(env, info, 2, arguments));
  TRY(napi_get_value_external(env, arguments[0], &context));
  TRY(get_bytes(env, arguments[1], &data));
  if (EVP_DigestUpdate(context, data.data, data.size) != 1) return throw_system_error(env, EINVAL, "updateHashSync");
  return NULL;
}

napi_value finish_hash(napi_env env, napi_callback_info info) {
  napi_value arguments[1], result;
  void *context;
  unsigned char digest[MOST_DIGEST_BYTES];
  unsigned int size = 0;
  TRY(get_arguments(env, info, 1, arguments));
  TRY(napi_get_value_external(env, arguments[0], &context));
  if (EVP_DigestFinal_ex(context, digest, &size) != 1) return throw_system_error(env, EINVAL, "finishHash");
  TRY(napi_create_buffer_copy(env, size, digest, NULL, &result));
  return result;
}
