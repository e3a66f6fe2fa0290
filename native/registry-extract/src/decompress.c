// createDecompressor(format: "gzip" | "zstd", mostWindowLog: number): External | undefined
// decompress(decompressor: External, input: Buffer, output: Buffer): Promise<{consumed, produced, isComplete}>
// Decompresses in the thread pool, with the decoders that Node.js brings along, from memory and into memory that is used
// again and again; the streams of node:zlib allocate every piece. One call must have ended before the next begins. When
// the output is full there may be more to come, also without input.
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "node-api.h"
#include "pool-work.h"

// zstd.h, "Streaming decompression"; Node.js has it since 22.15.
struct source {
  const void *data;
  size_t size, position;
};
struct target {
  void *data;
  size_t size, position;
};
typedef struct ZSTD_DCtx_s ZSTD_DStream;
enum { ZSTD_d_windowLogMax = 100 };
FROM_NODE ZSTD_DStream *ZSTD_createDStream(void);
FROM_NODE size_t ZSTD_freeDStream(ZSTD_DStream *stream);
FROM_NODE size_t ZSTD_DCtx_setParameter(ZSTD_DStream *stream, int parameter, int value);
FROM_NODE size_t ZSTD_decompressStream(ZSTD_DStream *stream, struct target *output, struct source *input);
FROM_NODE unsigned ZSTD_isError(size_t code);
FROM_NODE const char *ZSTD_getErrorName(size_t code);

// zlib.h.
typedef struct {
  const unsigned char *next_in;
  unsigned avail_in;
  unsigned long total_in;
  unsigned char *next_out;
  unsigned avail_out;
  unsigned long total_out;
  const char *msg;
  void *state, *zalloc, *zfree, *opaque;
  int data_type;
  unsigned long adler, reserved;
} z_stream;
enum { Z_NO_FLUSH = 0, Z_OK = 0, Z_STREAM_END = 1, Z_BUF_ERROR = -5, ONLY_GZIP = 16, MOST_WINDOW_BITS = 15 };
FROM_NODE int inflateInit2_(z_stream *stream, int window_bits, const char *version, int stream_size);
FROM_NODE int inflateReset(z_stream *stream);
FROM_NODE int inflate(z_stream *stream, int flush);
FROM_NODE int inflateEnd(z_stream *stream);

enum { MOST_FORMAT_BYTES = 8 };

struct decompressor {
  // Gives what is wrong with the data, or NULL.
  const char *(*run)(struct decompressor *self, struct source *input, struct target *output);
  ZSTD_DStream *zstd;
  z_stream gzip;
  // Nothing is missing: a frame or a member has ended.
  int is_complete;
  // What comes is no member.
  int is_padding;
};

static const char *run_zstd(struct decompressor *self, struct source *input, struct target *output) {
  // Between two frames it would begin the next one.
  while (output->position < output->size && (input->position < input->size || !self->is_complete)) {
    size_t position = output->position;
    size_t wanted = ZSTD_decompressStream(self->zstd, output, input);
    if (ZSTD_isError(wanted)) return ZSTD_getErrorName(wanted);
    self->is_complete = wanted == 0;
    if (input->position == input->size && output->position == position) break;
  }
  return NULL;
}

static const char *inflate_some(struct decompressor *self) {
  z_stream *stream = &self->gzip;
  while (stream->avail_out > 0) {
    if (self->is_complete) {
      if (stream->avail_in == 0) return NULL;
      // gzip(1): archives are filled up with zeros.
      self->is_padding = self->is_padding || *stream->next_in == 0;
      if (self->is_padding) {
        stream->avail_in = 0;
        return NULL;
      }
      inflateReset(stream);
      self->is_complete = 0;
    }
    int status = inflate(stream, Z_NO_FLUSH);
    self->is_complete = status == Z_STREAM_END;
    if (status == Z_BUF_ERROR) return NULL;
    if (status != Z_OK && status != Z_STREAM_END) return stream->msg ? stream->msg : "it cannot be decompressed";
  }
  return NULL;
}

