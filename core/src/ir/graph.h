// The flat program between the passes: values, and the ops between them in execution order.
//
// Elaboration makes it, with every loop unrolled and every `fn` inlined; the passes fill it in (types,
// windows, buffers, costs); emit turns it into a plan. Ids are indices, so that identical layers stay cheap.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/work.h"
#include "dims/expr.h"
#include "irplan/diagnostic.h"
#include "irplan/source.h"
#include "irplan/strength.h"
#include "kernels/kernel.h"
#include "ops/op.h"

namespace irplan {

using ValueId = uint32_t;
using OpId = uint32_t;
using BufferId = uint32_t;
using Ids = InlineVector<uint32_t, 4>;
constexpr uint32_t kNone = UINT32_MAX;

enum class ValueKind : uint8_t { Input, Param, State, Folded, Temp };
enum class Layout : uint8_t { Contiguous, Ring };
enum class Segment : uint8_t { Inputs, Weights, State, Arena };

constexpr uint32_t kLoadPhase = UINT32_MAX - 1;  // ops that run once, when weights load
constexpr uint32_t kNoPhase = UINT32_MAX;        // values that all phases share

struct Value {
  std::string id;
  ValueKind kind = ValueKind::Temp;
  uint32_t phase = kNoPhase;  // of temps, and of folded values that phases do not share
  TensorType type;
  bool poisoned = false;  // an error was reported about it; what uses it is silent
  OpId producer = kNone;
  Span span;               // where it is bound or first written
  std::string source;      // of params and states: the checkpoint's name
  bool stacked = false;    // of params: `{*}` in the name
  bool retypable = false;  // of params and states: `--retype` could store it in fewer bits

  // of states
  Layout layout = Layout::Contiguous;
  Expr capacity;  // the declared extent of axis 1

  const WeightLayout* packed = nullptr;  // of a weight in a kernel's order; null: row by row

  // Its window, filled in by the memory pass.
  Ids of;  // set where no op writes it: the values whose bytes it shows
  BufferId buffer = kNone;
  Expr offset;                   // bytes inside the buffer
  std::optional<Shape> strides;  // elements; none: row-major
};

struct Op {
  const OpRow* row = nullptr;
  Ids in;  // kNone: an absent optional operand
  Ids out;
  Attrs attrs;
  uint32_t phase = 0;  // index in Graph::phases, or kLoadPhase
  Span span;           // the call
  InlineVector<Span, 4> operand_spans;
  std::string scope;               // "i.3/"
  std::vector<std::string> parts;  // of a fused op: ids of the ops that it swallowed
  std::vector<Expr> scratch;       // bytes that its kernel needs besides its results
  Ids scratch_buffers;
  Expr flops, bytes;
  const KernelRow* kernel = nullptr;  // null: it emits no op
};

struct Buffer {
  std::string id;  // of the first value in it, or "<op>.scratch"
  Segment segment = Segment::Arena;
  uint32_t phase = kNoPhase;  // of arena buffers
  Expr bytes;
  // of arena buffers
  uint32_t live_begin = 0, live_end = 0;  // half-open, in indices of Graph::ops
  Ids above;                              // the buffers that this one lies directly above: the placement
};

struct Output {
  std::string name;
  ValueId value;
  uint32_t phase;
  Span span;
};

struct Guard {
  Constraint constraint;
  Span span;
  uint32_t phase = kNoPhase;  // where one phase alone needs it
  bool budget = false;
  std::shared_ptr<const SourceText> elsewhere =
      nullptr;  // the option that it stands in, of none in the program
};

// A top-level `let` whose number is a size: rows of states, or a dim's upper end.
struct SizeLet {
  std::string name;
  int64_t size = 0;
  Span value;  // its expression; empty where --let replaces it
};

// What a need of one line did to a dim's range.
struct Narrowing {
  Constraint constraint;
  Span span;
  Interval before, after;
  std::shared_ptr<const SourceText> elsewhere = nullptr;  // as of a guard
};

struct Dim {
  std::string name;
  DimIndex index = 0;
  Interval range;
  std::string per;  // of a ragged dim: the dim whose rows have a value each
  int64_t value = 0;
  bool assumed = false;
  bool free = false;  // declared by an input's type alone
  Span span;
  std::optional<SizeLet> end;         // where a `let` is its upper end
  std::vector<Narrowing> narrowings;  // of `range` since its declaration, in their order
};

using NamedSizes = std::vector<std::pair<std::string, int64_t>>;  // dims and their sizes

// The most of one dim for several sizes of another, all other dims at their value: the points of which none
// admits more in both.
struct Frontier {
  std::string first, second;
  std::vector<std::pair<int64_t, int64_t>> points;  // the first rises, the second falls
};

// One thing to do differently, and what a budget says then.
struct Change {
  enum class Kind : uint8_t { Dim, Let, State, Weights } kind = Kind::Dim;
  std::string name, value;  // "S", "6144"; "C", "4096"; "state", "f8e4m3"
  bool fits = false;        // the budget then holds at all declared sizes
  bool starts = true;       // or at least at the smallest, and up to `max` of one dim
  NamedSizes max;
  int64_t bytes = 0;         // what it limits, then at the largest sizes that are admitted
  int64_t kept = 0;          // of what is changed, in thousandths: 500 is half of the rows, or of the bits
  std::optional<Edit> edit;  // of the program's text, where that says the same
};

// What a budget admits: over its phases, each at its own sizes, or in one of them.
struct Answer {
  uint32_t phase = kNoPhase;
  bool ok = true;          // over all declared ranges
  int64_t used_bytes = 0;  // at `value`
  NamedSizes max;
  NamedSizes beyond;  // the least size that fits under no placement of this order of ops
  std::vector<Frontier> frontiers;
};

// What a budget counts: the bytes of each segment; `memory` is one of each.
constexpr const char* kQuantities[] = {"weights", "state", "inputs", "arena"};  // in their order

// `budget B * S <= 8192`: a relation of dims. `budget memory <= 24GiB`: measured bytes, added up, and the
// most that they may be.
struct Budget {
  std::string text;       // as the program has it
  Constraint constraint;  // of dims alone
  bool bytes = false;
  PerSegment counts;          // of bytes
  Expr limit;                 // of bytes
  uint32_t phase = kNoPhase;  // that it speaks of alone: `budget decode.arena <= 64MiB`
  Span span;
  std::shared_ptr<const SourceText> elsewhere =
      nullptr;  // the option that it stands in, of none in the program
  // filled in by the solve pass
  bool possible = true;                       // at the smallest sizes
  int64_t limit_bytes = 0;                    // at `value`
  int64_t least_bytes = 0, needed_bytes = 0;  // at the smallest sizes, and at the largest that are declared
  Answer answer;
  std::vector<Answer> phases;   // of each by itself, where it speaks of several
  std::vector<Change> changes;  // the one that gives up the least first

