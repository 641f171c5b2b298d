// Tokens in steps, and generation after them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>

#include "tools/irplan-run/figures.h"
#include "tools/irplan-run/generated.h"
#include "tools/irplan-run/profile.h"
#include "tools/irplan-run/runner.h"
#include "tools/irplan-run/tensors.h"
#include "tools/irplan-run/token_steps.h"
#include "tools/irplan-run/traffic.h"

namespace irplan::run {
namespace {

constexpr int64_t kMaxTokens = int64_t{1} << 24;  // of one run

// Ids as rows of a matrix.
Result<HostArray> read_ids(const std::string& text) {
  HostArray ids;
  ids.floats = false;
  if (text[0] != '@') {
    const auto numbers = whole_numbers(text);
    if (!numbers)
      return Error{"--tokens takes ids with commas between, or @ids.npy, not `" + text.substr(0, 80) + "`"};
    ids.i = *numbers;
    ids.shape = {1, static_cast<int64_t>(ids.i.size())};
    return ids;
  }
  const auto file = TensorFile::open(text.substr(1));
  if (!file) return file.error();
  const StoredTensor& tensor = file->tensor();
  if (info(tensor.type).floats || tensor.shape.empty() || tensor.shape.size() > 2 || tensor.count() == 0) {
    return Error{text.substr(1) + ": is " + info(tensor.type).name + irplan::text(tensor.shape) +
                 ", expected integers [B, T]"};
  }
  if (tensor.count() > kMaxTokens)
    return Error{text.substr(1) + ": holds " + std::to_string(tensor.count()) + " ids, more than the " +
                 std::to_string(kMaxTokens) + " of one run"};
  ids = to_array(tensor);
  if (ids.shape.size() == 1) ids.shape.insert(ids.shape.begin(), 1);
  return ids;
}

// Columns [begin, begin + count) of a matrix.
HostArray columns(const HostArray& matrix, int64_t begin, int64_t count) {
  HostArray out;
  out.floats = false;
  out.shape = {matrix.shape[0], count};
  for (int64_t b = 0; b < matrix.shape[0]; ++b) {
    const auto from = matrix.i.begin() + b * matrix.shape[1] + begin;
    out.i.insert(out.i.end(), from, from + count);
  }
  return out;
}

// Arrays of all steps, put together along axis 1; of an output that has none, the last step's.
class Joined {
 public:
  void add(HostArray array) { parts_.push_back(std::move(array)); }
  Result<HostArray> joined() const {
    const HostArray& last = parts_.back();
    if (last.shape.size() < 2) return last;
    HostArray out;
    out.floats = last.floats;
    out.shape = last.shape;
    out.shape[1] = 0;
    for (const HostArray& part : parts_) {
      std::vector<int64_t> like = part.shape;
      like[1] = last.shape[1];
      if (like != last.shape)
        return Error{"has other extents in other steps, " + text(part.shape) + " and " + text(last.shape)};
      out.shape[1] += part.shape[1];
    }
    for (int64_t b = 0; b < out.shape[0]; ++b) {
      for (const HostArray& part : parts_) {
        const int64_t row = out.shape[0] ? part.count() / out.shape[0] : 0;
        if (out.floats) out.f.insert(out.f.end(), part.f.begin() + b * row, part.f.begin() + (b + 1) * row);
        if (!out.floats) out.i.insert(out.i.end(), part.i.begin() + b * row, part.i.begin() + (b + 1) * row);
      }
    }
    return out;
  }

 private:
  std::vector<HostArray> parts_;
};

class TokenRun {
 public:
  TokenRun(const Plan& plan, Backend& backend, const Options& options)
      : plan_(plan),
        backend_(backend),
        options_(options),
        session_(plan, backend),
        profile_(plan),
        schedule_report_(options) {}

