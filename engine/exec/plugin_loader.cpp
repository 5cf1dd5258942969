#include "engine/exec/plugin_loader.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "engine/include/covey/plugin.h"

namespace covey::engine {

namespace {

constexpr std::size_t kLongestName = 128;
// covey_function as ABI 1 began; members that are added later must not be asked of older plugins.
constexpr std::size_t kFirstFunctionBytes = offsetof(covey_function, destroy) + sizeof(covey_function::destroy);

// A loaded library; shared by its functions, so that it goes after the last of them.
class Library {
 public:
  explicit Library(const std::string& path) : handle_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw std::runtime_error(fmt::format("plugin {}: cannot load it: {}", path, ::dlerror()));
  }
  ~Library() { ::dlclose(handle_); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  template <class Signature>
  Signature* symbol(const char* name) const {
    return reinterpret_cast<Signature*>(::dlsym(handle_, name));
  }

 private:
  void* handle_;
};

// ---- one run ----

struct Run : covey_ctx {
  CallContext* context;
  const Variables* variables;
  Outcome outcome;
  std::vector<wire::Payload> read;  // variables, whose bytes the function may use until it returns
};

Run& run_of(covey_ctx* ctx) { return *static_cast<Run*>(ctx); }

std::string message_of(const char* message) {
  if (message == nullptr) return "(no message)";
  return std::string(message, ::strnlen(message, kLongestPluginError));
}

bool is_codec(int codec) { return codec == COVEY_JSON || codec == COVEY_BYTES || codec == COVEY_PICKLE5; }

void on_result(covey_ctx* ctx, int codec, const void* data, std::size_t size) {
  auto& outcome = run_of(ctx).outcome;
  if (!is_codec(codec)) {
    outcome =
        failure(wire::TaskStatus::failed, fmt::format("the plugin returned a result of an unknown codec, {}", codec));
  } else if (size > kMostPluginResultBytes) {
    outcome = failure(wire::TaskStatus::payload_too_large,
                      fmt::format("the plugin returned {} bytes; at most {} are taken", size, kMostPluginResultBytes));
  } else {
    const std::string_view bytes(static_cast<const char*>(data), size);
    outcome = {.value = {static_cast<wire::Codec>(codec), wire::Buffer::copy_of(bytes)}};
  }
}

void on_fail(covey_ctx* ctx, const char* message) {
  run_of(ctx).outcome = failure(wire::TaskStatus::failed, message_of(message));
}

void on_bad_arguments(covey_ctx* ctx, const char* message) {
  run_of(ctx).outcome = failure(wire::TaskStatus::bad_arguments, message_of(message));
}

// Never lets an exception out: its caller may be C.
int on_variable(covey_ctx* ctx, const char* name, const void** data, std::size_t* size, int* codec) {
  Run& run = run_of(ctx);
  if (run.variables == nullptr || name == nullptr) return 1;
  try {
    auto value = run.variables->get(name);
    if (!value) return 1;
    run.read.push_back(std::move(*value));
  } catch (...) {
    return 2;  // out of memory
  }
  const wire::Payload& value = run.read.back();
  if (data != nullptr) *data = value.buffer.data();
  if (size != nullptr) *size = value.buffer.size();
  if (codec != nullptr) *codec = static_cast<int>(value.codec);
  return 0;
}

int on_cancelled(const covey_ctx* ctx) { return static_cast<const Run*>(ctx)->context->cancelled() ? 1 : 0; }

// ---- functions ----

class PluginFunction : public Function {
 public:
  PluginFunction(std::shared_ptr<Library> library, const Variables* variables, FunctionInfo info, const covey_function& function)
      : library_(std::move(library)),
        variables_(variables),
        info_(std::move(info)),
        run_(function.run),
        state_(function.state),
        destroy_(function.destroy) {}
  ~PluginFunction() override {
    if (destroy_ != nullptr) destroy_(state_);
  }
  const FunctionInfo& info() const override { return info_; }
  // What a C++ plugin throws passes through to run_guarded(), which makes it a failure.
  Outcome run(CallContext& context, const wire::Payload& args) const override;

 private:
  std::shared_ptr<Library> library_;  // destroyed after the body of the destructor, which still calls into it
  const Variables* variables_;
  FunctionInfo info_;
  covey_run run_;
  void* state_;
  void (*destroy_)(void*);
};

// ---- registration ----

struct Registry : covey_registry {
  const FunctionTable* table;
  std::shared_ptr<Library> library;
  const Variables* variables;
  std::vector<std::unique_ptr<PluginFunction>> added;
  std::string error;  // the first
};

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  };
  return !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), allowed);
}

std::vector<wire::Codec> codecs_of(std::uint32_t mask) {
  if (mask == 0) mask = COVEY_TAKES_JSON;
  std::vector<wire::Codec> codecs;
  for (const auto codec : {wire::Codec::json, wire::Codec::bytes, wire::Codec::pickle5}) {
    if ((mask & (1U << static_cast<unsigned>(codec))) != 0) codecs.push_back(codec);
  }
  return codecs;
}

