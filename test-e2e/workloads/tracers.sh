# strace and gdb on a program with threads.
cat >threads.c <<'END'
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static void *run(void *argument) {
  long number = (long)argument;
  char text[32];
  int length = snprintf(text, sizeof text, "thread %ld\n", number), opened = open("/dev/null", O_WRONLY);
  return write(opened, text, (size_t)length) == length && access("/etc/passwd", R_OK) == 0 ? NULL : argument;
}
int main(void) {
  pthread_t thread[4];
  void *result;
  int failed = 0;
  for (long i = 0; i < 4; i++)
    pthread_create(&thread[i], NULL, run, (void *)(i + 1));
  for (int i = 0; i < 4; i++)
    failed += pthread_join(thread[i], &result) != 0 || result != NULL;
  return failed + 3;
}
END
gcc -g -pthread -o threads threads.c
strace -f -o trace -e trace=write,exit_group ./threads
echo $?
grep -o '"thread [0-9]\|exit_group(.*\|+++ exited.*' trace | sort
strace -f -o trace -e trace=execve sh -c 'ls threads; exit 5'
echo $?
grep -c 'exited with' trace
gdb -nx -q -batch -ex 'handle SIGSYS nostop noprint pass' -ex 'break 9' -ex 'set print thread-events off' -ex run \
  -ex 'printf "in thread with %d bytes\n", length' -ex delete -ex continue ./threads 2>&1 |
  grep -o 'in thread with .*\|Breakpoint 1 at .*\|Thread [0-9]* .*hit Breakpoint 1\|exited with code .*' |
  sed 's/0x[0-9a-f]*/ADDRESS/; s/Thread [0-9]*.*hit/Some thread hit/'
