// What tasks have in common, on its way from clients to engines.
#include "tests/controller/broker_fixture.hpp"

namespace covey::controller {
namespace {

using wire::TaskSpec;

struct SpecsTest : BrokerFixture {
  static Config short_memory() {
    Config config;
    config.history = 2;  // which holds specs too
    return config;
  }
  SpecsTest() : BrokerFixture(short_memory()) {}
  // Submits task `sequence` with a spec that the client calls `number`.
  void submit_as(FarEnd& client, std::uint64_t number, const std::string& function, std::uint64_t sequence) {
    TaskSpec spec;
    spec.function = function;
    wire::Writer encoded;
    wire::encode_spec(encoded, spec);
    wire::encode(client.link->record(), wire::SpecRecord{number, encoded.span()});
    wire::encode(client.link->record(), wire::SubmitRecord{number, sequence, {}, {}, false});
    turn(client);
  }
};

TEST_F(SpecsTest, AClientMayGiveANumberToAnotherSpec) {
  auto e = engine(1, 10);
  auto c = client(100);
  submit_as(c, 7, "first", 1);
  submit_as(c, 7, "second", 2);
  turn(e);
  EXPECT_EQ(e.functions, (std::vector<std::string>{"first", "second"}));
}

TEST_F(SpecsTest, AnEngineIsToldOfManySpecsUnderFewNumbers) {
  auto e = engine(1, 10);
  auto c = client(100);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    submit_as(c, 7, "f" + std::to_string(i), i);
    turn(e);
    EXPECT_EQ(e.functions.back(), "f" + std::to_string(i));
    finish(e);
  }
  EXPECT_LE(e.specs.size(), 5u);
}

}  // namespace
}  // namespace covey::controller
