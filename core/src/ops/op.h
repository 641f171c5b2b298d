// The operator table: one row an operator, and everything that is known about it.
//
// A row holds operands, attributes, the shape rule, flops and bytes, whether it may run in place, the
// reference semantics, and one line of documentation. The compiler, the checker of foreign plans, the
// reference executor and `irplan ops` read the same row, so that a new operator is a row here, a golden, and
// a kernel file for each backend that has one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dims/expr.h"
#include "irplan/diagnostic.h"
#include "irplan/dtype.h"
#include "ops/attr.h"

namespace irplan {

struct TensorType {
  DType dtype = DType::F32;
  Shape shape;
  friend bool operator==(const TensorType&, const TensorType&) = default;
};
std::string text(const TensorType& type);  // "bf16[B, S, 4096]"

struct OpRow;

enum class AttrKind : uint8_t {
  Bool,     // true, false
  Int,      // a compile-time integer
  Number,   // int or float
  Extent,   // an expression over dims; text in a plan
  Extents,  // a list of them
  Ints,     // a list of compile-time integers
  Dtype,    // text in a plan
  Word,     // one of `choices`
  Record,   // rope's scaling
};

struct AttrSpec {
  const char* name;
  AttrKind kind;
  const char* fallback = nullptr;  // its default as a program would write it; null: required
  const char* choices = nullptr;   // of a Word: "softmax|topk_softmax|sigmoid"
  bool implicit = false;  // written to a plan only where it differs from its default (scalar, scalar_first)
};

// How an op reads a stored operand, as far as its dtype matters: what `--retype` may change.
enum class Reading : uint8_t {
  Fixed,     // nothing but the declared dtype
  Free,      // any dtype will do, and the result's does not follow it
  Followed,  // the result has it unless `to` says otherwise
  Shown,     // the result shows the same bytes
};

struct OperandSpec {
  const char* name;
  bool optional = false;
  // Kernels read its rows densely: a window of it with a last-axis stride other than 1 is copied first.
  bool dense = false;
  Reading as_weight = Reading::Fixed;  // where it is a param
  Reading as_rows = Reading::Fixed;    // where it is rows of a state
  bool as_blocks = false;              // of rows: block dtypes as well
  int scaled_by = -1;                  // the operand whose presence fixes its dtype as a weight; -1: none
};

// What an operator is to a reader: colours and reports go by it.
enum class Family : uint8_t { Linear, Attention, Norm, Elementwise, Lookup, Movement };
const char* name(Family family);  // "linear"

// How the results of a window lie in its operands' bytes.
enum class Shows : uint8_t {
  Nothing,   // they have bytes of their own
  Reshaped,  // in other extents
  Permuted,  // with the axes in another order
  Part,      // a run of one axis
  Parts,     // runs of one axis, one behind the other
  Joined,    // the operands one behind the other: they lie in the result
};

// One op's attributes, in the order of its row. Copies share the values until one is set.
class Attrs {
 public:
  Attrs() = default;
  explicit Attrs(const OpRow& row);                     // with the defaults filled in; required ones are none
  const Attr& operator[](std::string_view name) const;  // none where the row has no such attribute
  void set(std::string_view name, Attr value);          // nothing where the row has no such attribute
  const std::vector<Attr>& values() const;
  const OpRow* row() const { return row_; }
  friend bool operator==(const Attrs& a, const Attrs& b) {
    return a.row_ == b.row_ && (a.values_ == b.values_ || a.values() == b.values());
  }

 private:
  const OpRow* row_ = nullptr;
  std::shared_ptr<std::vector<Attr>> values_;  // of the row where there are no others
};

// Why a rule does not hold; the caller knows the source and turns it into a diagnostic, or into a refusal of
// a plan.
struct Fault {
  Code code;
  std::vector<std::string> arguments;  // of the code's message
  int operand = -1;                    // index in OpCall::in of what is wrong, with what is seen there
  std::string found;
  int other = -1;  // the operand that it does not agree with, with what that expects
  std::string expected;
  std::string attribute;  // the attribute to blame, where it is one
  std::string rule;       // "dim(x, -1) = dim(w, -1)"
  std::string help;
};

// A relation that a rule needs and ranges could not decide; becomes a narrower range or a guard.
struct Constraint {
  Expr left;
  Relation relation;
  Expr right;
};
std::string text(const Constraint& constraint);  // "P + S <= 8192"

// One application of an operator, while its rule looks at it.
class OpCall {
 public:
  OpCall(const OpRow& row, Dims& dims, const Ranges& ranges) : row(row), dims(dims), ranges(ranges) {}

  const OpRow& row;
  Dims& dims;
  const Ranges& ranges;
  std::vector<std::optional<TensorType>> in;  // absent optional operands are none
  Attrs attrs;  // the rule fills in defaults that follow from shapes (rope's dim, view's -1)
  std::optional<Expr> ring_rows;  // of `append`: the state is a ring of so many rows

  std::vector<TensorType> out;          // the rule's results
  std::vector<Constraint> constraints;  // what it needs besides
  std::optional<Fault> fault;           // set where the rule does not hold

