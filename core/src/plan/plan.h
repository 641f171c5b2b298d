// plan.json as data: what a runtime executes, a scheduler admits requests by, and a page draws.
//
// The table of its keys is plan/fields.h; what they mean, the format's history and its promises:
// core/plan.md. References between records are indices here and ids in the file; kAbsent stands for none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "dims/expr.h"
#include "irplan/result.h"
#include "irplan/strength.h"
#include "ops/op.h"
#include "ops/weight_layout.h"

namespace irplan {

struct KernelRow;

constexpr const char* kPlanVersion = "0.1.0";
constexpr int64_t kMaxJsonInt = (int64_t{1} << 53) - 1;
constexpr uint32_t kAbsent = UINT32_MAX;

struct Plan {
  using Ids = InlineVector<uint32_t, 4>;  // indices of records
  enum class Kind : uint8_t { Input, Param, State, Folded, Temp };
  enum class Segment : uint8_t { Inputs, Weights, State, Arena };
  using Strength = irplan::Strength;
  // Of states, then of packed weights in the order of ops/weight_layout.h.
  enum class Layout : uint8_t { None, Contiguous, Ring, Panels16 };

  struct Dim {
    std::string name;
    int64_t min = 0;
    std::optional<int64_t> max;
    int64_t value = 0;
    bool assumed = false;
    std::string per;  // of a ragged dim: one value for each row of that dim's axis
  };
  struct Guard {
    Expr left;
    Relation relation = Relation::LessEqual;
    Expr right;
    uint32_t line = 0;
    std::string phase;  // empty: all
    bool budget = false;
  };
  struct PhaseDim {
    std::string name;
    int64_t min = 0;
    std::optional<int64_t> max;
    int64_t value = 0;
  };
  // A buffer that is alive where the most bytes are.
  struct AtPeak {
    std::string buffer;
    int64_t bytes = 0;  // at `value`
    uint32_t line = 0;  // of the op that writes it first
  };
  // What a token costs in memory. A step's tokens are the elements of the first two axes of the first input
  // that has two: sequences by new tokens.
  struct Tokens {
    int64_t a_step = 0;                    // 0: no such input
    int64_t arena_bytes_each = 0;          // of the peak, for each token of a step
    int64_t state_bytes_each = 0;          // by which states grow for each token that a sequence may keep
    int64_t ring_bytes_each_sequence = 0;  // of states that keep a window alone
  };
  struct Phase {
    static constexpr size_t kMostAtPeak = 32;  // buffers that a plan names
    std::string name;
    std::vector<PhaseDim> dims;
    uint32_t ops_begin = 0, ops_end = 0;
    int64_t peak_bytes = 0;
    std::optional<Expr> peak;
    Expr flops, bytes;
    std::string peak_op;           // the first op at which the most bytes are alive; empty: none
    std::vector<AtPeak> at_peak;   // the largest first
    Tokens tokens;                 // at `value`
    int64_t as_written_bytes = 0;  // of the arena with ops in the program's order, at `value`; 0: not told
  };
  struct Output {
    std::string name;
    uint32_t value = kAbsent;
    std::string phase;
  };
  struct Value {
    std::string id;
    Kind kind = Kind::Temp;
    std::string phase;  // of temps where phases are declared, and of folded values of one phase; else empty
    DType dtype = DType::F32;
    Shape shape;
    uint32_t buffer = kAbsent;
    std::optional<Expr> offset;    // bytes; absent: 0
    std::optional<Shape> strides;  // elements; absent: row-major
    Ids of;
    std::string source;            // of params and states
    Layout layout = Layout::None;  // none: row by row
    // Of a weight in a kernel's order; null where it lies row by row.
    const WeightLayout* packed() const {
      return layout < Layout::Panels16
                 ? nullptr
                 : &weight_layouts()[static_cast<size_t>(layout) - static_cast<size_t>(Layout::Panels16)];
    }
    std::optional<Expr> capacity;
  };
  struct Buffer {
    std::string id;
    Segment segment = Segment::Arena;
    std::string phase;  // of the arena's
    Expr bytes;
    uint32_t live_begin = 0, live_end = 0;
    Ids above;
    int64_t offset = 0;  // at `value`
  };
  struct Op {
    std::string id;
    const OpRow* row = nullptr;
    std::string kernel;
    Ids in;  // kAbsent: an absent optional operand
    Ids out;
    Attrs attrs;
    Expr flops, bytes;
    uint32_t line = 0;
    std::string scope;
    std::string phase;
    std::vector<std::string> parts;
    Ids scratch;  // buffers
  };
  struct Range {
    double worst_ratio = 1.0;
    bool proven = true;
  };
  using Segments = PerSegment;
  // A single change that lowers the memory, and the bytes of all segments with it: the most over the phases,
  // at `value`.
  struct Lighter {
    std::string change;  // as the command line takes it: "--retype state=f8e4m3"
    std::string what;    // "states in 8 bits a number"
    int64_t bytes = 0;
  };
  struct Memory {
    int64_t peak_bytes = 0;
    bool reuse_buffers = true;
    std::optional<Expr> peak;
    std::string peak_op;  // empty: none
    int64_t lower_bound_bytes = 0;
    std::optional<Expr> lower_bound;
    bool optimal = true;
    int64_t no_reuse_bytes = 0;
    int64_t as_written_bytes = 0;  // the most over the phases
    Range range;
    Strength strength = Strength::Portfolio;
    Segments segments;
    std::vector<Lighter> lighter;  // the lightest first
  };
  using Sizes = std::vector<std::pair<std::string, int64_t>>;
  // The most of `second` for sizes of `first`, all other dims at their value.
  struct Frontier {
    std::string first, second;
    std::vector<std::pair<int64_t, int64_t>> points;
  };
  struct Change {
    std::string change;  // as it is written: "--let C=4096"
    bool ok = false;     // the budget then holds over all declared ranges; else up to `max` of one dim
    int64_t bytes = 0;   // of what the budget limits, then at the largest sizes that are declared
    Sizes max;
  };
  // What a budget admits: of all phases that it speaks of, or of one.
  struct Answer {
    std::string phase;  // empty: all
    bool ok = true;
    std::optional<int64_t> used_bytes;
    Sizes max;
    Sizes beyond;  // the least size that fits under no placement of this order of ops
    std::vector<Frontier> frontier;
  };
  struct Budget : Answer {
    std::string expr;
    uint32_t line = 0;
    std::optional<int64_t> limit_bytes;  // of bytes, at `value`
    std::optional<Expr> limit;           // of bytes
    Segments counts;                     // of bytes: how often each segment is counted
    std::vector<Answer> phases;          // of each, where it speaks of several
    std::vector<Change> changes;
  };

