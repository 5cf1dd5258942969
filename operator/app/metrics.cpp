#include "operator/app/metrics.hpp"

#include <prometheus/text_serializer.h>

namespace covey::operating {

prometheus::Gauge& Metrics::gauge(const std::string& name, const std::string& help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add({});
}

prometheus::Family<prometheus::Counter>& Metrics::counter(const std::string& name, const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
}

Metrics::Metrics()
    : reconcile_seconds(prometheus::BuildHistogram()
                            .Name("covey_operator_reconcile_seconds")
                            .Help("Durations of passes over one cluster or job")
                            .Register(registry_)
                            .Add({}, prometheus::Histogram::BucketBoundaries{0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10})),
      reconcile_errors(counter("covey_operator_reconcile_errors_total", "Passes that could not do all that they should").Add({})),
      pods_created(counter("covey_operator_pods_created_total", "Engine Pods made").Add({})),
      pods_removed(counter("covey_operator_pods_removed_total", "Engine Pods removed").Add({})),
      engines_drained(counter("covey_operator_engines_drained_total", "Engines told to drain").Add({})),
      api_requests(counter("covey_operator_api_requests_total", "Requests to the Kubernetes API").Add({})),
      api_failures(counter("covey_operator_api_failures_total", "Those that were refused or had no answer; an object that is not there, or has changed meanwhile, is an answer").Add({})),
      watch_lists(counter("covey_operator_watch_lists_total", "Lists made for watches").Add({})),
      watch_restarts(counter("covey_operator_watch_restarts_total", "Watches begun").Add({})),
      queue_depth(gauge("covey_operator_queue_depth", "Clusters and jobs that wait to be looked at")),
      clusters(gauge("covey_operator_clusters", "ParallelClusters")),
      jobs(gauge("covey_operator_jobs", "ParallelJobs")),
      pods(gauge("covey_operator_pods", "Pods of all clusters")),
      leading(gauge("covey_operator_leading", "1 where this process leads")) {}

std::string Metrics::text() const { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

}  // namespace covey::operating
