// A model as `fit` asks it: one planned graph with the length of its caches as a dim, and what it takes at
// any sizes and with states or weights in fewer bits, by the plan's own formulas.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "irplan/fit.h"
#include "passes/measure.h"

namespace irplan::fitting {

// One choice: sizes, and how what `--retype` may take is stored.
struct Choice {
  int64_t context = 1, batch = 1, step = 1;
  std::optional<DType> state, weights;
};

// What all examples call the rows of a cache, sequences, and new tokens of a step.
inline constexpr const char* kContext = "C";
inline constexpr const char* kBatch = "B";
inline constexpr const char* kStep = "S";
inline constexpr int64_t kMostSequences = 8192;

// An example with `let C` as `dim C in 1..longest`, and as many sequences as anybody serves. Elsewhere at the
// top level C is its largest size, since ranges end at numbers. `fixed`: caches have that length alone. None
// where the program has no such names.
struct Opened {
  std::string text;
  int64_t most_sequences = 0;  // that the example itself admits; 0: it is no number
};
std::optional<Opened> opened(const std::string& program, int64_t longest, bool fixed = false);

class Model {
 public:
  // Of a graph whose memory is planned. `counted`: what matrices that it stores wide are counted as.
  explicit Model(std::shared_ptr<const Graph> graph, std::optional<DType> counted = std::nullopt);

  // None where no step of such sizes is admitted.
  std::optional<FitPoint> at(const Choice& choice) const;
  // The first of the graph's budgets in bytes from the command line that the point exceeds, by its text.
  std::optional<std::string> broken(const FitPoint& point) const;

  int64_t longest() const { return context_ ? range(*context_).hi : 0; }
  int64_t longest_step() const { return step_ ? range(*step_).hi : 1; }
  // Whether fewer bits for them make anything smaller.
  bool shrinks(ValueKind kind, DType dtype) const;
  // Bytes of the weights by dtype, the most first.
  std::vector<std::pair<std::string, int64_t>> stored() const;

 private:
  // Buffers of one size and kind.
  struct Group {
    Expr bytes;
    Segment segment;
    DType dtype;
    bool retypable;
    bool recounted;  // a wide matrix of the weights, counted in fewer bits
    int64_t count;
  };
  Interval range(DimIndex dim, uint32_t phase = kNoPhase) const;
  bool admits(uint32_t phase, const Binding& binding) const;
  int64_t largest(uint32_t phase, Binding binding, DimIndex dim, int64_t guess) const;
  std::optional<Binding> corner(uint32_t phase, const Choice& choice, bool step_first) const;
  std::optional<int64_t> arena(uint32_t phase, const Binding& binding) const;
  std::optional<FitBytes> resident(const Binding& binding, const Choice& choice) const;
  FitStep step_of(uint32_t phase, const Binding& binding, int64_t arena) const;

  std::shared_ptr<const Graph> graph_;
  Meter meter_;
  std::optional<DType> counted_;
  std::vector<Group> groups_;
  DimIndex batch_ = 0;
  std::optional<DimIndex> context_, step_;  // no context: caches have one length, which whoever asks knows
};

}  // namespace irplan::fitting
