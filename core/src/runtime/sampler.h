// The next token of a sequence from its logits. The same logits and seed give the same ids on every machine:
// probabilities are whole numbers that integer arithmetic makes, and the generator is SplitMix64.
//
//     logits                        2.0   1.0   0.5  -1.0      ids 0..3
//     1  temperature T=0.5          z = (logit - largest) / T  =  0  -2  -3  -6
//     2  top_k=3                    the k largest: 0 1 2       ties go to the lowest id
//     3  top_p=0.95                 weights 2^40 e^z of those in 2; the fewest largest whose sum is at least
//                                   p of all: 0 1
//     4  min_p=0.2                  none below min_p of the largest: 0
//     5  draw                       token i takes number i of SplitMix64(seed), scaled to the sum of the
//     weights
//
// A token below 2^-40 of the largest has no chance. Temperature 0 takes the largest logit, and draws nothing.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "irplan/result.h"

namespace irplan {

struct Sampling {
  double temperature = 0;  // 0: the largest logit
  int64_t top_k = 0;       // 0: any number
  double top_p = 1, min_p = 0;
  uint64_t seed = 0;

  bool greedy() const { return temperature == 0; }
};

// Some of the numbers of a Sampling, as options and requests give them. A filter without a temperature
// samples at 1.
class SamplingWords {
 public:
  static constexpr const char* kNames[] = {"temperature", "top_k", "top_p", "min_p", "seed"};
  // What the field takes, where it does not take the number: "takes a number from 0, …".
  std::optional<std::string> set(std::string_view name, double number);
  // What was given here, then there, then what is usual.
  Sampling over(const SamplingWords& otherwise) const;
  bool any() const;

 private:
  std::optional<double> given_[std::size(kNames)];  // by kNames
};

// Chooses the tokens of one sequence, one after the other.
class Sampler {
 public:
  Sampler() = default;  // greedy
  explicit Sampler(const Sampling& how) : how_(how) {}
  // None with the reason where the logits are no numbers: "logits hold NaN", "logits hold +inf", "all
  // logits are -inf".
  Result<int64_t> next(const float* logits, int64_t count);

 private:
  struct Candidate {
    float logit;
    int32_t id;
    uint64_t weight;  // of kWhole
    // Largest first; of equal ones the lowest id.
    bool before(const Candidate& other) const {
      return logit != other.logit ? logit > other.logit : id < other.id;
    }
  };
  void keep_top_k();
  void keep_top_p();

  Sampling how_;
  uint64_t taken_ = 0;                 // tokens
  std::vector<Candidate> candidates_;  // used again for each token
};

// 2^40 e^z of a z that is not positive, to 9 digits, the same everywhere.
uint64_t sampling_weight(double z);
// Number `i` of the generator that a seed starts: SplitMix64 of Steele, Lea and Flood (2014).
uint64_t split_mix(uint64_t seed, uint64_t i);

}  // namespace irplan
