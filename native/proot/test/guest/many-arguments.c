// Long argument lists arrive whole.
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { COUNT = 20000 };

int main(int argc, char **argv) {
  if (argc == COUNT) {
    for (int i = 1; i < argc; i++)
      CHECK(atoi(argv[i]) == i);
    return 0;
  }
  char **arguments = calloc(COUNT + 1, sizeof *arguments);
  char *text = malloc(COUNT * 8);
  CHECK(arguments != NULL && text != NULL);
  arguments[0] = argv[0];
  for (int i = 1; i < COUNT; i++) {
    arguments[i] = text + 8 * i;
    snprintf(arguments[i], 8, "%d", i);
  }
  execv("/proc/self/exe", arguments);
  CHECK(!"execv returned");
}