static const char *run_gzip(struct decompressor *self, struct source *input, struct target *output) {
  z_stream *stream = &self->gzip;
  stream->next_in = input->data;
  stream->avail_in = (unsigned)input->size;
  stream->next_out = output->data;
  stream->avail_out = (unsigned)output->size;
  const char *failure = inflate_some(self);
  input->position = input->size - stream->avail_in;
  output->position = output->size - stream->avail_out;
  return failure;
}

static int start_gzip(struct decompressor *self) {
  self->run = run_gzip;
  if (!inflateInit2_ || !inflateReset || !inflate || !inflateEnd) return -1;
  return inflateInit2_(&self->gzip, ONLY_GZIP + MOST_WINDOW_BITS, "1", sizeof self->gzip) == Z_OK ? 0 : -1;
}

static int start_zstd(struct decompressor *self, int most_window_log) {
  self->run = run_zstd;
  if (!ZSTD_createDStream || !ZSTD_freeDStream || !ZSTD_DCtx_setParameter || !ZSTD_decompressStream || !ZSTD_isError ||
      !ZSTD_getErrorName) {
    return -1;
  }
  self->zstd = ZSTD_createDStream();
  if (self->zstd == NULL) return -1;
  return ZSTD_isError(ZSTD_DCtx_setParameter(self->zstd, ZSTD_d_windowLogMax, most_window_log)) ? -1 : 0;
}

static void free_decompressor(napi_env env, void *argument, void *hint) {
  (void)env;
  (void)hint;
  struct decompressor *self = argument;
  if (self->zstd != NULL) ZSTD_freeDStream(self->zstd);
  if (self->gzip.state != NULL) inflateEnd(&self->gzip);
  free(self);
}

napi_value create_decompressor(napi_env env, napi_callback_info info) {
  napi_value arguments[2], result;
  char format[MOST_FORMAT_BYTES];
  int32_t most_window_log;
  TRY(get_arguments(env, info, 2, arguments));
  TRY(napi_get_value_string_latin1(env, arguments[0], format, sizeof format, NULL));
  TRY(napi_get_value_int32(env, arguments[1], &most_window_log));
  struct decompressor *self = calloc(1, sizeof *self);
  if (self == NULL) return throw_system_error(env, ENOMEM, "createDecompressor");
  int status = strcmp(format, "gzip") == 0 ? start_gzip(self) : start_zstd(self, most_window_log);
  if (status == 0 && napi_create_external(env, self, free_decompressor, NULL, &result) == napi_ok) return result;
  free_decompressor(env, self, NULL);
  return NULL;
}

struct step {
  struct pool_work work;
  struct decompressor *decompressor;
  struct source input;
  struct target output;
};

static const char *run_step(struct pool_work *work) {
  struct step *step = (struct step *)work;
  return step->decompressor->run(step->decompressor, &step->input, &step->output);
}

static napi_value step_result(napi_env env, const struct pool_work *work) {
  const struct step *step = (const struct step *)work;
  napi_value result, consumed, produced, is_complete;
  TRY(napi_create_object(env, &result));
  TRY(napi_create_uint32(env, (uint32_t)step->input.position, &consumed));
  TRY(napi_create_uint32(env, (uint32_t)step->output.position, &produced));
  TRY(napi_get_boolean(env, step->decompressor->is_complete, &is_complete));
  TRY(napi_set_named_property(env, result, "consumed", consumed));
  TRY(napi_set_named_property(env, result, "produced", produced));
  TRY(napi_set_named_property(env, result, "isComplete", is_complete));
  return result;
}

napi_value decompress(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  void *decompressor;
  struct bytes input, output;
  TRY(get_arguments(env, info, 3, arguments));
  TRY(napi_get_value_external(env, arguments[0], &decompressor));
  TRY(get_bytes(env, arguments[1], &input));
  TRY(get_bytes(env, arguments[2], &output));
  struct step *step = calloc(1, sizeof *step);
  if (step == NULL) return throw_system_error(env, ENOMEM, "decompress");
  *step = (struct step){
    .work = {.run = run_step, .result = step_result},
    .decompressor = decompressor,
    .input = {.data = input.data, .size = input.size},
    .output = {.data = output.data, .size = output.size},
  };
  return start_pool_work(env, &step->work, 3, arguments);
}