  Exit run() {
    Results results;
    if (!results.open(plan_, options_)) return kFailed;
    auto ids = read_ids(options_.tokens);
    if (!ids)
      return fail(options_.tokens[0] == '@' ? kFailed : kUsage, ids.message()),
             options_.tokens[0] == '@' ? kFailed : kUsage;
    ids_ = std::move(*ids);
    rows_ = ids_.shape[0];
    if (auto failure = cannot_write_reports(options_)) return fail(kFailed, *failure), kFailed;
    auto steps = TokenSteps::of(plan_, options_);
    if (!steps) return fail(kFailed, steps.message()), kFailed;
    steps_ = *std::move(steps);
    if (!options_.inputs.empty())
      return fail(kUsage, "--input " + options_.inputs[0].name + ": --tokens is the only input here"), kUsage;
    if (const Exit code = plan_steps(); code != kDone) return code;
    if (auto failure = lacks_logits()) return fail(kFailed, *failure), kFailed;
    for (const std::string& name : results.names()) {
      for (const auto& [count, step] : schedule_) {
        const bool asked = !options_.outputs.empty() || !options_.expects.empty();
        if (asked && !find_output(plan_, name, step.phase))
          return fail(kFailed, name + " is not an output of phase " + step.phase + ", which this run needs"),
                 kFailed;
      }
    }
    if (auto failure = ids_outside(plan_, steps_->input(), ids_, schedule_[0].second.sizes.dims))
      return fail(kFailed, *failure), kFailed;
    if (!check_extremes()) return kFailed;
    const auto source = weights_for(plan_, options_);
    if (!source || !prepare(session_, widest_, *source, backend_, options_)) return kFailed;
    auto failure = execute(results.names());
    if (generated_) {
      auto unsaid = generated_->finish();
      if (!failure) failure = unsaid;
    }
    if (failure) return fail(kFailed, *failure), kFailed;
    std::fputs(told_.c_str(), stderr);
    if (options_.profiles()) {
      if (const Exit code = profile_.show(options_); code != kDone) return code;
    }
    std::map<std::string, HostArray> arrays;
    for (auto& [name, joined] : joined_) {
      auto array = joined.joined();
      if (!array) return fail(kFailed, name + ": " + array.message()), kFailed;
      arrays[name] = std::move(*array);
    }
    return results.finish(arrays, dtypes_);
  }

 private:
  int64_t length() const { return ids_.shape[1]; }
  std::vector<int64_t> positions(int64_t p) const {
    return std::vector<int64_t>(static_cast<size_t>(rows_), p);
  }

  // All steps, before anything is allocated; a text that the plan cannot hold is refused here.
  Exit plan_steps() {
    const int64_t fresh = options_.generate.value_or(1) - 1;  // the last token that is generated is not fed
    if (length() > kMaxTokens || fresh > kMaxTokens - length())
      return fail(kFailed, "--tokens: " + counted(length(), "token") + " and " + std::to_string(fresh + 1) +
                               " new ones are more than the " + std::to_string(kMaxTokens) + " of one run"),
             kFailed;
    if (fresh > 0 && !steps_->holds_positions())
      return fail(kFailed,
                  "--generate: the plan appends to no state, so a token would not see those before it"),
             kFailed;
    if (fresh > 0) {
      if (const auto last = steps_->step(1, positions(length() + fresh - 1)); !last)
        return fail(kFailed, "--generate: " + counted(length(), "token") + " and " +
                                 std::to_string(fresh + 1) + " new ones do not fit: " + last.message()),
               kFailed;
    }
    int64_t sum = 0;
    bool beyond = false;
    for (const int64_t n : options_.chunks) beyond = __builtin_add_overflow(sum, n, &sum) || beyond;
    if (!options_.chunks.empty() && (beyond || sum != length()))
      return fail(kFailed, "--chunks: they sum to " + (beyond ? "more than 2^63" : std::to_string(sum)) +
                               ", but there are " + std::to_string(length()) + " tokens"),
             kFailed;
    std::vector<int64_t> chunks = options_.chunks;
    for (int64_t at = 0, i = 0; at < length(); ++i) {
      int64_t taken = 0;
      const bool told = !chunks.empty();
      if (told) taken = chunks[static_cast<size_t>(i)];
      auto step =
          told ? steps_->step(taken, positions(at)) : steps_->largest(length() - at, positions(at), &taken);
      if (!step)
        return fail(kFailed, std::string(told ? "--chunks" : "--tokens") + ": a step of " +
                                 std::to_string(told ? taken : 1) + " after " + std::to_string(at) +
                                 " tokens is not allowed: " + step.message()),
               kFailed;
      if (at > 0 && !steps_->holds_positions())
        return fail(kFailed, "--tokens: the plan appends to no state and allows at most " +
                                 std::to_string(at) + " tokens, in one step; there are " +
                                 std::to_string(length())),
               kFailed;
      schedule_.emplace_back(taken, std::move(*step));
      at += taken;
    }
    for (int64_t i = 0; i < fresh; ++i) {
      auto step = steps_->step(1, positions(length() + i));
      if (!step) return fail(kFailed, "--generate: " + step.message()), kFailed;
      schedule_.emplace_back(1, std::move(*step));
    }
    return kDone;
  }

  // Of the steps after which a token is chosen.
  Failure lacks_logits() const {
    int64_t at = 0;
    for (const auto& [count, step] : schedule_) {
      at += count;
      if (options_.generate && at >= length() && !find_output(plan_, "logits", step.phase))
        return "--generate needs an output `logits`, which phase " + step.phase + " lacks";
    }
    return std::nullopt;
  }

