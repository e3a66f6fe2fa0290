#include "text.h"

void text_add(struct text *text, const char *more) {
  while (*more != '\0' && text->length < sizeof text->bytes - 1)
    text->bytes[text->length++] = *more++;
}

void text_add_number(struct text *text, long number) {
  char digits[24];
  char *at = digits + sizeof digits - 1;
  unsigned long value = number < 0 ? 0 - (unsigned long)number : (unsigned long)number;
  *at = '\0';
  do
    *--at = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  if (number < 0)
    *--at = '-';
  text_add(text, at);
}

void text_add_descriptor(struct text *text, int descriptor) {
  text_add(text, "/proc/self/fd/");
  text_add_number(text, descriptor);
}

const char *text_end(struct text *text) {
  text->bytes[text->length] = '\0';
  return text->bytes;
}

long text_read_number(const char **at) {
  const char *c = *at;
  int negative = *c == '-';
  long value = 0;
  if (negative)
    c++;
  while (*c >= '0' && *c <= '9')
    value = value * 10 + (*c++ - '0');
  *at = *c == ' ' ? c + 1 : c;
  return negative ? -value : value;
}
