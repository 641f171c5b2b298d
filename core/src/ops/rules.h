// What shape rules share: checks of operands and attributes, and the words in which they say what does not
// hold.
//
// Rules run for every op of a program each time that it is compiled; texts are made only once a rule has
// failed.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "ops/op.h"

namespace irplan::rules {

constexpr unsigned bit(unsigned operand) { return 1u << operand; }

// Operands present, attributes of their kinds; extents given as plain numbers become expressions. Faults
// otherwise.
bool ready(OpCall& call);
// No extent of a result exceeds 64 bits.
bool sound(OpCall& call);

// Every rule of the table runs between the two.
template <ShapeRule rule>
bool checked(OpCall& call) {
  return ready(call) && rule(call) && sound(call);
}

// Operands hold floats, those of `ints` i32 or i64; a block dtype only those of `blocks`.
bool floats(OpCall& call, unsigned blocks = 0, unsigned ints = 0);
// Operands are all floats or all integers (bool counts only where `bools`); no block dtypes.
bool alike(OpCall& call, bool bools = false);
// The operand has so many axes, or at least so many.
bool rank_is(OpCall& call, size_t operand, size_t rank);
bool rank_at_least(OpCall& call, size_t operand, size_t rank);

// A fault's beginning: the operator's name is its first argument.
Fault fault_with(const OpCall& call, Code code, std::vector<std::string> more);
template <size_t N>
Fault fault(const OpCall& call, std::type_identity_t<Taking<N + 1>> code, const std::string (&more)[N]) {
  return fault_with(call, code.code, {more, more + N});
}
inline Fault fault(const OpCall& call, Taking<1> code) { return fault_with(call, code.code, {}); }
// "bf16[B, S, 32, 128]: last axis is 128"
std::string axis_text(const TensorType& type, int axis);

// Extents of two operands are equal; else a fault with both, as `code` with arguments (op, `i`'s name).
bool agree(OpCall& call, Code code, size_t i, int axis, size_t j, int other_axis, const char* rule);
// Operand i's axis has this extent, which operand j expects.
bool agree(OpCall& call, Code code, size_t i, int axis, Expr expected, size_t j, const char* rule);

// `axis` within the operand's axes, from 0; none after a fault.
std::optional<size_t> axis_of(OpCall& call, size_t operand, int64_t axis);
bool attribute_fault(OpCall& call, const char* attribute,
                     const char* must);  // "`eps` of `rmsnorm` must be positive"
// The attribute is a number above 0; at least 0 with `or_zero`.
bool positive(OpCall& call, const char* attribute, bool or_zero = false);
// The dtype of the result: `to`, else operand's own; a block dtype needs `to`. Faults where `to` holds no
// floats.
std::optional<DType> float_result(OpCall& call, size_t operand);
// The last axis keeps whole blocks, where the dtype has any.
bool whole_blocks(OpCall& call, DType dtype, const Shape& shape);

// Right-aligned broadcast of two shapes; a fault names operands i and j.
bool broadcast(OpCall& call, const Shape& a, const Shape& b, size_t i, size_t j, Shape& out);

// ---- costs
Expr count(const OpCall& call, const TensorType& type, int64_t each);  // elements times a number
template <int64_t each>
Expr flops_of_input(const OpCall& call) {
  return count(call, call.operand(0), each);
}
template <int64_t each>
Expr flops_of_result(const OpCall& call) {
  return count(call, call.out[0], each);
}
Expr nothing(const OpCall& call);

}  // namespace irplan::rules
