// The implementation is the OpenSSL that Node.js carries and re-exports to addons (Node.js, "C++ addons", Linking to
// libraries included with Node.js): well kept, and as fast as the processor allows. It is looked up at run time, so
// that a runtime built with another library gets a sentence instead of an addon that does not load.
#include "digest.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>

// The part of openssl/evp.h that is used; the types are opaque there too.
struct evp_md;
struct engine;

static struct {
  const struct evp_md *(*sha256)(void);
  struct digest *(*context_new)(void);
  void (*context_free)(struct digest *context);
  int (*init)(struct digest *context, const struct evp_md *type, struct engine *engine);
  int (*update)(struct digest *context, const void *data, size_t size);
  int (*final)(struct digest *context, unsigned char *out, unsigned int *size);
} evp;

static bool find(const char *name, void *function) {
  // POSIX, dlsym: a void * that holds a function's address; ISO C has no conversion between the two.
  *(void **)function = dlsym(RTLD_DEFAULT, name);
  return *(void **)function != NULL;
}

int digest_load(void) {
  bool found = find("EVP_sha256", &evp.sha256) && find("EVP_MD_CTX_new", &evp.context_new) &&
               find("EVP_MD_CTX_free", &evp.context_free) && find("EVP_DigestInit_ex", &evp.init) &&
               find("EVP_DigestUpdate", &evp.update) && find("EVP_DigestFinal_ex", &evp.final);
  return found ? 0 : -ENOSYS;
}

struct digest *digest_new(void) {
  struct digest *digest = evp.context_new();
  if (digest != NULL && evp.init(digest, evp.sha256(), NULL) == 1) return digest;
  digest_free(digest);
  return NULL;
}

int digest_update(struct digest *digest, const uint8_t *data, size_t size) {
  return evp.update(digest, data, size) == 1 ? 0 : -ENOMEM;
}

int digest_final(struct digest *digest, uint8_t out[DIGEST_SIZE]) {
  return evp.final(digest, out, NULL) == 1 ? 0 : -ENOMEM;
}

void digest_free(struct digest *digest) {
  evp.context_free(digest);
}
