// Short texts for the kernel: descriptor paths and numbers.
#ifndef ANYPROC_TEXT_H
#define ANYPROC_TEXT_H

#include <stddef.h>

struct text {
  size_t length;
  char bytes[64];
};

void text_add(struct text *text, const char *more);
void text_add_number(struct text *text, long number);
void text_add_descriptor(struct text *text, int descriptor); // its path in /proc
// The text with its NUL.
const char *text_end(struct text *text);

// Reads a decimal number, negative too, and moves `at` behind it and one space.
long text_read_number(const char **at);

#endif
