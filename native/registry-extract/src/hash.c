// createHash(algorithm: string): External | undefined
// updateHash(hash: External, data: Buffer): Promise<void>
// updateHashSync(hash: External, data: Buffer): void
// finishHash(hash: External): Buffer
// Hashes in the thread pool, with the OpenSSL that Node.js brings along; node:crypto has that for the calling thread
// alone. One update must have ended before the next begins, and the data must stay as it is until then.
#include <errno.h>
#include <stdlib.h>

#include "node-api.h"
#include "pool-work.h"

// openssl/evp.h, EVP_DigestInit(3).
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
  struct pool_work work;
  EVP_MD_CTX *context;
  struct bytes data;
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

static const char *run_update(struct pool_work *work) {
  struct update *update = (struct update *)work;
  int is_done = EVP_DigestUpdate(update->context, update->data.data, update->data.size) == 1;
  return is_done ? NULL : "the hash could not be computed";
}

static napi_value no_result(napi_env env, const struct pool_work *work) {
  (void)work;
  napi_value undefined;
  TRY(napi_get_undefined(env, &undefined));
  return undefined;
}

napi_value update_hash(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  void *context;
  struct bytes data;
  TRY(get_arguments(env, info, 2, arguments));
  TRY(napi_get_value_external(env, arguments[0], &context));
  TRY(get_bytes(env, arguments[1], &data));
  struct update *update = calloc(1, sizeof *update);
  if (update == NULL) return throw_system_error(env, ENOMEM, "updateHash");
  *update = (struct update){.work = {.run = run_update, .result = no_result}, .context = context, .data = data};
  return start_pool_work(env, &update->work, 2, arguments);
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
