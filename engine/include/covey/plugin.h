/* Functions for Covey engines, from shared libraries, in C or in anything that speaks C.
 *
 *     #include <covey/plugin.h>
 *
 *     static void twice(covey_ctx* ctx, const void* data, size_t size, int codec, void* state) {
 *       ...                                               // read the arguments from data
 *       covey_result(ctx, COVEY_JSON, text, strlen(text));
 *     }
 *
 *     COVEY_PLUGIN(registry) {
 *       covey_function function = COVEY_FUNCTION("twice", twice);
 *       function.arguments = "x: number";
 *       return covey_add(registry, &function);
 *     }
 *
 *     gcc -O2 -shared -fPIC -I engine/include -o twice.so twice.c
 *     covey engine --plugin ./twice.so
 *
 * A plugin links nothing of Covey's: the engine hands it a table of function pointers, which the inline functions
 * below call. examples/pi/pi.c is a complete plugin.
 *
 * ARGUMENTS AND RESULTS have a codec and bytes. COVEY_JSON: a JSON array of positional arguments comes in, any JSON
 * value goes out; the bytes are UTF-8 text without a terminating zero. COVEY_BYTES: whatever client and function agree
 * on. COVEY_PICKLE5: Python's. A function is only called with codecs that it declares.
 *
 * LIFETIME. `data` is valid until run() returns, may have any alignment, must not be written to, and may be NULL where
 * `size` is 0. covey_result() and the other calls copy what they are given. covey_add() copies a covey_function and its
 * strings; `state` must stay valid until `destroy`, which is called once, after the last run and before the library is
 * unloaded, also where loading fails later on, but not where covey_add() refused the function. A covey_ctx is valid
 * until its run() returns, and a covey_registry until covey_plugin() returns. What covey_variable() shows is valid as long as the covey_ctx.
 *
 * THREADS. An engine with several slots calls the same run() on several threads at once; `state` is shared among them.
 * covey_plugin() and destroy() are called by one thread while nothing runs. COVEY_INLINE says that run() is done within
 * microseconds and never blocks: then the engine may call it on its event loop, where anything slower would hold up
 * everything else. Within one run, covey_cancelled() may be called on any thread, the other calls only on the thread
 * that run() is on, or with the plugin's own synchronisation.
 *
 * STOPPING. A run that takes longer than a few milliseconds should ask covey_cancelled() every now and then and return
 * when it says so; what it reports then does not matter. An engine whose run ignores that for too long gives its other
 * work back and exits.
 *
 * ERRORS. A run that ends without having called covey_result(), covey_fail() or covey_bad_arguments() has failed; of
 * several calls the last one counts. A C++ exception that leaves run() fails the task with its what(); one that leaves
 * covey_plugin() fails the loading. A crash takes the engine with it: its tasks then run again elsewhere.
 *
 * COMPATIBILITY. COVEY_PLUGIN_ABI changes when an old plugin could no longer work; an engine refuses another number.
 * Within one number, structs only grow at their ends: their first member is the size that the other side was compiled
 * with.
 */
#ifndef COVEY_PLUGIN_H
#define COVEY_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define COVEY_PLUGIN_ABI 1

