// A libFuzzer entry for one target, chosen when it is compiled (COVEY_FUZZ_TARGET).
#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  covey::fuzz::COVEY_FUZZ_TARGET({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
