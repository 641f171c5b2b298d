// A plan's params filled from a checkpoint, or with random numbers.
//
// By a param's `source`: the tensor of that name, or the only one that ends in `.` + it; `{*}` stacks tensors
// 0, 1, … on axis 0; mxfp4 also loads from its published pair `_blocks` and `_scales`. Element counts must
// agree; floats convert, and are refused where they are not finite or the dtype cannot hold them; block
// dtypes are quantised, and what that costs is told.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "plan/plan.h"
#include "runtime/backend.h"
#include "runtime/checkpoint.h"
#include "runtime/find_weights.h"

namespace irplan {

// Who keeps the bytes of a checkpoint's tensors: files, or memory.
class TensorBytes {
 public:
  virtual ~TensorBytes() = default;
  // Whose bytes are others than when it was opened, and what to do; none where all are as they were.
  virtual Failure changed() const { return std::nullopt; }
  // These were read; memory that they take may be used for others.
  virtual void let_go(std::span<const std::byte>) const {}
};

// Where weights come from: a checkpoint, or a seed.
struct WeightSource {
  std::optional<Checkpoint> checkpoint;
  std::shared_ptr<TensorBytes> bytes;  // of its tensors; null where whoever made them keeps them
  uint64_t seed = 0;                   // without a checkpoint
};

struct WeightReport {
  int64_t bytes = 0;                // of the plan's params
  std::vector<std::string> unread;  // tensors of the checkpoint that no param names
  std::vector<std::string> turned;  // sentences on tensors whose extents are those declared in another order
  struct Quantised {
    std::string id;
    std::string from;  // the stored type
    DType to;
    double error = 0;  // rms of the difference over rms of the original
  };
  std::vector<Quantised> quantised;  // to eight bits or less
  double error = 0;                  // of all of them together
};

// Told the bytes that are loaded so far, and those of all.
using LoadProgress = std::function<void(int64_t, int64_t)>;

// Every problem that names, shapes and types show, in one message before anything is allocated.
Failure check_weights(const Plan& plan, const Binding& binding, const WeightSource& source);

// Fills params where `memory` has them, one after another, in any order; what was read of a checkpoint is let
// go of as soon as it is on the device.
class WeightLoader {
 public:
  WeightLoader(const Plan& plan, const Binding& binding, const WeightSource& source, PlanMemory memory,
               Backend& backend, const LoadProgress& progress, WeightReport* report);
  ~WeightLoader();
  WeightLoader(const WeightLoader&) = delete;
  WeightLoader& operator=(const WeightLoader&) = delete;

  Failure load(uint32_t value);
  // Elements [first, first + count) alone, at the beginning of the value's place; of a value one such part
  // after another, to the last. Blocks are not cut.
  Failure load(uint32_t value, int64_t first, int64_t count);
  // After the last, and after a failure: whether what was read is still what was checked. Tensors that
  // nothing read are in the report.
  Failure finish();

 private:
  class Pieces;
  Failure load_stored(const BoundParam& target, int64_t first, int64_t count);
  Failure load_random(uint32_t value, const BoundParam& target, int64_t first, int64_t count);

  const Plan& plan_;
  const Binding& binding_;
  const WeightSource& source_;
  std::unique_ptr<Pieces> pieces_;
  std::optional<ParamFinder> finder_;
  std::unordered_map<uint32_t, float> norms_;  // params of norms, by value: the number around which they lie
  WeightReport* report_;
};

}  // namespace irplan
