// replay CORPUS: gives every file of the corpus, and 2,000 seeded mutations of each, to every target. What libFuzzer finds
// is kept in the corpus, so that ctest replays it on any compiler.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "tests/fuzz/targets.hpp"

namespace {

constexpr int kMutations = 2'000;

std::string mutate(std::string bytes, std::mt19937_64& random) {
  const auto times = 1 + random() % 4;
  for (std::uint64_t i = 0; i < times; ++i) {
    const auto at = bytes.empty() ? 0 : random() % bytes.size();
    switch (random() % 4) {
      case 0: bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<char>(random())); break;
      case 1:
        if (!bytes.empty()) bytes.erase(at, 1 + random() % 4);
        break;
      case 2:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
        break;
      default:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: replay CORPUS_FOLDER\n");
    return 2;
  }
  std::size_t files = 0, runs = 0;
  for (const auto& [name, target] : covey::fuzz::kTargets) {
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(argv[1]))) {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
      std::mt19937_64 random(files);
      target(covey::wire::as_bytes(bytes));
      for (int i = 0; i < kMutations; ++i, ++runs) target(covey::wire::as_bytes(mutate(bytes, random)));
      ++files;
    }
  }
  fmt::print("{} inputs and {} mutations of them\n", files, runs);
  return files == 0 ? 1 : 0;
}
