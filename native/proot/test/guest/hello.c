// The least program, in every form of executable.
#include <stdio.h>
#include <sys/stat.h>

int main(void) {
  struct stat status;
  return stat("/", &status) != 0 || puts("hello") < 0;
}
