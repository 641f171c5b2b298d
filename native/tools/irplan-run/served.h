// What serving requests came to, for the end of a run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace irplan::run {

class Served {
 public:
  int64_t served = 0, rejected = 0, failed = 0;  // requests
  int64_t malformed = 0;                         // lines that are no requests
  int64_t read = 0, generated = 0;               // tokens of prompts, and new ones
  int64_t busy_us = 0;                           // of all steps
  int64_t most_at_once = 0;                      // slots that were in use together

  void first_token(int64_t us) { first_us_.push_back(us); }  // since its request arrived
  void step(int64_t us) { step_us_.push_back(us); }          // of decoding

  // In lines for stderr: counts, rates, percentiles.
  std::string text(int64_t unanswered) const;

 private:
  std::vector<int64_t> first_us_, step_us_;
};

}  // namespace irplan::run
