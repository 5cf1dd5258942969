#include "operator/kube/resource.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace covey::kube {
namespace {

TEST(ResourceTest, PathsOfCoreAndOtherGroups) {
  EXPECT_EQ(path_of({types::kPods, "default", "demo-engine-0"}), "/api/v1/namespaces/default/pods/demo-engine-0");
  EXPECT_EQ(path_of({types::kPods, "", ""}), "/api/v1/pods");
  EXPECT_EQ(path_of({types::kParallelClusters, "a", "demo"}, "scale"), "/apis/covey.dev/v1alpha1/namespaces/a/parallelclusters/demo/scale");
}

TEST(ResourceTest, AnObjectWithoutItsNamespaceHasNoPath) { EXPECT_THROW(path_of({types::kPods, "", "demo"}), std::logic_error); }

TEST(ResourceTest, NamesAndQueriesCannotChangeTheAddress) {
  EXPECT_EQ(path_of({types::kPods, "default", "../../x?y"}), "/api/v1/namespaces/default/pods/..%2F..%2Fx%3Fy");
  EXPECT_EQ(Query().add("limit", "500").add("labelSelector", "a=b,c in (d)").text(), "?limit=500&labelSelector=a%3Db%2Cc%20in%20%28d%29");
}

}  // namespace
}  // namespace covey::kube
