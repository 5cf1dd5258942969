#include "controller/http/task_json.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

#include "controller/http/fields.hpp"

namespace covey::api {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxName = kMaxNameLength, kMaxListed = 1000, kMaxDependencies = 10'000;

bool is_label(std::string_view text) {
  const auto equals = text.find('=');
  return equals != std::string_view::npos && equals > 0;
}

void read_spec(Fields& fields, wire::TaskSpec& spec) {
  spec.function = fields.required_text("function", kMaxName);
  spec.label = fields.text("label", kMaxName);
  spec.priority = static_cast<std::int32_t>(fields.integer("priority", 0, INT32_MIN, INT32_MAX));
  spec.timeout_ms = fields.duration_ms("timeout");
  spec.run_limit_ms = fields.duration_ms("run_limit");
  spec.max_attempts = static_cast<std::uint32_t>(fields.integer("max_attempts", 3, 1, 1000));
  spec.retries = static_cast<std::uint32_t>(fields.integer("retries", 0, 0, 1000));
  spec.retry_delay_ms = fields.duration_ms("retry_delay");
  for (const auto& id : fields.texts("targets", kMaxListed)) {
    const auto number = wire::parse_hex64(id);
    if (!number) fields.wrong("targets", fmt::format("'{}' is not an engine's id.", id), "ids of engines, 16 hexadecimal digits each");
    spec.targets.push_back(static_cast<wire::Incarnation>(number.value_or(0)));
  }
  spec.labels = fields.texts("labels", kMaxListed);
  if (!std::all_of(spec.labels.begin(), spec.labels.end(), is_label)) {
    fields.wrong("labels", "A label of an engine has a name and a value.", "texts such as \"gpu=a100\"");
  }
  fields.boolean("detached", true);  // they all are: the API, not whoever asked, is their client
}

struct DependencyReader {
  Fields& fields;
  TaskRequest& request;
  std::size_t index;

  void read(std::string_view name, bool follow) {
    const json::value* value = fields.any(name);
    if (value == nullptr) return;
    wire::DependencySet& set = follow ? request.extras.follow : request.extras.after;
    const json::array* ids = value->if_array();
    if (const auto* object = value->if_object()) {
      Fields inner(*object, fields.path(name));
      const json::value* tasks = inner.any("tasks");
      ids = tasks == nullptr ? nullptr : tasks->if_array();
      set.all = inner.boolean("all", true);
      set.success = inner.boolean("success", true);
      set.failure = inner.boolean("failure", false);
      inner.refuse_others();
      fields.adopt(inner);
      if (!set.success && !set.failure) {
        fields.wrong(name, "Neither a success nor a failure would meet it.", "success or failure to be true");
      }
    }
    if (ids == nullptr || ids->empty() || ids->size() > kMaxDependencies) {
      return fields.wrong(name, "It does not list tasks.",
                          fmt::format("1 to {} ids of tasks, or an object with them as 'tasks'", kMaxDependencies));
    }
    for (const auto& id : *ids) add(name, set, follow, id);
  }

  void add(std::string_view name, wire::DependencySet& set, bool follow, const json::value& id) {
    const std::string_view text = id.is_string() ? std::string_view(id.get_string()) : std::string_view();
    if (text.starts_with('#')) {
      const auto number = parse_number(text.substr(1));
      if (number && *number < index) {
        request.earlier.push_back({follow, set.tasks.size(), *number});
        set.tasks.emplace_back();
        return;
      }
    } else if (const auto task = wire::parse_task_id(text)) {
      set.tasks.push_back({*task, wire::Dependency::Known::no});
      return;
    }
    fields.wrong(name, fmt::format("{} is not a task that can come before this one.", json::serialize(id)),
                 "ids such as \"00c0ffee00c0ffee-17\", or \"#0\" for the first task of the same list");
  }
};

}  // namespace

