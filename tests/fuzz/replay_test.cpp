// The fuzzers' corpus through the same entry points as theirs, and mutants of it, the same at every run.
// IRPLAN_FUZZ=N takes N times as many. Each find of a fuzzer becomes a file in tests/fuzz/corpus.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.h"
#include "fuzz/mutate_json.h"
#include "fuzz/targets.cpp"

using namespace irplan;

namespace {

std::vector<std::string> corpus(const std::string& target) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(IRPLAN_SOURCE_DIR "/tests/fuzz/corpus/" + target))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> out;
  for (const auto& path : paths) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    out.push_back(text.str());
  }
  return out;
}

// Plans change with the compiler; so most seeds of that target are made from the programs of the corpus.
std::vector<std::string> seeds_of(const fuzz::Target& target) {
  std::vector<std::string> out = corpus(target.name);
  if (std::string_view(target.name) != "plan") return out;
  for (const std::string& source : corpus("source")) {
    std::string plan = fuzz::plan_of(source);
    if (!plan.empty()) out.push_back(std::move(plan));
  }
  return out;
}

void look(const fuzz::Target& target, const std::string& input) {
  const std::string why = target.check(input);
  if (!why.empty()) FAIL(std::string(target.name) + ": " + why + "\n=== of ===\n" + input);
}

// Bytes that change, go and come.
std::string damaged(std::string text, fuzz::Random& random) {
  for (size_t round = 1 + random.below(4); round > 0; --round) {
    const size_t at = random.below(text.size() + 1), count = std::min(random.below(9), text.size() - at);
    switch (random.below(4)) {
      case 0: text.erase(at, count); break;
      case 1: text.insert(at, text.substr(random.below(text.size() + 1), random.below(20))); break;
      case 2: text.resize(at); break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(random.below(256));
    }
  }
  return text;
}

}  // namespace

TEST_CASE("the corpus of each fuzzer, and mutants of it, are answered", "[fuzz]") {
  const char* told = std::getenv("IRPLAN_FUZZ");
  const int times = told ? std::max(1, std::atoi(told)) : 1;
  for (const fuzz::Target& target : fuzz::targets()) {
    const bool is_plan = std::string_view(target.name) == "plan";
    const std::vector<std::string> seeds = seeds_of(target);
    REQUIRE(!seeds.empty());
    for (const std::string& seed : seeds) look(target, seed);
    fuzz::Random random(static_cast<uint64_t>(times));
    const bool compiles =
        std::string_view(target.name) == "source" || std::string_view(target.name) == "config";
    const bool is_json = std::string_view(target.name) == "json";
    const int mutants = (compiles ? 60 : is_plan ? 300 : is_json ? 20000 : 400) * times;
    for (int i = 0; i < mutants; ++i) {
      const std::string& seed = seeds[random.below(seeds.size())];
      std::string input = target.json && random.below(2) ? fuzz::mutate_json(seed, random) : "";
      if (input.empty())
        input =
            compiles ? fuzz::mutate(seed, seeds[random.below(seeds.size())], random) : damaged(seed, random);
      look(target, input);
    }
  }
}

TEST_CASE("what was executed is found: a plan whose numbers reach outside is no harmless one", "[fuzz]") {
  CHECK(fuzz::find_target("plan")->check("{}").empty());
  CHECK(fuzz::find_target("expression")->check("S + S").empty());
  CHECK(fuzz::find_target("none") == nullptr);
}
