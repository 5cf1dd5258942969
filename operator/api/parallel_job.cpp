#include "operator/api/parallel_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "operator/kube/json.hpp"
#include "operator/kube/resource.hpp"

namespace covey::crd {

namespace json = boost::json;

namespace {

constexpr Range kRetries{0, 1000}, kDeadline{1, 31'536'000}, kTtl{0, 31'536'000};
// A ConfigMap takes 1 MiB.
constexpr std::size_t kMostBytes = 1'000'000;

bool is_plain_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !name.empty() && name[0] != '.' && name.size() <= 253 && std::all_of(name.begin(), name.end(), plain);
}

void read_files(Fields& fields, JobSpec& spec) {
  const auto* part = fields.part("files");
  if (part == nullptr) return;
  const auto* files = part->if_object();
  if (files == nullptr) return fields.fail("files", "an object of names and texts is wanted");
  for (const auto& [key, value] : *files) {
    const std::string name(key);
    if (!is_plain_name(name) || name == kJobFile) {
      fields.fail("files", fmt::format("\"{}\" is given; a name of letters, digits and ._- other than {} is wanted", name, kJobFile));
    } else if (!value.is_string()) {
      fields.fail("files", fmt::format("{} is no text; one is wanted, in quotation marks or after a |", name));
    } else {
      spec.files[name] = std::string(value.get_string());
    }
  }
}

void check_size(Fields& fields, const JobSpec& spec) {
  auto bytes = spec.job.size();
  for (const auto& [name, text] : spec.files) bytes += name.size() + text.size();
  if (bytes > kMostBytes) {
    fields.fail("files", fmt::format("with the job they have {} bytes; at most {} are wanted: put large inputs on a volume, by runner.podTemplate", bytes, kMostBytes));
  }
}

void read_cluster(Reading& reading, Fields& fields, JobSpec& spec) {
  const auto *named = fields.part("clusterRef"), *made = fields.part("clusterTemplate");
  Fields reference(reading, "spec.clusterRef", named);
  spec.cluster = reference.text("name");
  if ((named == nullptr) == (made == nullptr)) {
    fields.fail("clusterRef", made == nullptr ? "it is missing; it or clusterTemplate is wanted" : "clusterTemplate is given too; only one of the two is wanted");
  } else if (named != nullptr && spec.cluster.empty()) {
    reference.fail("name", "it is missing; the name of a ParallelCluster is wanted");
  }
  Reading within;
  static_cast<void>(parse_spec(made, within));
  const auto there = [](const std::string& path) { return "spec.clusterTemplate" + path.substr(std::string_view("spec").size()); };
  for (auto& error : within.errors) reading.errors.push_back({there(error.path), std::move(error.message)});
  for (auto& [path, type] : within.asked) reading.asked[there(path)] = std::move(type);
  if (made != nullptr) spec.cluster_template = *made;
}

void read_results(Reading& reading, const json::value* part, JobSpec& spec) {
  Fields fields(reading, "spec.results", part);
  const auto* given = fields.part("persistentVolumeClaim");
  Fields claim(reading, "spec.results.persistentVolumeClaim", given);
  ResultsClaim results{claim.text("claimName"), claim.text("folder")};
  if (given == nullptr) return;
  if (results.name.empty()) claim.fail("claimName", "it is missing; the name of a PersistentVolumeClaim is wanted");
  if (!results.folder.empty() && !is_plain_name(results.folder)) {
    claim.fail("folder", fmt::format("\"{}\" is given; one name of letters, digits and ._-, such as run-1, is wanted", results.folder));
  }
  spec.claim = std::move(results);
}

}  // namespace

JobSpec parse_job_spec(const json::value* value, Reading& reading) {
  Fields fields(reading, "spec", value);
  JobSpec spec;
  spec.job = fields.text("job");
  if (spec.job.empty()) fields.fail("job", "it is missing; a job file in YAML is wanted, such as docs/jobs.md describes");
  spec.settings = fields.texts("set");
  read_files(fields, spec);
  check_size(fields, spec);
  read_cluster(reading, fields, spec);
  read_results(reading, fields.part("results"), spec);
  Fields runner(reading, "spec.runner", fields.part("runner"));
  spec.runner.image = runner.text("image");
  spec.runner.resources = runner.object("resources");
  spec.runner.pod_template = runner.object("podTemplate");
  spec.backoff_limit = fields.integer("backoffLimit", kRetries, spec.backoff_limit);
  const auto deadline = fields.integer("activeDeadlineSeconds", kDeadline, 0), ttl = fields.integer("ttlSecondsAfterFinished", kTtl, 0);
  if (fields.given("activeDeadlineSeconds")) spec.deadline_s = deadline;
  if (fields.given("ttlSecondsAfterFinished")) spec.ttl_s = ttl;
  return spec;
}

ParallelJob parse_parallel_job(const json::value& object) {
  ParallelJob job;
  job.ns = std::string(kube::namespace_of(object));
  job.name = std::string(kube::name_of(object));
  job.uid = std::string(kube::uid_of(object));
  job.generation = kube::integer_at(object, "metadata.generation").value_or(0);
  Reading reading;
  reading.kind = "paralleljob";
  // An object without a spec is one whose spec is empty.
  const json::value nothing = json::object();
  const auto* spec = kube::find_at(object, "spec");
  job.spec = parse_job_spec(spec == nullptr ? &nothing : spec, reading);
  if (job.spec.claim && job.spec.claim->folder.empty()) job.spec.claim->folder = job.name;
  job.errors = std::move(reading.errors);
  check_name(job.name, kMaxJobName, job.errors);
  return job;
}

}  // namespace covey::crd