Outcome<TaskRequest> parse_task(const json::value& value, std::size_t index, std::string_view prefix) {
  if (!value.is_object()) {
    return Problem{Kind::invalid_field, "A task is a JSON object.", std::string(prefix), R"(an object such as {"function": "echo", "args": ["hello"]})"};
  }
  TaskRequest request;
  Fields fields(value.get_object(), std::string(prefix));
  read_spec(fields, request.spec);
  const json::value* args = fields.any("args");
  const json::value* base64 = fields.any("args_base64");
  const json::value* blob = fields.any("args_blob");
  if (blob != nullptr) request.args_blob = fields.required_text("args_blob", kMaxName);
  if ((args != nullptr) + (base64 != nullptr) + (blob != nullptr) > 1) {
    fields.wrong("args", "The arguments are given twice.", "one of args, args_base64 and args_blob");
  } else if (args != nullptr && !args->is_array()) {
    fields.wrong("args", "The arguments are not a list.", "an array of arguments");
  } else if (!request.args_blob.empty()) {
    request.args.codec = wire::Codec::bytes;
  } else if (base64 != nullptr) {
    std::string bytes;
    if (!base64->is_string() || !decode_base64(std::string_view(base64->get_string()), bytes)) {
      fields.wrong("args_base64", "This is not base64.", "bytes in base64, which the function gets as they are");
    }
    request.args = {wire::Codec::bytes, wire::Buffer(std::move(bytes))};
  } else {
    request.args = {wire::Codec::json, wire::Buffer(args == nullptr ? std::string("[]") : json::serialize(*args))};
  }
  DependencyReader dependencies{fields, request, index};
  dependencies.read("after", false);
  dependencies.read("follow", true);
  request.extras.idempotency_key = fields.text("idempotency_key", kMaxName);
  fields.refuse_others();
  if (auto problem = fields.problem()) return *problem;
  return request;
}

Outcome<wire::TaskSpec> parse_spec(const json::object& object, std::string_view prefix, std::vector<std::string_view>& others) {
  wire::TaskSpec spec;
  Fields fields(object, std::string(prefix));
  read_spec(fields, spec);
  if (auto problem = fields.problem()) return *problem;
  others = fields.others();
  return spec;
}

// ---- JSON ----

Outcome<json::value> parse_json(std::string_view text, std::size_t nesting) {
  json::parse_options options;
  options.max_depth = nesting;
  json::stream_parser parser({}, options);
  boost::system::error_code error;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (!error && text.find_first_not_of(" \t\r\n", read) != std::string_view::npos) error = json::error::extra_data;
  if (!error) return parser.release();
  if (error == json::error::too_deep) {
    return Problem{Kind::too_large, fmt::format("The JSON is nested deeper than the limit http-nesting, {}.", nesting), {}, {}};
  }
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(read), '\n');
  return Problem{Kind::malformed_json, fmt::format("The body is not JSON: {} at byte {}, line {}.", error.message(), read, line), {}, "one JSON value"};
}

namespace {

// Takes note of nothing.
struct Unread {
  using error_code = boost::system::error_code;
  static constexpr std::size_t max_object_size = SIZE_MAX, max_array_size = SIZE_MAX, max_key_size = SIZE_MAX, max_string_size = SIZE_MAX;
  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t, error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_key_part(json::string_view, std::size_t, error_code&) { return true; }
  bool on_key(json::string_view, std::size_t, error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, error_code&) { return true; }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
  bool on_double(double, json::string_view, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }
};

}  // namespace

bool is_json(std::string_view text, std::size_t nesting) {
  json::parse_options options;
  options.max_depth = nesting;
  json::basic_parser<Unread> parser(options);
  boost::system::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  return !error && parser.done() && text.find_first_not_of(" \t\r\n", read) == std::string_view::npos;
}

void append_quoted(std::string& out, std::string_view text) {
  out += json::serialize(json::string_view(text.data(), text.size()));
}

