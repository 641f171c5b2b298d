// plan.json for an engine of your own: read, proven true, and bound to the sizes of a step.
//
//     auto plan = irplan::PlanFile::read(text);
//     auto step = plan->bind("decode", {{"B", 8}, {"S", 1}, {"P", 511}});
//     arena = allocate(step->bytes.arena);
//     for (const auto& op : step->ops) launch(op.kernel, place(op.in), place(op.out));
//
// place() finds a value's first byte: its buffer's address in its segment, plus the value's own offset.
// Buffers of a segment other than the arena are allocated once, at the largest sizes of a run.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "irplan/dtype.h"
#include "irplan/result.h"

namespace irplan {

struct Plan;

class PlanFile {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;  // in lists of indices: nothing

  enum class Segment : uint8_t { Inputs, Weights, State, Arena };
  enum class Kind : uint8_t { Input, Param, State, Folded, Temp };

  struct Dim {
    std::string name;
    int64_t min = 0;
    std::optional<int64_t> max;
    int64_t value = 0;  // at which the file's plain numbers hold
    std::string per;    // of a ragged dim: one size for each row of that dim's axis
  };
  struct Output {
    std::string name, phase;  // phase empty: of all
    uint32_t value = 0;
  };

  using Sizes = std::vector<std::pair<std::string, int64_t>>;  // of dims, by name

  struct Bytes {
    int64_t weights = 0, state = 0, inputs = 0, arena = 0;
  };
  // Numbers of one step. Indices are those of the plan, the same in every step.
  struct Buffer {
    std::string id;
    Segment segment = Segment::Arena;
    bool here = false;   // lives in this phase; buffers of other phases' arenas do not
    int64_t bytes = 0;   // 0 unless it is here
    int64_t offset = 0;  // from the start of its segment
  };
  struct Value {
    std::string id;
    Kind kind = Kind::Temp;
    DType dtype = DType::F32;
    std::vector<int64_t> shape;
    std::vector<int64_t> strides;  // elements
    uint32_t buffer = kNone;
    int64_t offset = 0;  // bytes from the buffer's start
    std::string source;  // of params and states: the checkpoint's name
  };
  struct Op {
    std::string id, op, kernel;
    std::vector<uint32_t> in, out;  // values; kNone: an absent optional operand
    std::vector<uint32_t> scratch;  // buffers
    std::vector<std::pair<std::string, std::string>>
        attributes;  // as JSON, sizes as numbers: ("eps", "1e-05")
    int64_t flops = 0, bytes = 0;
  };
  struct Step {
    std::string phase;
    Bytes bytes;  // of each segment, buffers rounded up to the alignment
    std::vector<Buffer> buffers;
    std::vector<Value> values;  // those that this phase does not have have no shape
    std::vector<Op> ops;        // of the phase, in execution order
  };

  // Fails where the text is no plan, or one that does not hold, and says what and where.
  static Result<PlanFile> read(std::string_view json);

  const std::string& target() const;
  int64_t align() const;
  const std::vector<Dim>& dims() const { return dims_; }
  const std::vector<std::string>& phases() const { return phases_; }
  const std::vector<Output>& outputs() const { return outputs_; }

  // A phase at sizes of all dims, or "load": what is computed of weights once they are there, at no sizes; a
  // dim that is left out takes the phase's only size, else it is missing. None where a range or a guard
  // refuses the sizes.
  Result<Step> bind(const std::string& phase, const Sizes& sizes) const;

 private:
  explicit PlanFile(std::shared_ptr<const Plan> plan);

  std::shared_ptr<const Plan> plan_;
  std::vector<Dim> dims_;
  std::vector<std::string> phases_;
  std::vector<Output> outputs_;
};

}  // namespace irplan
