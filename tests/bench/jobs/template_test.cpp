// Arguments with references to the input.
#include "bench/jobs/template.hpp"

#include <gtest/gtest.h>

namespace covey::jobs {
namespace {

Template make(const std::string& yaml) {
  auto read = read_document(yaml, "arguments");
  EXPECT_TRUE(std::holds_alternative<Node>(read)) << yaml;
  std::vector<Problem> problems;
  Template result(std::get<Node>(read), "arguments", problems);
  EXPECT_EQ(to_string(problems), "") << yaml;
  return result;
}

std::string fill(const std::string& yaml, const Input& input) {
  std::string out;
  EXPECT_TRUE(make(yaml).fill(input, out)) << out;
  return out;
}

TEST(TemplateTest, WithoutArgumentsTheInputIsTheOnlyOne) {
  std::string out;
  EXPECT_TRUE(Template().fill({7, "[1,2]", {}}, out));
  EXPECT_EQ(out, "[[1,2]]");
}

TEST(TemplateTest, AReferenceThatStandsAloneIsTheValueItself) {
  const Input input{7, "{\"a\":1}", {}};
  EXPECT_EQ(fill("[\"${input}\", \"${index}\", {x: \"${input.a}\"}]", input), "[{\"a\":1},7,{\"x\":1}]");
  EXPECT_EQ(fill("\"${input}\"", {0, "[1, 2]", {}}), "[1, 2]");
}

TEST(TemplateTest, WithinATextAReferenceBecomesText) {
  EXPECT_EQ(fill("[\"n=${input}, i=${index}\"]", {3, "1.50", {}}), "[\"n=1.50, i=3\"]");
  EXPECT_EQ(fill("[\"<${input}>\"]", {0, "\"say \\\"hi\\\"\"", {}}), "[\"<say \\\"hi\\\">\"]");
  EXPECT_EQ(fill("[\"<${input}>\"]", {0, "[\"x\"]", {}}), "[\"<[\\\"x\\\"]>\"]");
}

TEST(TemplateTest, AReferenceCanBeAskedForAsText) {
  EXPECT_EQ(fill("[\"${input:text}\", \"${index:text}\", \"${input}\"]", {3, "1.50", {}}), "[\"1.50\",\"3\",1.50]");
}

TEST(TemplateTest, ADoubledDollarStandsForAPlainOne) {
  EXPECT_EQ(fill("[\"$${HOME} $5 $${input}\"]", {0, "1", {}}), "[\"${HOME} $5 ${input}\"]");
}

TEST(TemplateTest, NumbersKeepTheirDigits) {
  EXPECT_EQ(fill("[1e-3, 0.10000000000000000001, \"${input.x}\"]", {0, "{\"x\": 123456789012345678901234567890 }", {}}),
            "[1e-3,0.10000000000000000001,123456789012345678901234567890]");
}

TEST(TemplateTest, FieldsAreFoundInObjectsHoweverTheyAreWritten) {
  const Input input{0, "{ \"a\" : {\"b\":[1,\"}\"]}, \"c\\u0064\":\"x,\\\"y\", \"e\":null}", {}};
  EXPECT_EQ(fill("[\"${input.a}\", \"${input.cd}\", \"${input.e}\"]", input), "[{\"b\":[1,\"}\"]},\"x,\\\"y\",null]");
}

TEST(TemplateTest, AnInputThatDoesNotFitSaysWhy) {
  std::string out;
  EXPECT_FALSE(make("[\"${input.b}\"]").fill({0, "{\"a\":1,\"c\":2}", {}}, out));
  EXPECT_NE(out.find("no field 'b'; it has a, c"), std::string::npos) << out;
  EXPECT_FALSE(make("[\"${input.b}\"]").fill({0, "17", {}}, out));
  EXPECT_NE(out.find("named fields"), std::string::npos) << out;
  EXPECT_FALSE(make("\"${input}\"").fill({0, "17", {}}, out));
  EXPECT_NE(out.find("must be a list"), std::string::npos) << out;
}

}  // namespace
}  // namespace covey::jobs