#ifdef __cplusplus
#define COVEY_EXPORT extern "C" __attribute__((visibility("default")))
extern "C" {
#else
#define COVEY_EXPORT __attribute__((visibility("default")))
#endif

/* How the bytes of arguments and results are to be read. */
enum { COVEY_JSON = 1, COVEY_BYTES = 2, COVEY_PICKLE5 = 3 };

/* For covey_function.codecs: which it takes, joined with |. */
enum {
  COVEY_TAKES_JSON = 1 << COVEY_JSON,
  COVEY_TAKES_BYTES = 1 << COVEY_BYTES,
  COVEY_TAKES_PICKLE5 = 1 << COVEY_PICKLE5
};

/* For covey_function.flags. Unknown flags are refused. */
enum { COVEY_INLINE = 1 };

typedef struct covey_ctx covey_ctx;           /* one run */
typedef struct covey_registry covey_registry; /* where covey_plugin() adds its functions */

typedef void (*covey_run)(covey_ctx* ctx, const void* data, size_t size, int codec, void* state);

typedef struct covey_function {
  size_t struct_size;      /* sizeof(covey_function) */
  const char* name;        /* 1 to 128 of letters, digits, '_', '.', '-'; unique in the engine */
  const char* description; /* one sentence, or NULL */
  const char* arguments;   /* for people: "samples: number, seed: number", or NULL */
  uint32_t codecs;         /* COVEY_TAKES_…; 0 means COVEY_TAKES_JSON */
  uint32_t flags;          /* 0 or COVEY_INLINE */
  covey_run run;
  void* state;                  /* handed to run and destroy; or NULL */
  void (*destroy)(void* state); /* or NULL */
} covey_function;

/* The engine's side. Plugins use it through the functions below. */
typedef struct covey_api {
  size_t struct_size; /* the engine's sizeof(covey_api) */
  int (*add)(covey_registry* registry, const covey_function* function);
  void (*result)(covey_ctx* ctx, int codec, const void* data, size_t size);
  void (*fail)(covey_ctx* ctx, const char* message);
  void (*bad_arguments)(covey_ctx* ctx, const char* message);
  int (*cancelled)(const covey_ctx* ctx);
  /* Since Covey 0.1.0; an engine whose struct_size ends before it has no variables. */
  int (*variable)(covey_ctx* ctx, const char* name, const void** data, size_t* size, int* codec);
} covey_api;

/* Both begin with the engine's table; what follows is the engine's own. */
struct covey_ctx {
  const covey_api* api;
};
struct covey_registry {
  const covey_api* api;
};

/* Adds a function. 0: added. Otherwise return that number from covey_plugin(): the engine knows what was wrong and says
 * so. */
static inline int covey_add(covey_registry* registry, const covey_function* function) {
  return registry->api->add(registry, function);
}

/* The task succeeded with this value. */
static inline void covey_result(covey_ctx* ctx, int codec, const void* data, size_t size) {
  ctx->api->result(ctx, codec, data, size);
}

/* The task failed. `message` is UTF-8; 8 KiB of it are kept. */
static inline void covey_fail(covey_ctx* ctx, const char* message) { ctx->api->fail(ctx, message); }

/* The arguments are not what the function takes, and nothing was done. Say which one, what it must be and what it was.
 */
static inline void covey_bad_arguments(covey_ctx* ctx, const char* message) { ctx->api->bad_arguments(ctx, message); }

/* Not 0: stop soon, nobody wants the result any more. */
static inline int covey_cancelled(const covey_ctx* ctx) { return ctx->api->cancelled(ctx); }

/* Reads a variable that a client pushed to this engine (DirectView::push). 0: found, and `data`, `size` and `codec`, any of
 * which may be NULL, say where and what it is. The bytes are shared, not copied: they must not be written to, and are valid
 * until run() returns, even if the variable changes meanwhile. Otherwise there is no such variable. */
static inline int covey_variable(covey_ctx* ctx, const char* name, const void** data, size_t* size, int* codec) {
  if (ctx->api->struct_size < offsetof(covey_api, variable) + sizeof ctx->api->variable) return 1;
  return ctx->api->variable(ctx, name, data, size, codec);
}

#ifdef __cplusplus
}
#endif

/* A covey_function that takes JSON and has no state, to be changed as needed. An initialiser, in C and C++. */
#define COVEY_FUNCTION(name, run) {sizeof(covey_function), (name), NULL, NULL, COVEY_TAKES_JSON, 0, (run), NULL, NULL}

/* What a library exports: covey_plugin_abi(), written here, and covey_plugin(), whose body follows. It adds the
 * functions and returns 0; anything else means that loading failed, and then none of them is added. */
#define COVEY_PLUGIN(registry)                                              \
  COVEY_EXPORT uint32_t covey_plugin_abi(void);                             \
  COVEY_EXPORT uint32_t covey_plugin_abi(void) { return COVEY_PLUGIN_ABI; } \
  COVEY_EXPORT int covey_plugin(covey_registry* registry);                  \
  COVEY_EXPORT int covey_plugin(covey_registry* registry)

#endif
