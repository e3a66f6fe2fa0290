#include "strings.h"

#include <stdint.h>
#include <stdlib.h>

char *string_from(napi_env env, napi_value value) {
  size_t size;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &size) != napi_ok) return NULL;
  char *string = malloc(size + 1);
  if (string != NULL) napi_get_value_string_utf8(env, value, string, size + 1, &size);
  return string;
}

char **strings_from(napi_env env, napi_value array) {
  uint32_t count;
  if (napi_get_array_length(env, array, &count) != napi_ok) return NULL;
  char **strings = calloc((size_t)count + 1, sizeof *strings);
  for (uint32_t i = 0; strings != NULL && i < count; i++) {
    napi_value element;
    if (napi_get_element(env, array, i, &element) == napi_ok) strings[i] = string_from(env, element);
    if (strings[i] == NULL) {
      strings_free(strings);
      return NULL;
    }
  }
  return strings;
}

void strings_free(char **strings) {
  if (strings == NULL) return;
  for (char **string = strings; *string != NULL; string++) free(*string);
  free(strings);
}
