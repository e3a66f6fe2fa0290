// startProcess(path: string, argv: string[], env: string[], cwd: string | undefined, descriptors: number[],
//              onExit: (code: number | null, signal: number | null) => void): number
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "node-api.h"
#include "process.h"
#include "strings.h"

enum { ARGUMENT_COUNT = 6, WAITER_STACK = 64 * 1024 };

struct waiter {
  pid_t pid;
  napi_threadsafe_function on_exit;
  // The JavaScript thread may go away, with on_exit, while the child runs: a worker_thread that is terminated.
  pthread_mutex_t mutex;
  bool is_abandoned;
};

static void free_waiter(struct waiter *waiter) {
  pthread_mutex_destroy(&waiter->mutex);
  free(waiter);
}

static void abandon(void *data) {
  struct waiter *waiter = data;
  pthread_mutex_lock(&waiter->mutex);
  waiter->is_abandoned = true;
  pthread_mutex_unlock(&waiter->mutex);
}

// Hands the waiter over to the JavaScript thread; false when there is none. That thread frees the waiter, but not before
// it has had the mutex.
static bool hand_over(struct waiter *waiter) {
  pthread_mutex_lock(&waiter->mutex);
  bool is_queued = !waiter->is_abandoned &&
                   napi_call_threadsafe_function(waiter->on_exit, waiter, napi_tsfn_nonblocking) == napi_ok;
  if (is_queued) napi_release_threadsafe_function(waiter->on_exit, napi_tsfn_release);
  pthread_mutex_unlock(&waiter->mutex);
  return is_queued;
}

// Leaves the child a zombie, so that its pid stays its own until the JavaScript thread knows that it has ended.
static void *wait_for_exit(void *data) {
  struct waiter *waiter = data;
  siginfo_t info;
  while (waitid(P_PID, (id_t)waiter->pid, &info, WEXITED | WNOWAIT) == -1 && errno == EINTR) continue;
  if (!hand_over(waiter)) {
    waitpid(waiter->pid, NULL, 0);
    free_waiter(waiter);
  }
  return NULL;
}

static void call_back(napi_env env, napi_value callback, bool is_known, int status) {
  napi_value undefined, arguments[2];
  if (napi_get_undefined(env, &undefined) != napi_ok) return;
  for (size_t i = 0; i < 2; i++) {
    if (napi_get_null(env, &arguments[i]) != napi_ok) return;
  }
  if (is_known && WIFEXITED(status)) napi_create_int32(env, WEXITSTATUS(status), &arguments[0]);
  if (is_known && WIFSIGNALED(status)) napi_create_int32(env, WTERMSIG(status), &arguments[1]);
  napi_call_function(env, undefined, callback, 2, arguments, NULL);
}

static void report_exit(napi_env env, napi_value callback, void *context, void *data) {
  (void)context;
  struct waiter *waiter = data;
  int status = 0;
  bool is_known = waitpid(waiter->pid, &status, 0) == waiter->pid;
  // Until the other thread has let go of it.
  pthread_mutex_lock(&waiter->mutex);
  pthread_mutex_unlock(&waiter->mutex);
  // Without an environment it is being torn down, and the hook has run.
  if (env != NULL) napi_remove_env_cleanup_hook(env, abandon, waiter);
  free_waiter(waiter);
  if (env != NULL) call_back(env, callback, is_known, status);
}

static int start_waiter(struct waiter *waiter) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, mask;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, WAITER_STACK);
  // A new thread has its maker's mask: signals are for the others.
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &mask);
  int error = pthread_create(&thread, &attributes, wait_for_exit, waiter);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}

static bool read_descriptors(napi_env env, napi_value array, struct process_options *options) {
  uint32_t count;
  if (napi_get_array_length(env, array, &count) != napi_ok) return false;
  options->descriptors = calloc((size_t)count + 1, sizeof *options->descriptors);
  if (options->descriptors == NULL) return false;
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    if (napi_get_element(env, array, i, &element) != napi_ok) return false;
    if (napi_get_value_int32(env, element, &options->descriptors[i]) != napi_ok) return false;
  }
  options->descriptor_count = count;
  return true;
}

