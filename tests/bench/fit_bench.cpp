// How long `irplan fit` takes: the question whether a model fits, from its config alone.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "bench/bench.h"
#include "irplan/fit.h"

namespace irplan::bench {
namespace {

// What is aimed at, in seconds of one core of a common machine.
constexpr double kLarge = 0.020, kAll = 0.5;

nlohmann::ordered_json published_models() {
  std::ifstream file(std::filesystem::path(IRPLAN_SOURCE_DIR) / "tests/data/parameter-counts.json");
  std::stringstream text;
  text << file.rdbuf();
  return nlohmann::ordered_json::parse(text.str());
}

// With 64 sequences into 80 GiB: most do not fit, so that changes and the frontier are looked for, too.
Fit ask(const std::string& config) {
  FitOptions options;
  options.config = config;
  options.memory = int64_t{80} << 30;
  options.batch = 64;
  std::string why;
  auto found = fit(options, &why);
  if (!found) std::fprintf(stderr, "%s\n", why.c_str()), std::exit(1);
  return std::move(*found);
}

}  // namespace

int fit_bench() {
  std::printf("%s\n", circumstances().c_str());
  const auto models = published_models();
  double all = 0;
  for (const auto& [name, model] : models.items()) {
    const std::string config = model["config"].dump();
    const Fit found = ask(config);
    const Timing t = measure([&] { ask(config); });
    all += t.work;
    const std::string told = found.example + ", " + std::to_string(found.point.bytes.total()) + " B" +
                             (found.point.fits ? ", fits" : ", does not fit");
    if (name.find("70") == std::string::npos)
      row("fit " + name, t, told);
    else
      row("fit " + name, t, kLarge, told);
  }
  figure("fit of all " + std::to_string(models.size()) + " models, work of each", 1e3 * all, "ms",
         1e3 * kAll);
  return 0;
}

}  // namespace irplan::bench
