// Sequences at different positions in one step give the logits that each has alone in its reference: every
// family, with states as they are and in rings that wrap.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "catch.h"
#include "cpu/cpu_backend.h"
#include "files/mapped_file.h"
#include "irplan/compile.h"
#include "irplan/new_program.h"
#include "runtime/open_weights.h"
#include "runtime/safetensors.h"
#include "runtime/session.h"
#include "tools/irplan-run/token_steps.h"

using namespace irplan;
namespace fs = std::filesystem;

namespace {

// Checkpoints of the repository, and the larger collection where it lies beside it.
std::vector<fs::path> families() {
  std::vector<fs::path> found;
  std::set<std::string> seen;
  const fs::path root = IRPLAN_SOURCE_DIR;
  for (const fs::path& folder : {root / "tests/data/goldens", root.parent_path() / "shared/goldens"}) {
    if (!fs::is_directory(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (fs::exists(entry.path() / "reference.safetensors") && seen.insert(entry.path().filename()).second)
        found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string file_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class Trial {
 public:
  Trial(const fs::path& folder, const std::vector<std::pair<std::string, std::string>>& lets) {
    const std::string config = file_text(folder / "config.json");
    const auto program = new_program(config);
    REQUIRE(program);
    CompileOptions options;
    options.config = config;
    options.lets = lets;
    options.target = "cpu";
    const Compilation made = compile(SourceText("model.irplan", program->text), options);
    INFO(render(made.diagnostics, made.source, false));
    REQUIRE(made.ok);
    auto plan = checked_plan(made.plan_json, "plan.json");
    REQUIRE(plan.message() == "");
    plan_ = std::make_unique<Plan>(*std::move(plan));
    const auto json = nlohmann::json::parse(config);
    half_ = json.value("dtype", json.value("torch_dtype", "")) == "bfloat16";

    const auto file = MappedFile::open((folder / "reference.safetensors").string());
    REQUIRE(file);
    const auto reference = Safetensors::read({file->data(), file->size()});
    REQUIRE(reference);
    tokens_ = to_array(*reference->find("tokens"));
    logits_ = to_array(*reference->find("logits"));
    for (const float x : logits_.f) largest_ = std::max(largest_, std::fabs(x));
    const fs::path single = folder / "model.safetensors";
    auto source = open_weights((fs::exists(single) ? single : folder).string());
    REQUIRE(source.message() == "");
    source_ = *std::move(source);
    backend_ = make_cpu_backend();
    session_ = std::make_unique<Session>(*plan_, *backend_);
    auto steps = run::TokenSteps::of(*plan_, {});
    REQUIRE(steps.message() == "");
    steps_ = *std::move(steps);
    REQUIRE(steps_->ragged());
  }

  int64_t length() const { return tokens_.shape[1]; }
  bool has_rings() const {
    return std::any_of(plan_->values.begin(), plan_->values.end(),
                       [](const auto& v) { return v.layout == Plan::Layout::Ring; });
  }

  // Room for both sequences at their ends, in steps of at most so many tokens.
  void prepare(int64_t longest_step) {
    std::vector<Step> widest;
    for (const int64_t count : {longest_step, int64_t{1}}) {
      auto step = steps_->step(count, {length() - count, length() - count});
      INFO(step.message());
      REQUIRE(step);
      widest.push_back(std::move(*step));
    }
    const Failure failure = session_->prepare(widest, *source_);
    INFO(failure.value_or(""));
    REQUIRE_FALSE(failure);
  }

  // The next tokens of the sequences `first`.., which hold `positions` already.
  void step(int64_t count, int64_t first, const std::vector<int64_t>& positions) {
    const auto rows = static_cast<int64_t>(positions.size());
    HostArray ids;
    ids.floats = false;
    ids.shape = {rows, count};
    for (int64_t b = 0; b < rows; ++b) {
      const auto from = tokens_.i.begin() + (first + b) * length() + positions[static_cast<size_t>(b)];
      ids.i.insert(ids.i.end(), from, from + count);
    }
    auto sizes = steps_->step(count, positions);
    INFO(sizes.message());
    REQUIRE(sizes);
    sizes->first_slot = first;
    REQUIRE_FALSE(session_->bind(*sizes));
    REQUIRE_FALSE(session_->set_input(steps_->input(), ids));
    REQUIRE_FALSE(session_->run());
    const auto got = session_->read(find_output(*plan_, "logits", sizes->phase)->value);
    REQUIRE(got);
    compare(*got, count, first, positions);
  }

 private:
  // Within 2e-5 of the largest logit; in bf16 5e-2, which is what the reference itself is from exact numbers.
  void compare(const HostArray& got, int64_t count, int64_t first, const std::vector<int64_t>& positions) {
    const int64_t width = logits_.shape[2];
    REQUIRE(got.count() == static_cast<int64_t>(positions.size()) * count * width);
    float worst = 0;
    for (size_t b = 0; b < positions.size(); ++b) {
      const int64_t want = ((first + static_cast<int64_t>(b)) * length() + positions[b]) * width;
      for (int64_t i = 0; i < count * width; ++i) {
        const float a = got.f[b * static_cast<size_t>(count * width) + static_cast<size_t>(i)];
        worst = std::max(worst,
                         std::isnan(a) ? INFINITY : std::fabs(a - logits_.f[static_cast<size_t>(want + i)]));
      }
    }
    INFO(count << " tokens of sequences " << first << ".. at " << positions[0] << ", " << positions.back());
    CHECK(worst <= (half_ ? 5e-2f : 2e-5f) * largest_);
  }

  std::unique_ptr<Plan> plan_;
  HostArray tokens_, logits_;
  float largest_ = 0;
  bool half_ = false;
  std::optional<WeightSource> source_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Session> session_;
  std::optional<run::TokenSteps> steps_;
};

// The first sequence is behind, then both go on together until the second has ended.
void both_at_once(Trial& trial, int64_t longest_step) {
  trial.prepare(longest_step);
  int64_t behind = 3, ahead = 0;
  trial.step(behind, 0, {0});
  for (; ahead < 20; ahead += 4) trial.step(4, 1, {ahead});
  for (int64_t i = 0; ahead < trial.length(); ++i) {
    const int64_t count = std::min(std::vector<int64_t>{1, 5, 1, 1, longest_step}[static_cast<size_t>(i % 5)],
                                   trial.length() - ahead);
    trial.step(count, 0, {behind, ahead});
    behind += count;
    ahead += count;
  }
}

}  // namespace

TEST_CASE("models: sequences at different positions give what each gives alone") {
  const auto all = families();
  REQUIRE(all.size() >= 9);
  size_t rings = 0;
  for (const fs::path& family : all) {
    INFO(family.filename().string());
    Trial whole(family, {{"every", "true"}});
    both_at_once(whole, 8);
    Trial short_steps(family, {{"every", "true"}, {"chunk", "8"}});
    if (!short_steps.has_rings()) continue;
    ++rings;
    both_at_once(short_steps, 8);
  }
  CHECK(rings >= 2);
}
