// Which sequences run in one step, and how many tokens each feeds.
//
//     pending   a 40   b 3   c 5   d 1   e 1        tokens that are known and not fed yet
//     step 1    a 40                                enough work by itself; the oldest goes first
//     step 2    d 1, e 1                            those with one token: decoding
//     step 3    b 3, c 3                            of one size, unless a plan's steps may be ragged
//
// A step of few tokens costs what reading the weights does, whatever their number: until then rows are added.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace irplan::run {

// Tokens of a step that cost about what reading the weights once does.
constexpr int64_t kFreeTokens = 32;

struct Pending {
  size_t slot = 0;
  int64_t tokens = 0;  // that it could feed now: at most the longest step
  int64_t order = 0;   // of admission
};

struct Batch {
  std::vector<size_t> slots;    // rising
  std::vector<int64_t> counts;  // tokens of each
  int64_t count() const;        // of the longest
};

// Of sequences with several tokens pending the step that runs next, with the oldest of them, of at most
// `most` tokens in all: each as many tokens as the others, or, where steps are `ragged`, its own. Then those
// that decode may join, if that costs less than a step of their own. Empty where none has several.
Batch next_prompts(const std::vector<Pending>& pending, int64_t most, bool ragged);
// All that have one token pending.
Batch decoding(const std::vector<Pending>& pending);

}  // namespace irplan::run
