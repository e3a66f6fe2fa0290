#include "parts.h"

struct parts parts_of(const char *path, size_t length) {
  struct parts parts = {.path = path, .length = length, .end = length};
  while (parts.end > 0 && path[parts.end - 1] == '/')
    parts.end--;
  parts.last = parts.end;
  while (parts.last > 0 && path[parts.last - 1] != '/')
    parts.last--;
  parts.directory = parts.last;
  while (parts.directory > 0 && path[parts.directory - 1] == '/')
    parts.directory--;
  return parts;
}

bool is_dot(const char *name, size_t length) {
  return length == 1 && name[0] == '.';
}

bool is_dot_dot(const char *name, size_t length) {
  return length == 2 && name[0] == '.' && name[1] == '.';
}

bool parts_end_in_slash(const struct parts *parts) {
  return parts->end < parts->length;
}

bool parts_follow_last(const struct parts *parts, enum path_follow follow) {
  return follow == PATH_FOLLOW || follow == PATH_FOLLOW_ONE ||
         (follow == PATH_CREATE && !parts_end_in_slash(parts));
}

bool parts_end_in_dots(const struct parts *parts) {
  const char *name = parts->path + parts->last;
  size_t length = parts->end - parts->last;
  return is_dot(name, length) || is_dot_dot(name, length);
}

size_t plain_length(const char *path, size_t length) {
  for (size_t start = 0; start < length;) {
    size_t end = start;
    while (end < length && path[end] != '/')
      end++;
    if (is_dot(path + start, end - start) || is_dot_dot(path + start, end - start))
      return start;
    start = end + 1;
  }
  return length;
}
