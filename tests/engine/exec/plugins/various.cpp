// A plugin in C++ with a function for each thing that a plugin may do.
#include <covey/plugin.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

void reverse(covey_ctx* ctx, const void* data, size_t size, int codec, void*) {
  char text[64];
  if (size > sizeof text) return covey_bad_arguments(ctx, "reverse: takes at most 64 bytes");
  const char* bytes = static_cast<const char*>(data);
  for (size_t i = 0; i < size; ++i) text[i] = bytes[size - 1 - i];
  covey_result(ctx, codec, text, size);
}

void count(covey_ctx* ctx, const void*, size_t, int, void* state) {
  const int calls = ++*static_cast<std::atomic<int>*>(state);
  const char digit = static_cast<char>('0' + calls);
  covey_result(ctx, COVEY_JSON, &digit, 1);
}

void say_fail(covey_ctx* ctx, const void*, size_t, int, void*) {
  covey_result(ctx, COVEY_JSON, "1", 1);
  covey_fail(ctx, "out of luck");
}

void do_throw(covey_ctx*, const void*, size_t, int, void*) { throw std::runtime_error("thrown by a plugin"); }
void throw_int(covey_ctx*, const void*, size_t, int, void*) { throw 5; }
void say_nothing(covey_ctx*, const void*, size_t, int, void*) {}
void odd_codec(covey_ctx* ctx, const void*, size_t, int, void*) { covey_result(ctx, 77, "", 0); }
void until_cancelled(covey_ctx* ctx, const void*, size_t, int, void*) {
  while (covey_cancelled(ctx) == 0) {
  }
}
// Makes the file that ["its argument"] names, and then heeds nothing.
void deaf(covey_ctx*, const void* args, size_t size, int, void*) {
  if (size > 4) std::ofstream(std::string(static_cast<const char*>(args) + 2, size - 4));
  std::this_thread::sleep_for(std::chrono::hours(1));
}

// Returns the variable "table" as it is.
void read_table(covey_ctx* ctx, const void*, size_t, int, void*) {
  const void* data = nullptr;
  size_t size = 0;
  int codec = 0;
  if (covey_variable(ctx, "table", &data, &size, &codec) != 0) return covey_fail(ctx, "there is no table");
  covey_result(ctx, codec, data, size);
}

void free_counter(void* state) { delete static_cast<std::atomic<int>*>(state); }

int add(covey_registry* registry, const char* name, covey_run run) {
  const covey_function function = COVEY_FUNCTION(name, run);
  return covey_add(registry, &function);
}

int add_with_options(covey_registry* registry) {
  covey_function function = COVEY_FUNCTION("reverse", reverse);
  function.description = "bytes, the last one first";
  function.arguments = "bytes";
  function.codecs = COVEY_TAKES_BYTES | COVEY_TAKES_PICKLE5;
  function.flags = COVEY_INLINE;
  return covey_add(registry, &function);
}

int add_with_state(covey_registry* registry) {
  covey_function function = COVEY_FUNCTION("count", count);
  function.state = new std::atomic<int>(0);
  function.destroy = free_counter;
  return covey_add(registry, &function);
}

}  // namespace

COVEY_PLUGIN(registry) {
  if (const int error = add_with_options(registry)) return error;
  if (const int error = add_with_state(registry)) return error;
  if (const int error = add(registry, "say_fail", say_fail)) return error;
  if (const int error = add(registry, "deaf", deaf)) return error;
  if (const int error = add(registry, "do_throw", do_throw)) return error;
  if (const int error = add(registry, "throw_int", throw_int)) return error;
  if (const int error = add(registry, "say_nothing", say_nothing)) return error;
  if (const int error = add(registry, "odd_codec", odd_codec)) return error;
  if (const int error = add(registry, "read_table", read_table)) return error;
  return add(registry, "until_cancelled", until_cancelled);
}