static bool read_cwd(napi_env env, napi_value value, struct process_options *options) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return false;
  if (type == napi_undefined) return true;
  options->cwd = string_from(env, value);
  return options->cwd != NULL;
}

static bool read_options(napi_env env, const napi_value *arguments, struct process_options *options) {
  options->path = string_from(env, arguments[0]);
  options->argv = strings_from(env, arguments[1]);
  options->env = strings_from(env, arguments[2]);
  return options->path != NULL && options->argv != NULL && options->env != NULL &&
         read_cwd(env, arguments[3], options) && read_descriptors(env, arguments[4], options);
}

static void free_options(struct process_options *options) {
  free((char *)options->path);
  strings_free((char **)options->argv);
  strings_free((char **)options->env);
  free((char *)options->cwd);
  free(options->descriptors);
}

// Starts the program and the thread that waits for it.
static bool start(napi_env env, const struct process_options *options, struct waiter *waiter) {
  const char *call = NULL;
  waiter->pid = process_start(options, &call);
  if (waiter->pid < 0) {
    throw_system_error(env, -waiter->pid, call);
    return false;
  }
  int error = start_waiter(waiter);
  if (error == 0) return true;
  kill(waiter->pid, SIGKILL);
  waitpid(waiter->pid, NULL, 0);
  throw_system_error(env, error, "pthread_create");
  return false;
}

static bool watch(napi_env env, napi_value callback, struct waiter *waiter) {
  napi_value name;
  if (napi_create_string_utf8(env, "anyproc-emrun", NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
  if (napi_create_threadsafe_function(env, callback, NULL, name, 0, 1, NULL, NULL, NULL, report_exit,
                                      &waiter->on_exit) != napi_ok) {
    return false;
  }
  // Hooks run in the reverse order, so this one runs while on_exit is still there.
  if (napi_add_env_cleanup_hook(env, abandon, waiter) == napi_ok) return true;
  napi_release_threadsafe_function(waiter->on_exit, napi_tsfn_release);
  return false;
}

static napi_value start_and_watch(napi_env env, const struct process_options *options, napi_value callback) {
  struct waiter *waiter = calloc(1, sizeof *waiter);
  if (waiter == NULL) return throw_system_error(env, ENOMEM, "calloc");
  pthread_mutex_init(&waiter->mutex, NULL);
  if (!watch(env, callback, waiter)) {
    free_waiter(waiter);
    return NULL;
  }
  if (!start(env, options, waiter)) {
    napi_remove_env_cleanup_hook(env, abandon, waiter);
    napi_release_threadsafe_function(waiter->on_exit, napi_tsfn_release);
    free_waiter(waiter);
    return NULL;
  }
  napi_value pid;
  // The waiter is freed by report_exit(), on this thread, so it is still there.
  TRY(napi_create_int32(env, waiter->pid, &pid));
  return pid;
}

// An ignored SIGCHLD, inherited from whoever started this process, makes the kernel forget exit statuses: wait(2).
static void keep_exit_statuses(void) {
  struct sigaction action;
  if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
}

napi_value start_process(napi_env env, napi_callback_info info) {
  size_t count = ARGUMENT_COUNT;
  napi_value arguments[ARGUMENT_COUNT];
  TRY(napi_get_cb_info(env, info, &count, arguments, NULL, NULL));
  keep_exit_statuses();
  struct process_options options = {0};
  napi_value pid = NULL;
  if (read_options(env, arguments, &options)) pid = start_and_watch(env, &options, arguments[5]);
  else napi_throw_type_error(env, NULL, "startProcess: wrong arguments");
  free_options(&options);
  return pid;
}
