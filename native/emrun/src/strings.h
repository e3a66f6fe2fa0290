// Text and lists of text from JavaScript.
#ifndef ANYPROC_STRINGS_H
#define ANYPROC_STRINGS_H

#include <node_api.h>

// UTF-8 in memory of its own, or NULL when the value is no string or memory is short.
char *string_from(napi_env env, napi_value value);

// A list that ends with NULL, as execve(2) takes it, or NULL.
char **strings_from(napi_env env, napi_value array);

void strings_free(char **strings);

#endif