// What the plugin filled in, with zeros for members that its plugin.h did not have yet.
covey_function known_part(const covey_function& function) {
  covey_function known{};
  std::memcpy(&known, &function, std::min(function.struct_size, sizeof known));
  return known;
}

// Empty: nothing is wrong with it.
std::string fault_in(const Registry& registry, const covey_function& function) {
  const std::string name =
      function.name == nullptr ? "" : std::string(function.name, ::strnlen(function.name, kLongestName + 1));
  if (!is_name(name)) {
    return fmt::format("the function name '{}' must be 1 to {} of letters, digits, '_', '.', '-'", name, kLongestName);
  }
  if (function.run == nullptr) return fmt::format("the function '{}' has no run", name);
  constexpr std::uint32_t kAllCodecs = COVEY_TAKES_JSON | COVEY_TAKES_BYTES | COVEY_TAKES_PICKLE5;
  if ((function.codecs & ~kAllCodecs) != 0) return fmt::format("the function '{}' has unknown codecs", name);
  if ((function.flags & ~std::uint32_t{COVEY_INLINE}) != 0)
    return fmt::format("the function '{}' has unknown flags", name);
  const auto same = [&](const auto& one) { return one->info().name == name; };
  const bool taken = std::any_of(registry.added.begin(), registry.added.end(), same);
  if (taken || registry.table->find(name) != nullptr)
    return fmt::format("the engine already has a function '{}'", name);
  if (registry.added.size() == kMostPluginFunctions) return fmt::format("more than {} functions", kMostPluginFunctions);
  return {};
}

std::string text_of(const char* text) { return text == nullptr ? std::string() : std::string(text); }

// Never lets an exception out: its caller may be C.
int on_add(covey_registry* handle, const covey_function* function) {
  auto& registry = *static_cast<Registry*>(handle);
  try {
    if (function == nullptr || function->struct_size < kFirstFunctionBytes) {
      registry.error = "covey_add() needs a covey_function whose struct_size is its size";
      return 1;
    }
    const covey_function known = known_part(*function);
    auto fault = fault_in(registry, known);
    if (!fault.empty()) {
      if (registry.error.empty()) registry.error = std::move(fault);
      return 1;
    }
    FunctionInfo info{known.name, text_of(known.description), text_of(known.arguments), codecs_of(known.codecs),
                      (known.flags & COVEY_INLINE) != 0};
    registry.added.push_back(std::make_unique<PluginFunction>(registry.library, registry.variables, std::move(info), known));
    return 0;
  } catch (...) {
    registry.error = "out of memory";  // short enough to need none
    return 2;
  }
}

constexpr covey_api kApi{sizeof(covey_api), on_add, on_result, on_fail, on_bad_arguments, on_cancelled, on_variable};

Outcome PluginFunction::run(CallContext& context, const wire::Payload& args) const {
  Run run{{&kApi}, &context, variables_, failure(wire::TaskStatus::failed, "the plugin returned without a result or an error"), {}};
  run_(&run, args.buffer.data(), args.buffer.size(), static_cast<int>(args.codec), state_);
  return std::move(run.outcome);
}

void check_abi(const Library& library, const std::string& path) {
  auto* const abi = library.symbol<std::uint32_t()>("covey_plugin_abi");
  if (abi == nullptr || library.symbol<void()>("covey_plugin") == nullptr) {
    throw std::runtime_error(
        fmt::format("plugin {}: it exports no {}: is it a Covey plugin, written with COVEY_PLUGIN()?", path,
                    abi == nullptr ? "covey_plugin_abi" : "covey_plugin"));
  }
  if (const auto version = abi(); version != COVEY_PLUGIN_ABI) {
    throw std::runtime_error(
        fmt::format("plugin {}: it was built for plugin ABI {}, this engine has {}: build it again with this engine's "
                    "covey/plugin.h",
                    path, version, COVEY_PLUGIN_ABI));
  }
}

void register_functions(Registry& registry, const std::string& path) {
  int result = 0;
  try {
    result = registry.library->symbol<int(covey_registry*)>("covey_plugin")(&registry);
  } catch (const std::exception& error) {
    throw std::runtime_error(fmt::format("plugin {}: covey_plugin() threw: {}", path, error.what()));
  } catch (...) {
    throw std::runtime_error(fmt::format("plugin {}: covey_plugin() threw", path));
  }
  if (!registry.error.empty()) throw std::runtime_error(fmt::format("plugin {}: {}", path, registry.error));
  if (result != 0) throw std::runtime_error(fmt::format("plugin {}: covey_plugin() returned {}", path, result));
  if (registry.added.empty()) throw std::runtime_error(fmt::format("plugin {}: it adds no functions", path));
}

}  // namespace

void load_plugin(FunctionTable& table, const std::string& path, const Variables* variables) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    throw std::runtime_error(fmt::format("plugin {}: there is no such file", path));
  // Absolute, because dlopen looks for a bare name everywhere but here.
  const auto library = std::make_shared<Library>(std::filesystem::absolute(path).string());
  check_abi(*library, path);
  Registry registry{{&kApi}, &table, library, variables, {}, {}};
  register_functions(registry, path);
  for (auto& function : registry.added) table.add(std::move(function));
}

}  // namespace covey::engine