  // ---- for rules
  bool has(size_t operand) const { return operand < in.size() && in[operand].has_value(); }
  const TensorType& operand(size_t i) const { return *in[i]; }
  size_t rank(size_t i) const { return in[i]->shape.size(); }
  // Extent of an axis; negative ones count from the end. The axis must exist.
  Expr extent(size_t i, int axis) const;
  // True where the relation holds or was noted as a constraint, false where it is refuted; the rule then
  // calls fail().
  bool require(Expr a, Relation relation, Expr b);
  bool same(Expr a, Expr b) { return require(a, Relation::Equal, b); }
  bool at_most(Expr a, Expr b) { return require(a, Relation::LessEqual, b); }
  bool fail(Fault f) { return fault = std::move(f), false; }  // always false, so that a rule can return it
  void result(DType dtype, Shape shape) { out.push_back({dtype, std::move(shape)}); }
  Expr elements(const TensorType& type) const { return dims.product(type.shape); }
  Expr bytes(const TensorType& type) const;  // elements / e * b
};

// ------------------------------------------------------------------------------------------------ reference
// semantics

// A dense row-major tensor of plain numbers; floats are held in f32 whatever their stored dtype, ints in
// int64.
struct HostArray {
  bool floats = true;
  std::vector<int64_t> shape;
  std::vector<float> f;
  std::vector<int64_t> i;
  int64_t count() const;
};

// One application with numbers. `out` is sized and typed before the call; arithmetic is f32, the caller
// rounds once.
struct HostCall {
  const OpRow& row;
  const Attrs& attrs;
  std::vector<const HostArray*> in;  // null: absent
  std::vector<HostArray>& out;
  // An expression's value for row b of axis 0: a ragged dim has its own value in each row. Row -1: as
  // planned.
  std::function<int64_t(Expr, int64_t row)> value;
  std::vector<const TensorType*>
      types;          // symbolic types of `in`, so that a rule can ask for a row's own extents
  std::string error;  // set where the numbers have no result; {0}, {1} stand for the operands' ids
};

// ------------------------------------------------------------------------------------------------ the row

using ShapeRule = bool (*)(OpCall&);       // fills `out`; false after fail()
using CostRule = Expr (*)(const OpCall&);  // of a call whose `out` is filled
using Semantics = void (*)(HostCall&);

// Whether this program evaluates operators. The compiler's WebAssembly module does not, and says so
// (wasm/irplan.cpp): linking then leaves out a twentieth of its bytes.
extern const bool kEvaluates;

struct Evaluation {
  Evaluation(Semantics semantics = nullptr) : of_numbers(kEvaluates ? semantics : nullptr) {}
  explicit operator bool() const { return of_numbers != nullptr; }
  void operator()(HostCall& call) const { of_numbers(call); }
  Semantics of_numbers;
};

struct OpRow {
  const char* name;
  std::vector<OperandSpec> operands;
  bool variadic = false;  // the last operand repeats (concat)
  std::vector<AttrSpec> attributes;
  ShapeRule shape = nullptr;
  CostRule flops = nullptr;
  CostRule bytes = nullptr;  // null: operands read + results written
  Evaluation evaluate;
  bool in_place = false;  // may write over an operand of the result's window and element size that dies there
  bool window = false;  // its results are windows on its operands where strides can say so (view, slice, …)
  bool fused = false;   // no syntax of its own: a pass makes it
  const char* operand_text;  // for `irplan ops`: "x[…,K], w[N,K], bias?[N] → y"
  const char* shape_text;
  const char* doc;
  int results = 1;  // how many it has; of `split` as many as `sizes`

  // ---- traits: what passes, the checker of plans and runners ask, so that they know no operator by its name
  Family family = Family::Elementwise;
  Shows shows = Shows::Nothing;
  // Writes operand 1 into operand 0, a state, at the position `at`; its result shows the state.
  bool updates_state = false;
  // Rows [i, i + n) of the result are made of those rows of its only operand, for each i and n that this
  // divides; but for the last row. 0: no promise.
  int64_t rows_apart = 0;
  int ids = -1, table = -1;  // operands: the numbers in `ids` are rows of `table`; -1: it looks nothing up
  int norm_weight = -1;  // the operand that scales what a norm yields, with `offset` added where it has one
  // Of a fused operator the two that it stands for, the first one's result read by the second; what it
  // computes is what they do, each rounded where it is.
  const char* first = nullptr;
  const char* second = nullptr;
  bool keeps_between = false;  // the first one's result is a result of the fused one, too
};

// All rows in the order of the language reference; fused ones last.
std::span<const OpRow> op_table();
const OpRow* find_op(std::string_view name);  // null where there is none
std::vector<std::string> op_names();          // of those a program can call, for "did you mean"

// What only passes call: the elements of a tensor laid out densely, and a weight in a kernel's order.
const OpRow& copy_op();
const OpRow& pack_op();

Expr stored_bytes(Dims& dims, const TensorType& type);
Expr default_bytes(const OpCall& call);
Expr cost_bytes(const OpCall& call);  // the row's rule or the default

}  // namespace irplan
