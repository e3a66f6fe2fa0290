// From the command line to the configuration that every shim reads.
#ifndef ANYPROC_CONFIGURATION_H
#define ANYPROC_CONFIGURATION_H

#include "options.h"

struct configuration {
  bool is_nested; // the rest is not used then: the outer run's holds
  int root;   // O_PATH
  int config; // sealed blob
  int shared; // empty
  int shim_file; // O_PATH
  int descriptor_base;
  char shim[4096];
};

void configuration_build(const struct options *options, struct configuration *out);

#endif
