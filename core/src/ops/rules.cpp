#include "ops/rules.h"

#include <algorithm>
#include <cmath>

namespace irplan::rules {
namespace {

bool is_extent(const Attr& value) { return value.get<Expr>() || value.get<int64_t>(); }

bool is_list(const Attr& value, bool (*item_is)(const Attr&)) {
  if (!value.get<std::shared_ptr<const AttrList>>()) return false;
  for (const Attr& item : value.list()) {
    if (!item_is(item)) return false;
  }
  return true;
}

bool is_choice(const Attr& value, const char* choices) {
  const auto* word = value.get<std::string>();
  if (!word || word->empty() || word->find('|') != std::string::npos) return false;
  return ("|" + std::string(choices) + "|").find("|" + *word + "|") != std::string::npos;
}

// Null where the value has the kind, else what the kind takes.
const char* mismatch(const AttrSpec& spec, const Attr& value) {
  switch (spec.kind) {
    case AttrKind::Bool: return value.get<bool>() ? nullptr : "true or false";
    case AttrKind::Int: return value.get<int64_t>() ? nullptr : "an integer";
    case AttrKind::Number:
      if (value.get<int64_t>()) return nullptr;
      return value.get<double>() && std::isfinite(*value.get<double>()) ? nullptr : "a number";
    case AttrKind::Extent: return is_extent(value) ? nullptr : "an extent";
    case AttrKind::Extents: return is_list(value, is_extent) ? nullptr : "a list of extents";
    case AttrKind::Ints:
      return is_list(value, [](const Attr& item) { return item.get<int64_t>() != nullptr; })
                 ? nullptr
                 : "a list of integers";
    case AttrKind::Dtype: return value.get<DType>() ? nullptr : "a dtype";
    case AttrKind::Word: return is_choice(value, spec.choices) ? nullptr : spec.choices;
    case AttrKind::Record: return value.record() ? nullptr : "a record";
  }
  return "another kind";
}

Attr as_extent(OpCall& call, const Attr& value) {
  return value.get<Expr>() ? value : Attr(call.dims.constant(value.integer()));
}

// Plain numbers that stand where extents are asked for become expressions.
void settle_extents(OpCall& call, const AttrSpec& spec, const Attr& value) {
  if (spec.kind == AttrKind::Extent && !value.get<Expr>()) call.attrs.set(spec.name, as_extent(call, value));
  if (spec.kind != AttrKind::Extents) return;
  if (is_list(value, [](const Attr& item) { return item.get<Expr>() != nullptr; })) return;
  AttrList list;
  for (const Attr& item : value.list()) list.push_back(as_extent(call, item));
  call.attrs.set(spec.name, Attr::of(std::move(list)));
}

bool attributes_ready(OpCall& call) {
  if (call.attrs.row() != &call.row) call.attrs = Attrs(call.row);
  for (size_t i = 0; i < call.row.attributes.size(); ++i) {
    const AttrSpec& spec = call.row.attributes[i];
    const Attr& value = call.attrs.values()[i];
    if (value.is_none()) {
      if (spec.fallback && std::string_view(spec.fallback) == "none") continue;
      Fault f = fault(call, Code::AttributeMissing, {spec.name});
      f.attribute = spec.name;
      f.help = "give it by name: " + std::string(call.row.name) + "(…, " + spec.name + "=…)";
      return call.fail(std::move(f));
    }
    if (const char* wanted = mismatch(spec, value)) {
      Fault f = fault(call, Code::AttributeValue, {spec.name, wanted});
      f.attribute = spec.name;
      return call.fail(std::move(f));
    }
    settle_extents(call, spec, value);
  }
  return true;
}

bool wrong_class(OpCall& call, size_t i, const char* wanted) {
  Fault f = fault(call, Code::OperandDtype,
                  {call.row.operands[std::min(i, call.row.operands.size() - 1)].name, wanted});
  f.operand = static_cast<int>(i);
  f.found = text(call.operand(i));
  return call.fail(std::move(f));
}

bool mixed(OpCall& call, size_t i, size_t other) {
  Fault f = fault(call, Code::IntegersMeetFloats);
  f.operand = static_cast<int>(i);
  f.found = text(call.operand(i));
  f.other = static_cast<int>(other);
  f.expected = text(call.operand(other));
  f.rule = "ints and floats do not mix";
  f.help = std::string("convert one of them: cast(…, to=") + name(call.operand(other).dtype) + ")";
  return call.fail(std::move(f));
}

bool block_not_read(OpCall& call, size_t i) {
  Fault f =
      fault(call, Code::BlockNotRead, {call.row.operands[std::min(i, call.row.operands.size() - 1)].name});
  f.operand = static_cast<int>(i);
  f.found = text(call.operand(i));
  f.rule = "block dtypes are read by embed, linear, expert, dequant and attention, and written by append";
  f.help = "dequant(…, to=bf16) gives plain numbers";
  return call.fail(std::move(f));
}

}  // namespace

Fault fault_with(const OpCall& call, Code code, std::vector<std::string> more) {
  Fault f;
  f.code = code;
  f.arguments.emplace_back(call.row.name);
  for (std::string& text : more) f.arguments.push_back(std::move(text));
  return f;
}

bool ready(OpCall& call) {
  call.out.clear();
  const auto& operands = call.row.operands;
  if (call.in.size() > operands.size() && !call.row.variadic) {
    Fault f =
        fault(call, Code::TooManyOperands, {std::to_string(operands.size()), std::to_string(call.in.size())});
    f.rule = std::string(call.row.name) + ": " + call.row.operand_text;
    return call.fail(std::move(f));
  }
  const size_t count = std::max(call.in.size(), operands.size());
  for (size_t i = 0; i < count; ++i) {
    const OperandSpec& spec = operands[std::min(i, operands.size() - 1)];
    if (spec.optional || call.has(i)) continue;
    Fault f = fault(call, Code::OperandMissing, {spec.name});
    f.rule = std::string(call.row.name) + ": " + call.row.operand_text;
    return call.fail(std::move(f));
  }
  return attributes_ready(call);
}

bool sound(OpCall& call) {
  for (const TensorType& type : call.out) {
    for (const Expr extent : type.shape) {
      if (extent.overflowed()) return call.fail(fault(call, Code::ExtentTooLarge));
    }
  }
  return true;
}

bool floats(OpCall& call, unsigned blocks, unsigned ints) {
  for (size_t i = 0; i < call.in.size(); ++i) {
    if (!call.has(i)) continue;
    const DType dtype = call.operand(i).dtype;
    if (ints & bit(static_cast<unsigned>(i))) {
      if (dtype != DType::I32 && dtype != DType::I64) return wrong_class(call, i, "i32 or i64");
      continue;
    }
    if (!is_float(dtype)) {
      for (size_t j = 0; j < call.in.size(); ++j) {
        const bool other = call.has(j) && !(ints & bit(static_cast<unsigned>(j)));
        if (other && is_float(call.operand(j).dtype)) return mixed(call, i, j);
      }
      return wrong_class(call, i, "floats");
    }
    if (is_block(dtype) && !(blocks & bit(static_cast<unsigned>(i)))) return block_not_read(call, i);
  }
  return true;
}

bool alike(OpCall& call, bool bools) {
  for (size_t i = 0; i < call.in.size(); ++i) {
    if (!call.has(i)) continue;
    const DType dtype = call.operand(i).dtype;
    if (is_block(dtype)) return block_not_read(call, i);
    if (dtype == DType::Bool && !bools) return wrong_class(call, i, "numbers");
    if (is_float(dtype) != is_float(call.operand(0).dtype)) return mixed(call, i, 0);
  }
  return true;
}

namespace {

bool rank_fault(OpCall& call, size_t i, std::string wanted) {
  Fault f = fault(call, Code::OperandForm,
                  {call.row.operands[std::min(i, call.row.operands.size() - 1)].name, std::move(wanted)});
  f.operand = static_cast<int>(i);
  const size_t rank = call.rank(i);
  f.found = text(call.operand(i)) + ": " + std::to_string(rank) + (rank == 1 ? " axis" : " axes");
  f.rule = std::string(call.row.name) + ": " + call.row.operand_text;
  return call.fail(std::move(f));
}

}  // namespace

bool rank_is(OpCall& call, size_t operand, size_t rank) {
  return call.rank(operand) == rank ||
         rank_fault(call, operand, std::to_string(rank) + (rank == 1 ? " axis" : " axes"));
}

bool rank_at_least(OpCall& call, size_t operand, size_t rank) {
  return call.rank(operand) >= rank ||
         rank_fault(call, operand, "at least " + std::to_string(rank) + (rank == 1 ? " axis" : " axes"));
}

std::string axis_text(const TensorType& type, int axis) {
  const int rank = static_cast<int>(type.shape.size());
  const int at = axis < 0 ? rank + axis : axis;
  const std::string which = at == rank - 1 ? "last axis" : "axis " + std::to_string(at);
  return text(type) + ": " + which + " is " + type.shape[static_cast<size_t>(at)].text();
}

bool agree(OpCall& call, Code code, size_t i, int axis, size_t j, int other_axis, const char* rule) {
  return agree(call, code, i, axis, call.extent(j, other_axis), j, rule);
}

bool agree(OpCall& call, Code code, size_t i, int axis, Expr expected, size_t j, const char* rule) {
  if (call.same(call.extent(i, axis), expected)) return true;
  Fault f = fault_with(call, code, {call.row.operands[i].name});
  f.operand = static_cast<int>(i);
  f.found = axis_text(call.operand(i), axis);
  f.other = static_cast<int>(j);
  f.expected = text(call.operand(j)) + ": expects " + expected.text();
  f.rule = std::string(call.row.name) + ": " + rule;
  return call.fail(std::move(f));
}

std::optional<size_t> axis_of(OpCall& call, size_t operand, int64_t axis) {
  const int64_t rank = static_cast<int64_t>(call.rank(operand));
  if (axis >= -rank && axis < rank) return static_cast<size_t>(axis < 0 ? axis + rank : axis);
  Fault f = fault(call, Code::NoSuchAxis, {std::to_string(axis)});
  f.operand = static_cast<int>(operand);
  f.found = text(call.operand(operand)) + ": " + std::to_string(rank) + (rank == 1 ? " axis" : " axes");
  f.attribute = "axis";
  if (rank > 0) f.rule = "axes are " + std::to_string(-rank) + " .. " + std::to_string(rank - 1);
  call.fail(std::move(f));
  return std::nullopt;
}

bool attribute_fault(OpCall& call, const char* attribute, const char* must) {
  Fault f = fault(call, Code::OperandAttribute, {attribute, must});
  f.attribute = attribute;
  return call.fail(std::move(f));
}

bool positive(OpCall& call, const char* attribute, bool or_zero) {
  const Attr& value = call.attrs[attribute];
  if (value.is_none() || value.number() > 0 || (or_zero && value.number() == 0)) return true;
  return attribute_fault(call, attribute, or_zero ? "at least 0" : "above 0");
}

std::optional<DType> float_result(OpCall& call, size_t operand) {
  const Attr& to = call.attrs["to"];
  if (const auto* dtype = to.get<DType>()) {
    if (is_float(*dtype) && !is_block(*dtype)) return *dtype;
    attribute_fault(call, "to", "a plain float dtype");
    return std::nullopt;
  }
  const DType own = call.operand(operand).dtype;
  if (!is_block(own)) return own;
  Fault f = fault(call, Code::BlockNeedsTo);
  f.operand = static_cast<int>(operand);
  f.found = text(call.operand(operand));
  f.attribute = "to";
  f.help = "say what it becomes: to=bf16";
  call.fail(std::move(f));
  return std::nullopt;
}

bool whole_blocks(OpCall& call, DType dtype, const Shape& shape) {
  if (!is_block(dtype)) return true;
  const Expr block = call.dims.constant(info(dtype).elements);
  if (!shape.empty() && call.same(call.dims.mod(shape.back(), block), call.dims.constant(0))) return true;
  Fault f = fault(call, Code::BlocksCut, {name(dtype), block.text()});
  f.operand = 0;
  f.found = shape.empty() ? "no axis is left" : "the last axis would be " + shape.back().text();
  f.rule = "the last axis of a block dtype is a multiple of its block";
  return call.fail(std::move(f));
}

bool broadcast(OpCall& call, const Shape& a, const Shape& b, size_t i, size_t j, Shape& out) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  const size_t shift = longer.size() - shorter.size();
  out = longer;
  for (size_t k = 0; k < shorter.size(); ++k) {
    const Expr x = longer[shift + k], y = shorter[k];
    if (x == y || y.is(1)) continue;
    if (x.is(1)) {
      out[shift + k] = y;
      continue;
    }
    if (!call.same(x, y)) {
      Fault f = fault(call, Code::ShapesDoNotBroadcast);
      f.operand = static_cast<int>(j);
      f.found = text(call.operand(j));
      f.other = static_cast<int>(i);
      f.expected = text(call.operand(i));
      f.rule = "axes are aligned at the right; their extents are equal, or one is 1";
      const size_t from_end = shorter.size() - k;
      f.help = "axis -" + std::to_string(from_end) + " is " + a[a.size() - from_end].text() + " in one and " +
               b[b.size() - from_end].text() + " in the other";
      return call.fail(std::move(f));
    }
    if (y.is_constant()) out[shift + k] = y;
  }
  return true;
}

Expr count(const OpCall& call, const TensorType& type, int64_t each) { return call.elements(type) * each; }

Expr nothing(const OpCall& call) { return call.dims.constant(0); }

}  // namespace irplan::rules
