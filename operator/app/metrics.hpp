// What the operator tells Prometheus about itself. One loop.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>

namespace covey::operating {

class Metrics {
 public:
  Metrics();
  std::string text() const;

 private:
  prometheus::Registry registry_;
  prometheus::Gauge& gauge(const std::string& name, const std::string& help);
  prometheus::Family<prometheus::Counter>& counter(const std::string& name, const std::string& help);

 public:
  prometheus::Histogram& reconcile_seconds;
  prometheus::Counter &reconcile_errors, &pods_created, &pods_removed, &engines_drained, &api_requests, &api_failures, &watch_lists, &watch_restarts;
  prometheus::Gauge &queue_depth, &clusters, &jobs, &pods, &leading;
};

}  // namespace covey::operating
