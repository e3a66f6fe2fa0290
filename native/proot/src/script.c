#include "script.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static bool ends_word(char c) {
  return is_blank(c) || c == '\0';
}

// The rules are those of the kernel's fs/binfmt_script.c: blanks around both parts go, everything after the
// interpreter is one argument, and a line longer than the buffer is accepted only if the interpreter's name is whole.
long script_read(const char *head, size_t size, struct script *out) {
  if (size < 2 || head[0] != '#' || head[1] != '!')
    return 0;
  if (size > SCRIPT_HEAD)
    size = SCRIPT_HEAD;
  memcpy(out->line, head, size);
  memset(out->line + size, 0, sizeof out->line - size);
  char *start = out->line + 2, *limit = out->line + SCRIPT_HEAD, *end = start;
  while (end < limit && *end != '\n')
    end++;
  while (start < end && is_blank(*start))
    start++;
  if (end == limit) {
    char *word = start;
    while (word < limit && !ends_word(*word))
      word++;
    if (word == limit)
      return -ENOEXEC;
  }
  while (end > start && is_blank(end[-1]))
    end--;
  *end = '\0';
  if (start == end || *start == '\0')
    return -ENOEXEC;
  out->interpreter = start;
  out->argument = NULL;
  char *word_end = start;
  while (!ends_word(*word_end))
    word_end++;
  if (*word_end == '\0')
    return 1;
  char *argument = word_end;
  while (argument < end && is_blank(*argument))
    argument++;
  *word_end = '\0';
  if (argument < end && *argument != '\0')
    out->argument = argument;
  return 1;
}
