// How long `irplan fit` takes: the question whether a model fits, from its config alone.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

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
  auto found = fit(options);
  if (!found) std::fprintf(stderr, "%s\n", found.message().c_str()), std::exit(1);
  return std::move(*found);
}

// The same question to the command, which lies beside this program: a process that starts, asks and ends. Its
// exit code says whether it fits.
class Process {
 public:
  explicit Process(const std::string& config)
      : config_(std::filesystem::temp_directory_path() /
                ("irplan-fit-bench-" + std::to_string(getpid()) + ".json")),
        command_(std::filesystem::read_symlink("/proc/self/exe").parent_path() / "irplan") {
    std::ofstream(config_) << config;
  }
  ~Process() { std::filesystem::remove(config_); }

  void run() const {
    std::vector<std::string> words = {command_, "fit", config_, "--memory", "80GiB", "--batch", "64"};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    int status = 0;
    const bool ran = posix_spawn(&child, command_.c_str(), &files, nullptr, arguments.data(), environ) == 0 &&
                     waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) != 1;
    posix_spawn_file_actions_destroy(&files);
    if (!ran) std::fprintf(stderr, "%s does not answer\n", command_.c_str()), std::exit(1);
  }

 private:
  std::filesystem::path config_, command_;
};

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
    if (name.find("70") == std::string::npos) {
      row("fit " + name, t, told);
      continue;
    }
    row("fit " + name, t, kLarge, told);
    const Process process(config);
    row("irplan fit " + name, measure([&] { process.run(); }), kLarge, "the whole process");
  }
  figure("fit of all " + std::to_string(models.size()) + " models, work of each", 1e3 * all, "ms",
         1e3 * kAll);
  return 0;
}

}  // namespace irplan::bench