  // Sizes only grow with positions, so the first and the last step of each phase and size stand for those
  // between.
  bool check_extremes() {
    std::map<std::pair<std::string, int64_t>, std::pair<size_t, size_t>> ends;
    for (size_t i = 0; i < schedule_.size(); ++i) {
      auto [at, fresh] = ends.try_emplace({schedule_[i].second.phase, schedule_[i].first}, i, i);
      at->second.second = i;
    }
    for (const auto& [what, end] : ends) {
      for (const size_t i : {end.first, end.second}) {
        if (auto failure = check_step(plan_, schedule_[i].second)) return fail(kFailed, *failure), false;
      }
      widest_.push_back(schedule_[end.second].second);
    }
    return true;
  }

  Failure execute(const std::vector<std::string>& names) {
    using Clock = std::chrono::steady_clock;
    if (options_.generate) generated_.emplace(options_, rows_);
    const auto begin = Clock::now();
    const auto since = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
    GenerationTimes times{.sequences = rows_, .prompt = length()};
    int64_t at = 0;
    size_t done = 0;
    for (; done < schedule_.size() && !(generated_ && generated_->ended()); ++done) {
      const auto& [count, step] = schedule_[done];
      const HostArray fed = at < length() ? columns(ids_, at, count) : last_ids();
      if (auto failure = session_.bind(step)) return failure;
      schedule_report_.show(plan_, session_, step);
      if (auto failure = session_.set_input(steps_->input(), fed)) return failure;
      if (auto failure = options_.profiles()
                             ? profile_.run(step, [&](OpRange only) { return session_.run(only); })
                             : session_.run())
        return failure;
      at += count;
      if (auto failure = collect(names, step.phase)) return failure;
      if (generated_ && at >= length()) {
        if (auto failure = next_tokens(step, count)) return failure;
      }
      if (at == length()) times.prompt_seconds = since();
    }
    times.steps_seconds = since() - times.prompt_seconds;
    if (generated_) {
      times.generated = generated_->count();
      times.steps = at - length();
      if (times.steps > 0) times.bytes = held_bytes(done - static_cast<size_t>(times.steps), done - 1);
      told_ = generation_text(times);
    } else if (options_.verbose) {
      std::fprintf(stderr, "text: %s in %s\n", counted(length() * rows_, "token").c_str(),
                   time_text(times.prompt_seconds).c_str());
    }
    return std::nullopt;
  }

  // Of weights and states that a step reads, between the first and the last of these steps: they grow with
  // positions.
  double held_bytes(size_t first, size_t last) const {
    return (traffic_of(plan_, schedule_[first].second).held() +
            traffic_of(plan_, schedule_[last].second).held()) /
           2;
  }

  HostArray last_ids() const {
    HostArray ids;
    ids.floats = false;
    ids.shape = {rows_, 1};
    ids.i = generated_->last();
    return ids;
  }

  Failure collect(const std::vector<std::string>& names, const std::string& phase) {
    const bool wanted = !options_.outputs.empty() || !options_.expects.empty() || !options_.generate;
    for (const std::string& name : names) {
      const Plan::Output* output = wanted ? find_output(plan_, name, phase) : nullptr;
      if (!output) continue;
      auto array = session_.read(output->value);
      if (!array) return array.message();
      joined_[name].add(std::move(*array));
      dtypes_[name] = plan_.values[output->value].dtype;
    }
    return std::nullopt;
  }

  Failure next_tokens(const Step& step, int64_t count) {
    const Plan::Output* output = find_output(plan_, "logits", step.phase);
    int64_t width = 0;
    const std::vector<int64_t> last(static_cast<size_t>(rows_), count - 1);
    if (auto failure = session_.read_rows(output->value, last, &logits_, &width))
      return "--generate: " + *failure;
    return generated_->take(logits_.data(), width);
  }

  const Plan& plan_;
  Backend& backend_;
  const Options& options_;
  Session session_;
  Profile profile_;
  ScheduleReport schedule_report_;
  HostArray ids_;
  std::vector<float> logits_;
  std::optional<Generated> generated_;
  std::string told_;  // of it, for the end
  int64_t rows_ = 0;
  std::optional<TokenSteps> steps_;
  std::vector<std::pair<int64_t, Step>> schedule_;  // how many new tokens, and the step
  std::vector<Step> widest_;
  std::map<std::string, Joined> joined_;
  std::map<std::string, DType> dtypes_;
};

}  // namespace

Exit run_tokens(const Plan& plan, Backend& backend, const Options& options) {
  return TokenRun(plan, backend, options).run();
}

}  // namespace irplan::run
