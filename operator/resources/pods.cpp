#include "operator/resources/pods.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "operator/resources/merge.hpp"
#include "operator/resources/names.hpp"
#include "operator/resources/object.hpp"
#include "operator/resources/pod_parts.hpp"

namespace covey::resources {

namespace json = boost::json;

namespace {

constexpr const char* kPatience = "600";  // seconds to wait for NATS, which may have to be pulled or scheduled first

struct Part {
  std::string_view component;
  const crd::PodSettings& pod;
  std::vector<std::string> command, arguments;
  json::object files;     // the volume at kFolder, without its name
  json::array ports;
  json::object probes;    // livenessProbe, readinessProbe
};

json::object http_get(std::string_view path, int port) { return {{"httpGet", {{"path", std::string(path)}, {"port", port}}}}; }

json::object probe(std::string_view path, int port, int period_s, int failures) {
  auto result = http_get(path, port);
  result["periodSeconds"] = period_s;
  result["timeoutSeconds"] = 3;
  result["failureThreshold"] = failures;
  return result;
}

json::array own_name_in_environment() {
  return only({{"name", "POD_NAME"}, {"valueFrom", {{"fieldRef", {{"apiVersion", "v1"}, {"fieldPath", "metadata.name"}}}}}});
}

json::object container_of(const Setting& setting, Part& part) {
  json::object container{{"name", "covey"},
                         {"image", part.pod.image.empty() ? setting.default_image : part.pod.image},
                         {"args", texts(part.arguments)},
                         {"env", own_name_in_environment()},
                         {"securityContext", container_security()}};
  if (!part.command.empty()) container["command"] = texts(part.command);
  if (!part.ports.empty()) container["ports"] = std::move(part.ports);
  if (!part.pod.resources.empty()) container["resources"] = part.pod.resources;
  container["volumeMounts"] = json::array{json::object{{"name", "files"}, {"mountPath", kFolder}, {"readOnly", true}},
                                          json::object{{"name", "tmp"}, {"mountPath", "/tmp"}}};
  for (auto& [name, each] : part.probes) container[name] = each;
  return container;
}

// What the user wants goes over it, except for the labels by which the operator finds its own.
json::object template_of(const Setting& setting, Part part) {
  auto files = std::move(part.files);
  files["name"] = "files";
  json::object spec{{"serviceAccountName", part_name(setting.cluster.name, part.component)},
                    {"automountServiceAccountToken", false},
                    {"enableServiceLinks", false},
                    {"securityContext", pod_security()},
                    {"volumes", json::array{files, json::object{{"name", "tmp"}, {"emptyDir", json::object()}}}}};
  spec["containers"] = only(container_of(setting, part));
  json::object made{{"metadata", {{"labels", labels(setting.cluster.name, part.component)}, {"annotations", json::object()}}}, {"spec", std::move(spec)}};
  merge_over(made, part.pod.pod_template);
  merge_over(made["metadata"].as_object()["labels"].as_object(), labels(setting.cluster.name, part.component));
  return made;
}

void annotate(json::object& made, std::string_view key, const std::string& value) {
  made["metadata"].as_object()["annotations"].as_object()[std::string(key)] = value;
}

// So that a part is started anew where what it logs on with has changed.
constexpr std::string_view kAccess = "covey.dev/access";

json::object projected_files(const std::string& cluster) {
  const auto source = [](const std::string& name, const char* key) {
    return json::object{{"secret", {{"name", name}, {"items", only({{"key", key}, {"path", key}})}}}};
  };
  return {{"projected",
           {{"defaultMode", kFilesReadable},
            {"sources", json::array{source(part_name(cluster, kController), "controller.json"), source(part_name(cluster, "api"), "tokens")}}}}};
}

json::object engine_template(const Setting& setting) {
  const auto& spec = setting.cluster.spec;
  std::vector<std::string> arguments{"engine", "--connect", fmt::format("{}/engine.json", kFolder), "--insecure", "--name", "$(POD_NAME)",
                                     "--slots", std::to_string(spec.engine.slots), "--drain-timeout", std::to_string(spec.drain_timeout_s),
                                     "--wait-for-nats", kPatience};
  arguments.insert(arguments.end(), spec.engine.pod.arguments.begin(), spec.engine.pod.arguments.end());
  const Part part{kEngine, spec.engine.pod, {}, std::move(arguments), secret_volume(part_name(setting.cluster.name, kEngine)), {}, {}};
  auto made = template_of(setting, part);
  auto& pod = made["spec"].as_object();
  // The operator replaces what has ended; a container that came back under the same name would be another engine.
  pod["restartPolicy"] = "Never";
  if (!pod.contains("terminationGracePeriodSeconds")) pod["terminationGracePeriodSeconds"] = spec.drain_timeout_s + kGoodbyeSeconds;
  annotate(made, kAccess, digest(setting.access.engine.password));
  auto& annotations = made["metadata"].as_object()["annotations"].as_object();
  // An engine that is evicted drains by itself, so a node need not stay for its sake.
  if (!annotations.contains("cluster-autoscaler.kubernetes.io/safe-to-evict")) annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] = "true";
  return made;
}

}  // namespace

