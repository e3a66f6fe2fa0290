# Programs with sanitizers: fine ones with threads, forks and paths, and the faults that sanitizers are for.
cat >fine.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
static void *run(void *argument) {
  for (int i = 0; i < 50; i++) {
    struct stat status;
    char *path = realpath("/usr/lib/../bin/env", NULL);
    FILE *file = fopen("/etc/passwd", "r");
    int ended;
    if (path == NULL || file == NULL || stat(path, &status) != 0)
      abort();
    free(path);
    fclose(file);
    if (i % 10 == 0) {
      pid_t child = fork();
      if (child == 0)
        _exit(stat("/", &status) == 0 ? 4 : 5);
      if (waitpid(child, &ended, 0) != child || WEXITSTATUS(ended) != 4)
        abort();
    }
  }
  return argument;
}
int main(void) {
  pthread_t thread[4];
  for (int i = 0; i < 4; i++)
    pthread_create(&thread[i], NULL, run, NULL);
  for (int i = 0; i < 4; i++)
    pthread_join(thread[i], NULL);
  return system("exit 6") == 6 << 8 ? 0 : 1;
}
END
cat >freed.c <<'END'
#include <stdlib.h>
int main(int count, char **argument) {
  char *memory = malloc(10);
  (void)argument;
  free(memory);
  return memory[count];
}
END
cat >race.c <<'END'
#include <pthread.h>
static int shared;
static void *run(void *argument) {
  shared++;
  return argument;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  shared++;
  pthread_join(thread, NULL);
  return 0;
}
END
for sanitizer in address thread undefined leak; do
  gcc -g -fsanitize=$sanitizer -pthread -o fine-$sanitizer fine.c && ./fine-$sanitizer
  echo $sanitizer $?
done
gcc -g -fsanitize=address -o freed freed.c && ./freed 2>&1 | grep -o 'SUMMARY.*'
gcc -g -fsanitize=thread -o race race.c -pthread && ./race 2>&1 | grep -o 'SUMMARY: ThreadSanitizer: data race'
