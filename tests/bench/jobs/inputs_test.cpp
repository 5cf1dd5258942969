// The inputs of a map: what they become, and what is said of files that are wrong.
#include "bench/jobs/inputs.hpp"

#include "bench/jobs/problem.hpp"
#include "tests/bench/jobs/io_fixture.hpp"

namespace covey::jobs {
namespace {

struct InputsTest : FolderFixture {
  std::vector<std::string> all(const Inputs& inputs) const {
    std::vector<std::string> values;
    const auto reader = open_inputs(inputs, folder);
    Input input;
    while (reader->next(input)) {
      EXPECT_EQ(input.index, values.size());
      values.push_back(input.json);
    }
    return values;
  }
  std::string mistake(const Inputs& inputs) const {
    try {
      survey(inputs, folder, Template());
    } catch (const BadJob& error) {
      return error.what();
    }
    return "no mistake";
  }
  static void expect_in(const std::string& text, const std::string& wanted) {
    EXPECT_NE(text.find(wanted), std::string::npos) << "wanted: " << wanted << "\ngot: " << text;
  }
};

using Texts = std::vector<std::string>;

TEST_F(InputsTest, AGridIsEveryCombinationAndItsLastParameterVariesFastest) {
  const Grid grid{{{"a", Values{{"1", "\"x\""}}}, {"b", Range{0, 3, 1}}}};
  EXPECT_EQ(all(grid), (Texts{R"({"a":1,"b":0})", R"({"a":1,"b":1})", R"({"a":1,"b":2})", R"({"a":"x","b":0})",
                              R"({"a":"x","b":1})", R"({"a":"x","b":2})"}));
  EXPECT_TRUE(all(Grid{{{"a", Values{{"1"}}}, {"b", Range{0, 0, 1}}}}).empty());
}

TEST_F(InputsTest, RangesAndValuesComeInOrder) {
  EXPECT_EQ(all(Range{3, -2, -2}), (Texts{"3", "1", "-1"}));
  EXPECT_EQ(all(Values{{"1", "null"}}), (Texts{"1", "null"}));
}

TEST_F(InputsTest, EachLineOfAFileIsAText) {
  write("a.txt", "one\n\ntwo \"2\"\r\nlast");
  EXPECT_EQ(all(Lines{"a.txt"}), (Texts{"\"one\"", "\"\"", R"("two \"2\"")", "\"last\""}));
}

TEST_F(InputsTest, EachLineOfNdjsonIsAValueAndBlankLinesAreNone) {
  write("a.ndjson", "\xEF\xBB\xBF{\"a\": 1.50}\n\n [1] \r\nnull");
  EXPECT_EQ(all(Ndjson{"a.ndjson"}), (Texts{"{\"a\": 1.50}", "[1]", "null"}));
}

TEST_F(InputsTest, CsvHasColumnsAndWhatLooksLikeANumberIsOneUnlessQuoted) {
  write("a.csv", "name,size\nx,1.50\n\"two\nlines\",\"7\"\n\n007,-1e3\n");
  EXPECT_EQ(all(Csv{"a.csv"}), (Texts{R"({"name":"x","size":1.50})", R"({"name":"two\nlines","size":"7"})",
                                      R"({"name":"007","size":-1e3})"}));
  EXPECT_EQ(all(Csv{"a.csv", ',', false})[0], R"({"1":"name","2":"size"})");
  EXPECT_EQ(open_inputs(Csv{"a.csv"}, folder)->columns(), (Texts{"name", "size"}));
}

TEST_F(InputsTest, MistakesInFilesAreNamedByFileAndLine) {
  expect_in(mistake(Lines{"nowhere"}), "nowhere: the inputs' file is not there");
  expect_in(mistake(Lines{"."}), "no regular file");
  write("a", "fine\n\xff\n");
  expect_in(mistake(Lines{"a"}), "/a:2: this line is not UTF-8");
  write("a", "1\n{\"a\":}\n");
  expect_in(mistake(Ndjson{"a"}), "/a:2: this line is not a JSON value");
  write("a", "x,y\n1,2\n\"3\n\",4\n5\n");
  expect_in(mistake(Csv{"a"}), "/a:5: 1 fields, and there are 2 columns");
  write("a", "x,x\n");
  expect_in(mistake(Csv{"a"}), "/a:1: there are two columns named 'x'");
  write("a", "x,\n");
  expect_in(mistake(Csv{"a"}), "column 2 has no name");
  write("a", "x\n\"1\n");
  expect_in(mistake(Csv{"a"}), "/a:2: the text ends within quotation marks");
  write("a", "");
  expect_in(mistake(Csv{"a"}), "the file is empty");
}

TEST_F(InputsTest, TheSurveyCountsAndItsDigestFollowsTheContent) {
  write("a", "1\n2\n");
  write("b", "1\n3\n");
  const auto digest = [&](const Inputs& inputs) { return survey(inputs, folder, Template()).digest; };
  EXPECT_EQ(survey(Ndjson{"a"}, folder, Template()).count, 2u);
  EXPECT_EQ(survey(Range{0, 5'000'000'000, 1}, folder, Template()).count, 5'000'000'000u);
  EXPECT_NE(digest(Ndjson{"a"}), digest(Ndjson{"b"}));
  EXPECT_NE(digest(Ndjson{"a"}), digest(Lines{"a"}));
  EXPECT_NE(digest(Range{0, 2, 1}), digest(Range{0, 3, 1}));
  std::filesystem::copy_file(folder / "a", folder / "c");
  EXPECT_EQ(digest(Ndjson{"a"}), digest(Ndjson{"c"}));
}

}  // namespace
}  // namespace covey::jobs
