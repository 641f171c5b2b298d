// Mutated example programs, the same ones at every run: no text crashes the parser or the formatter, and no
// layout changes a program. IRPLAN_FUZZ=N takes other texts, and N times as many.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "catch.h"
#include "fuzz/mutate.h"
#include "fuzz/subjects.cpp"

using namespace irplan;

namespace {

constexpr int kTexts = 4000;
constexpr int kPrograms = 400;

int rounds() {
  const char* told = std::getenv("IRPLAN_FUZZ");
  return told ? std::max(1, std::atoi(told)) : 1;
}

std::vector<std::string> seeds() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(IRPLAN_SOURCE_DIR "/examples")) {
    if (entry.path().extension() == ".irplan") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts;
  for (const auto& path : paths) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    texts.push_back(text.str());
  }
  return texts;
}

}  // namespace

TEST_CASE("every example is a program, and its layout is sound", "[fuzz]") {
  const auto texts = seeds();
  REQUIRE(!texts.empty());
  for (const std::string& text : texts) {
    CHECK(fuzz::check_text(text).empty());
    Diagnostics diagnostics;
    CHECK(format(SourceText("example.irplan", text), diagnostics).has_value());
  }
}

TEST_CASE("mutated texts are answered", "[fuzz]") {
  const auto texts = seeds();
  fuzz::Random random(static_cast<uint64_t>(rounds()));
  for (int i = 0; i < kTexts * rounds(); ++i) {
    const std::string text =
        fuzz::mutate(texts[random.below(texts.size())], texts[random.below(texts.size())], random);
    const std::string why = fuzz::check_text(text);
    if (!why.empty()) FAIL(why + "\n=== of ===\n" + text);
  }
}

TEST_CASE("mutated programs are compiled or refused", "[fuzz]") {
  const auto texts = seeds();
  const std::string hotpath =
      "input x: f16[1, S, D]\nw = param f16[D]\n\nn = rmsnorm(x, w, eps=1e-5)\nout = output(silu(n))\n";
  fuzz::Random random(static_cast<uint64_t>(1 + rounds()));
  for (int i = 0; i < kPrograms * rounds(); ++i) {
    const std::string& seed = random.below(3) ? hotpath : texts[random.below(texts.size())];
    const std::string text = fuzz::mutate(seed, texts[random.below(texts.size())], random);
    const std::string why = fuzz::check_compile(text, "{}");
    if (!why.empty()) FAIL(why + "\n=== of ===\n" + text);
  }
}