json::object nats_template(const Setting& setting) {
  const Part part{kNats,
                  setting.cluster.spec.nats.pod,
                  {"/usr/bin/nats-server"},
                  {"-c", fmt::format("{}/nats.conf", kFolder)},
                  secret_volume(part_name(setting.cluster.name, kNats)),
                  json::array{json::object{{"name", "nats"}, {"containerPort", kNatsPort}, {"protocol", "TCP"}},
                              json::object{{"name", "monitor"}, {"containerPort", kNatsMonitorPort}, {"protocol", "TCP"}}},
                  {{"readinessProbe", probe("/healthz", kNatsMonitorPort, 2, 3)}, {"livenessProbe", probe("/healthz", kNatsMonitorPort, 10, 6)}}};
  auto made = template_of(setting, part);
  const auto& access = setting.access;
  annotate(made, kAccess, digest(access.controller.password + access.engine.password + access.client.password));
  return made;
}

json::object controller_template(const Setting& setting) {
  const auto& spec = setting.cluster.spec;
  std::vector<std::string> arguments{"controller", "--connect", fmt::format("{}/controller.json", kFolder), "--insecure", "--http",
                                     fmt::format("0.0.0.0:{}", kHttpPort), "--http-tokens", fmt::format("{}/tokens", kFolder), "--policy",
                                     spec.controller.policy, "--wait-for-nats", kPatience};
  arguments.insert(arguments.end(), spec.controller.pod.arguments.begin(), spec.controller.pod.arguments.end());
  const Part part{kController,
                  spec.controller.pod,
                  {},
                  std::move(arguments),
                  projected_files(setting.cluster.name),
                  only({{"name", "http"}, {"containerPort", kHttpPort}, {"protocol", "TCP"}}),
                  // It serves from when it has found NATS on, which the start-up probe waits for.
                  {{"startupProbe", probe("/livez", kHttpPort, 1, 600)},
                   {"readinessProbe", probe("/readyz", kHttpPort, 2, 3)},
                   {"livenessProbe", probe("/livez", kHttpPort, 10, 6)}}};
  auto made = template_of(setting, part);
  annotate(made, kAccess, digest(setting.access.controller.password));
  return made;
}

json::object engine_pod(const Setting& setting, const std::string& name) {
  auto made = engine_template(setting);
  const auto hash = digest(json::serialize(made));
  auto pod = object_of(setting.cluster, kube::types::kPods, name, kEngine);
  merge_over(pod["metadata"].as_object(), made["metadata"].as_object());
  pod["metadata"].as_object()["labels"].as_object()[std::string(kHashLabel)] = hash;
  pod["spec"] = std::move(made["spec"]);
  return pod;
}

std::string engine_hash(const Setting& setting) { return digest(json::serialize(engine_template(setting))); }

}  // namespace covey::resources
