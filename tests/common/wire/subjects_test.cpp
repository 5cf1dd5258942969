#include "common/wire/subjects.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace covey::wire {
namespace {

constexpr Incarnation kWho{0xff};

TEST(SubjectsTest, TheSenderOfEverySubjectIsKnownFromIt) {
  const Subjects subjects("demo");
  EXPECT_EQ(subjects.sender_role(subjects.to_controller(Role::engine, kWho)), Role::engine);
  EXPECT_EQ(subjects.sender_role(subjects.to_controller(Role::client, kWho)), Role::client);
  EXPECT_EQ(subjects.sender_role(subjects.to_engine(kWho, Role::controller)), Role::controller);
  EXPECT_EQ(subjects.sender_role(subjects.to_engine(kWho, Role::client)), Role::client);
  EXPECT_EQ(subjects.sender_role(subjects.to_client(kWho, Role::engine)), Role::engine);
  EXPECT_EQ(subjects.sender_role(subjects.direct()), Role::client);
  EXPECT_EQ(subjects.sender_role(subjects.announce()), Role::controller);
}

TEST(SubjectsTest, OtherClustersAndStrangersHaveNoRole) {
  const Subjects subjects("demo");
  EXPECT_FALSE(subjects.sender_role(Subjects("other").announce()));
  EXPECT_FALSE(subjects.sender_role("covey.demo.engine.00000000000000ff.stranger"));
  EXPECT_FALSE(subjects.sender_role(""));
}

TEST(SubjectsTest, BadClusterNamesAreRefused) {
  for (const auto* name : {"", "Demo", "a.b", "a b", "a*", ">"}) EXPECT_THROW(Subjects{name}, std::invalid_argument) << name;
  EXPECT_THROW(Subjects(std::string(64, 'a')), std::invalid_argument);
  EXPECT_NO_THROW(Subjects(std::string(63, 'a')));
}

TEST(SubjectsTest, AnEngineMayNotSubmitAndAClientMayNotAnswer) {
  const Subjects subjects("demo");
  const auto may_publish = [&](Role role, const std::string& pattern) {
    const auto allowed = subjects.permissions(role).publish;
    return std::find(allowed.begin(), allowed.end(), pattern) != allowed.end();
  };
  EXPECT_FALSE(may_publish(Role::engine, "covey.demo.controller.client.*"));
  EXPECT_FALSE(may_publish(Role::engine, "covey.demo.direct"));
  EXPECT_FALSE(may_publish(Role::client, "covey.demo.controller.engine.*"));
  EXPECT_FALSE(may_publish(Role::client, "covey.demo.engine.*.controller"));
  EXPECT_TRUE(may_publish(Role::client, "covey.demo.direct"));
}

}  // namespace
}  // namespace covey::wire
