// libFuzzer's entry: IRPLAN_FUZZ_TARGET names what is fed. `./dev fuzz` builds and runs it. With
// IRPLAN_FUZZ_PLANS=FROM:TO it writes the plans of FROM's programs into TO instead, as seeds.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/mutate_json.h"
#include "fuzz/targets.h"

using namespace irplan;

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

const fuzz::Target* target = nullptr;

void write_plans(const std::string& folders) {
  const size_t split = folders.find(':');
  const std::filesystem::path to = folders.substr(split + 1);
  for (const auto& entry : std::filesystem::directory_iterator(folders.substr(0, split))) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string program{std::istreambuf_iterator<char>(in), {}};
    const std::string plan = fuzz::plan_of(program);
    if (!plan.empty()) std::ofstream(to / entry.path().stem(), std::ios::binary) << plan;
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (const char* folders = std::getenv("IRPLAN_FUZZ_PLANS")) write_plans(folders), std::exit(0);
  const char* name = std::getenv("IRPLAN_FUZZ_TARGET");
  target = fuzz::find_target(name ? name : "");
  if (target) return 0;
  std::fputs("IRPLAN_FUZZ_TARGET names one of:\n", stderr);
  for (const fuzz::Target& t : fuzz::targets()) std::fprintf(stderr, "  %-12s %s\n", t.name, t.what);
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string why = target->check({reinterpret_cast<const char*>(data), size});
  if (why.empty()) return 0;
  std::fprintf(stderr, "%s: %s\n", target->name, why.c_str());
  std::abort();
}

// Half of the time as a program or as JSON, else as bytes.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  fuzz::Random random(seed);
  const bool source = std::strcmp(target->name, "source") == 0;
  if ((!source && !target->json) || random.below(2)) return LLVMFuzzerMutate(data, size, max_size);
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string out = source ? fuzz::mutate(text, text, random) : fuzz::mutate_json(text, random);
  if (out.empty() || out.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, out.data(), out.size());
  return out.size();
}
