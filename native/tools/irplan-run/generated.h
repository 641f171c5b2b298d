// The tokens that a run generates: chosen from logits, shown as they come, and what they took.
//
//     one sequence        7,8,9        each id is out with its step; the line ends with the run
//     several             7,8,9        a line each, at the end
//     with --stream       {"row": 0, "token": 7}     a line each, with its step
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/backend.h"
#include "runtime/sampler.h"
#include "tools/irplan-run/options.h"

namespace irplan::run {

class Generated {
 public:
  Generated(const Options& options, int64_t rows);

  // The next token of each sequence from logits [rows, width]; those that have ended take part and are not
  // shown.
  Failure take(const float* logits, int64_t width);
  // Of each sequence, to be fed next.
  const std::vector<int64_t>& last() const { return last_; }
  bool ended() const;
  int64_t count() const { return count_; }  // tokens, of all sequences
  // What is not shown yet; to be called once, also after a failure.
  Failure finish();

 private:
  bool stream_, line_begun_ = false;
  std::vector<int64_t> eos_, last_;
  std::vector<Sampler> samplers_;
  std::vector<std::vector<int64_t>> tokens_;
  std::vector<bool> ended_;
  int64_t count_ = 0;
};

// When what happened, for the end of a run.
struct GenerationTimes {
  int64_t sequences = 0, prompt = 0;  // tokens of each prompt
  int64_t generated = 0, steps = 0;   // tokens of all sequences; steps after the prompt's
  double prompt_seconds = 0;          // until the first token was there
  double steps_seconds = 0;
  double bytes = 0;  // of weights and states that a step reads
};
// "17 tokens read and the first generated after 12.3 ms; then 85.1 tokens a second, …"
std::string generation_text(const GenerationTimes& times);

}  // namespace irplan::run