  std::shared_ptr<Dims> pool = std::make_shared<Dims>();  // of every Expr below; dims in the order of `dims`

  std::string version = kPlanVersion;
  std::string producer;
  std::string source_file, source_sha256, config_sha256;  // config_sha256 empty: no config
  std::string target, arch;
  int64_t align = 256;
  std::vector<Dim> dims;
  std::vector<Guard> guards;
  std::vector<Phase> phases;
  std::vector<Output> outputs;
  std::vector<Value> values;
  std::vector<Buffer> buffers;
  std::vector<Op> ops;
  Memory memory;
  std::vector<Budget> budget;
  std::string diagnostics = "[]";  // JSON list, as irplan::to_json writes it
};

// The file's bytes: keys in the contract's order, a line for each record, shortest-form numbers, a newline at
// the end.
std::string write_plan(const Plan& plan);

// The same without values, buffers and ops: what is told of the whole plan, some kilobytes of any model.
std::string write_outline(const Plan& plan);

// Reads a plan from anywhere; text from a stranger is expected. Fails where it is not one, and says what and
// where ("ops n: …"). A plan that was read is well-formed; whether it is true is validate_plan's question.
Result<Plan> read_plan(std::string_view text);

// Proves from ops and attributes what the plan says, for every size that its ranges and guards admit: an
// empty list, or what does not follow, and by which rule ("buffers n: … (rule ordered)"). Shares no code with
// the planner; the rules are in plan/proof/proof.md. The numbers of one step are held against their buffers
// once more before it runs: PlanBounds.
std::vector<std::string> validate_plan(const Plan& plan);
// The first few of such findings as one text, a line each.
std::string listed(const std::vector<std::string>& findings);
// read_plan, and the plan must be true as well; else the message has the first few findings.
Result<Plan> read_true_plan(std::string_view text);
// The kernel that runs an op on a target: the one that the plan names, or, where the plan is for another
// target, the newest that needs no bytes of its own. Null where there is none.
const KernelRow* kernel_of(const Plan& plan, const Plan::Op& op, std::string_view target);

// Bytes from the arena's start of each buffer (0 for those of other segments or phases), by one pass over
// `above`, and the arena's size. None where an expression has no value at the binding.
struct BoundArena {
  std::vector<int64_t> offsets;
  int64_t bytes = 0;
};
std::optional<BoundArena> bind_arena(const Plan& plan, const std::string& phase, const Binding& binding);

}  // namespace irplan