  bool speaks_of(uint32_t other) const { return phase == kNoPhase || phase == other; }
};

// `y: f16[B, S] = …`: a type that a value must turn out to have.
struct Annotation {
  ValueId value;
  TensorType type;
  Span span;
};

// How one phase narrows or fixes a dim.
struct PhaseDim {
  DimIndex dim = 0;
  Interval range;
  int64_t value = 0;
  bool fixed = false;  // substituted in the phase's expressions
};

struct Phase {
  std::string name;
  std::vector<PhaseDim> dims;
  uint32_t ops_begin = 0, ops_end = 0;  // in Graph::ops
  Span span;

  // filled in by the memory and solve passes
  Expr peak;                                      // none where its text would exceed 4 KiB
  Expr lower_bound;                               // none likewise
  int64_t peak_bytes = 0, lower_bound_bytes = 0;  // at `value`
  OpId peak_op = kNone;
  int64_t no_reuse_bytes = 0;
  double worst_ratio = 1.0;  // peak over bound, over all declared ranges
  bool proven = false;
  bool optimal = false;  // the peak meets the bound, padding aside, wherever the ranges allow
};

struct Target {
  std::string name = "cuda";  // cpu | cuda
  std::string arch = "sm_90";
  int64_t align = 256;
};

struct Graph {
  std::shared_ptr<Dims> dims = std::make_shared<Dims>();
  std::shared_ptr<Work> work = std::make_shared<Work>();  // of this compilation; copies share it
  std::vector<Dim> dim_list;                              // as they first appear in the text
  std::vector<Guard> guards;
  std::vector<Phase> phases;
  std::vector<Value> values;
  std::vector<Op> ops;  // phase `load` first, then phase by phase
  std::vector<Output> outputs;
  std::vector<Budget> budgets;
  std::vector<SizeLet> cache_lets;  // rows of states: each once, as states first name them
  size_t steps = 0;                 // of elaboration: what making the graph again would cost
  std::vector<Annotation> annotations;
  std::vector<Buffer> buffers;
  Target target;
  Strength strength = Strength::Portfolio;

  // Ranges of all dims, by DimIndex; inside a phase, with that phase's narrowing.
  Ranges ranges(uint32_t phase = kNoPhase) const;
  Binding values_at(uint32_t phase = kNoPhase) const;  // each dim's `value`
  // A dim as the budget's phase has it: "decode.B", or "B" where it speaks of all.
  std::string name_in(const Budget& budget, const std::string& dim) const;
};

}  // namespace irplan