std::string timestamp(std::int64_t unix_us) {
  const auto seconds = static_cast<std::time_t>(unix_us / 1'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec, unix_us % 1'000'000);
}

namespace {

void append_value(std::string& out, const wire::RunReport& report, const ValueBlob& blob) {
  if (blob.bytes > 0) {
    fmt::format_to(std::back_inserter(out), R"(,"codec":"{}","value_bytes":{})", wire::to_string(blob.codec), blob.bytes);
    if (blob.id.empty()) {
      out += R"(,"value":null,"value_kept":false)";
    } else {
      fmt::format_to(std::back_inserter(out), R"(,"value_blob":"{}")", blob.id);
    }
    return;
  }
  constexpr std::size_t kResultNesting = 128;
  const auto content = wire::decode_content(report.content);
  if (!content || content->reference) {
    out += R"(,"value":null,"value_kept":false)";
    return;
  }
  const auto bytes = wire::as_text(content->bytes);
  if (content->codec == wire::Codec::json && (bytes.empty() || is_json(bytes, kResultNesting))) {
    out += R"(,"value":)";
    out += bytes.empty() ? std::string_view("null") : bytes;
    return;
  }
  fmt::format_to(std::back_inserter(out), R"(,"codec":"{}","value_base64":"{}")", wire::to_string(content->codec), encode_base64(bytes));
}

// `text` as name, or in base64 as name_base64 where it is no UTF-8.
void append_printed(std::string& out, std::string_view name, std::string_view text, bool cut) {
  if (text.empty()) return;
  // The first character may have been cut in two.
  for (int i = 0; cut && i < 3 && !text.empty() && (static_cast<unsigned char>(text.front()) & 0xc0) == 0x80; ++i) text.remove_prefix(1);
  std::string quoted;
  append_quoted(quoted, text);
  if (is_json(quoted, 1)) fmt::format_to(std::back_inserter(out), R"(,"{}":{})", name, quoted);
  else fmt::format_to(std::back_inserter(out), R"(,"{}_base64":"{}")", name, encode_base64(text));
  if (cut) fmt::format_to(std::back_inserter(out), R"(,"{}_truncated":true)", name);
}

}  // namespace

void append_outcome(std::string& out, wire::ByteSpan encoded, std::uint32_t attempts, wire::Incarnation engine, Printed printed,
                    const ValueBlob& blob) {
  const auto report = wire::decode_report(encoded);
  const auto status = report ? report->status : wire::TaskStatus::result_expired;
  fmt::format_to(std::back_inserter(out), R"("status":"{}")", wire::to_string(status));
  if (report && status == wire::TaskStatus::ok) append_value(out, *report, blob);
  if (report && !report->error.empty()) {
    out += R"(,"error":)";
    append_quoted(out, report->error);
  }
  fmt::format_to(std::back_inserter(out), R"(,"attempts":{})", attempts);
  if (engine != wire::Incarnation::none) fmt::format_to(std::back_inserter(out), R"(,"engine":"{}")", wire::to_string(engine));
  if (report && report->started_unix_us > 0) {
    fmt::format_to(std::back_inserter(out), R"(,"started":"{}","duration_us":{})", timestamp(report->started_unix_us), report->duration_us);
  }
  if (report && (printed == Printed::always || status != wire::TaskStatus::ok)) {
    append_printed(out, "stdout", report->output.out, report->output.out_cut);
    append_printed(out, "stderr", report->output.err, report->output.err_cut);
  }
}

std::string encode_base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

// OpenSSL decodes the padding as zeros.
bool decode_base64(std::string_view text, std::string& bytes) {
  bytes.assign(text.size() / 4 * 3, '\0');
  if (text.empty()) return true;
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' '; })) return false;  // OpenSSL would skip it
  const int size = text.size() % 4 != 0 ? -1
                                        : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                                          reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return false;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return true;
}

}  // namespace covey::api
