#include "operator/resources/job_pod.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "operator/kube/resource.hpp"
#include "operator/resources/merge.hpp"
#include "operator/resources/names.hpp"
#include "operator/resources/pod_parts.hpp"

namespace covey::resources {

namespace json = boost::json;
namespace types = kube::types;

namespace {

constexpr const char *kJobFolder = "/etc/covey-job", *kResults = "/results";
constexpr std::size_t kDigits = 8;
// The runner cancels what is out and writes what has ended before it goes.
constexpr int kGoodbye = 30;

json::object object_of_job(const crd::ParallelJob& job, const kube::ResourceType& type, const std::string& name) {
  const auto& owner = types::kParallelJobs;
  auto all = labels(job_cluster(job), kJob);
  all[std::string(kJobLabel)] = job.name;
  return {{"apiVersion", type.api_version()},
          {"kind", std::string(type.kind)},
          {"metadata",
           {{"name", name},
            {"namespace", job.ns},
            {"labels", std::move(all)},
            {"ownerReferences", only({{"apiVersion", owner.api_version()},
                                      {"kind", std::string(owner.kind)},
                                      {"name", job.name},
                                      {"uid", job.uid},
                                      {"controller", true},
                                      {"blockOwnerDeletion", true}})}}}};
}

// Kubernetes replaces $(NAME) in arguments, and takes $$ for a $.
std::string unreplaced(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '$' ? std::string("$$") : std::string(1, c);
  return result;
}

std::vector<std::string> arguments_of(const crd::ParallelJob& job, const JobAttempt& attempt) {
  const auto folder = job.spec.claim ? fmt::format("{}/{}", kResults, job.spec.claim->folder) : std::string(kResults);
  std::vector<std::string> arguments{"run", fmt::format("{}/{}", kJobFolder, crd::kJobFile), "--connect", fmt::format("{}/client.json", kFolder), "--insecure",
                                     "--out", folder, "--http", fmt::format("0.0.0.0:{}", kProgressPort), "--brief", "/dev/termination-log"};
  if (!job.spec.claim) arguments.emplace_back("--print-outputs");
  if (attempt.retry_failed) arguments.emplace_back("--retry-failed");
  for (const auto& setting : job.spec.settings) {
    arguments.emplace_back("--set");
    arguments.push_back(unreplaced(setting));
  }
  return arguments;
}

json::object volume(const char* name, json::object source) {
  source["name"] = name;
  return source;
}

json::object mount(const char* name, const char* path, bool read_only) { return {{"name", name}, {"mountPath", path}, {"readOnly", read_only}}; }

json::object pod_spec(const crd::ParallelJob& job, const JobAttempt& attempt) {
  json::object container{{"name", std::string(kRunnerContainer)},
                         {"image", job.spec.runner.image.empty() ? attempt.default_image : job.spec.runner.image},
                         {"args", texts(arguments_of(job, attempt))},
                         // Whatever wants a home finds one that can be written.
                         {"env", only({{"name", "HOME"}, {"value", "/tmp"}})},
                         {"ports", only({{"name", "progress"}, {"containerPort", kProgressPort}, {"protocol", "TCP"}})},
                         // Of a runner that could not begin, the end of its log.
                         {"terminationMessagePolicy", "FallbackToLogsOnError"},
                         {"volumeMounts", json::array{mount("files", kFolder, true), mount("job", kJobFolder, true), mount("results", kResults, false), mount("tmp", "/tmp", false)}},
                         {"securityContext", container_security()}};
  if (!job.spec.runner.resources.empty()) container["resources"] = job.spec.runner.resources;
  const auto results = job.spec.claim ? json::object{{"persistentVolumeClaim", {{"claimName", job.spec.claim->name}}}} : json::object{{"emptyDir", json::object()}};
  return {{"restartPolicy", "Never"},
          {"automountServiceAccountToken", false},
          {"enableServiceLinks", false},
          {"terminationGracePeriodSeconds", kGoodbye},
          {"securityContext", pod_security()},
          {"containers", only(std::move(container))},
          {"volumes", json::array{volume("files", secret_volume(part_name(job_cluster(job), "client"))), volume("job", {{"configMap", {{"name", job_stem(job)}}}}),
                                  volume("results", results), volume("tmp", {{"emptyDir", json::object()}})}}};
}

}  // namespace

std::string job_stem(const crd::ParallelJob& job) { return fmt::format("{}-{}", job.name, digest(job.uid).substr(0, kDigits)); }
std::string job_pod_name(const crd::ParallelJob& job, int attempt) { return fmt::format("{}-{}", job_stem(job), attempt); }
std::string job_cluster(const crd::ParallelJob& job) { return job.spec.cluster_template ? job_stem(job) : job.spec.cluster; }

json::value job_files(const crd::ParallelJob& job) {
  auto object = object_of_job(job, types::kConfigMaps, job_stem(job));
  json::object data{{std::string(crd::kJobFile), job.spec.job}};
  for (const auto& [name, text] : job.spec.files) data[name] = text;
  object["data"] = std::move(data);
  object["immutable"] = true;
  return object;
}

json::value job_cluster_object(const crd::ParallelJob& job) {
  auto object = object_of_job(job, types::kParallelClusters, job_cluster(job));
  object["spec"] = job.spec.cluster_template.value();
  return object;
}

json::value job_pod(const crd::ParallelJob& job, const JobAttempt& attempt) {
  auto object = object_of_job(job, types::kPods, job_pod_name(job, attempt.number));
  const auto fixed = object["metadata"].as_object();
  // An eviction costs what it has done since it began, unless its outputs are on a claim.
  object["metadata"].as_object()["annotations"] = {{"cluster-autoscaler.kubernetes.io/safe-to-evict", job.spec.claim ? "true" : "false"}};
  object["spec"] = pod_spec(job, attempt);
  merge_over(object, job.spec.runner.pod_template);
  // What the operator finds it by is not the user's, nor when it is run again.
  auto& metadata = object["metadata"].as_object();
  merge_over(metadata, fixed);
  metadata["labels"].as_object()[std::string(kAttemptLabel)] = std::to_string(attempt.number);
  metadata["finalizers"] = only(json::value(std::string(kJobFinalizer)));
  object["spec"].as_object()["restartPolicy"] = "Never";
  return object;
}

}  // namespace covey::resources
