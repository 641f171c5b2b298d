#include "tools/irplan-run/generated.h"

#include <algorithm>
#include <cstdio>

#include "files/write.h"
#include "tools/irplan-run/figures.h"

namespace irplan::run {

Generated::Generated(const Options& options, int64_t rows) : stream_(options.stream), eos_(options.eos) {
  const auto count = static_cast<size_t>(rows);
  last_.resize(count);
  tokens_.resize(count);
  ended_.resize(count, false);
  Sampling how = options.sampling.over({});
  for (size_t row = 0; row < count; ++row, ++how.seed) samplers_.emplace_back(how);
}

Failure Generated::take(const float* logits, int64_t width) {
  std::string shown;
  for (size_t row = 0; row < last_.size(); ++row) {
    const auto id = samplers_[row].next(logits + static_cast<int64_t>(row) * width, width);
    if (!id)
      return "row " + std::to_string(row) + " after " + std::to_string(tokens_[row].size()) +
             " new tokens: " + id.message();
    last_[row] = *id;
    if (ended_[row]) continue;
    ended_[row] = std::find(eos_.begin(), eos_.end(), *id) != eos_.end();
    ++count_;
    if (stream_)
      shown += "{\"row\": " + std::to_string(row) + ", \"token\": " + std::to_string(*id) + "}\n";
    else if (last_.size() == 1)
      shown += (line_begun_ ? "," : "") + std::to_string(*id);
    tokens_[row].push_back(*id);
    line_begun_ = true;
  }
  return shown.empty() ? std::nullopt : write_standard_output(shown);
}

bool Generated::ended() const {
  return std::all_of(ended_.begin(), ended_.end(), [](bool ended) { return ended; });
}

Failure Generated::finish() {
  if (stream_ || !line_begun_) return std::nullopt;
  if (last_.size() == 1) return write_standard_output("\n");
  std::string lines;
  for (const auto& row : tokens_) {
    for (size_t i = 0; i < row.size(); ++i) lines += (i ? "," : "") + std::to_string(row[i]);
    lines += "\n";
  }
  return write_standard_output(lines);
}

std::string generation_text(const GenerationTimes& times) {
  std::string out =
      counted(times.prompt, "token") + " read, first new one after " + time_text(times.prompt_seconds);
  if (times.sequences > 1) out = counted(times.sequences, "sequence") + ": " + out;
  if (times.steps == 0 || times.steps_seconds <= 0) return out + "\n";
  const double tokens = static_cast<double>(times.generated - times.sequences),
               steps = static_cast<double>(times.steps);
  return out + "; then " + rate_text(tokens / times.steps_seconds) + " tokens a second, " +
         time_text(times.steps_seconds / steps) + " a step, " +
         rate_text(times.bytes * steps / times.steps_seconds * 1e-9) + " GB/s of weights and states read\n";
}

}  // namespace irplan::run
