#include "ops/op.h"

#include <cstdlib>
#include <unordered_map>

#include "ops/rows.h"

namespace irplan {
namespace {

// A default as a program would write it: none, true, 0, 1e-5, softmax, [128, 128].
Attr parse_fallback(const AttrSpec& spec) {
  if (!spec.fallback) return Attr();
  const std::string_view text = spec.fallback;
  if (text == "none") return Attr();
  switch (spec.kind) {
    case AttrKind::Bool: return Attr(text == "true");
    case AttrKind::Word: return Attr(std::string(text));
    case AttrKind::Int:
    case AttrKind::Number:
    case AttrKind::Extent: return Attr(static_cast<int64_t>(std::strtoll(spec.fallback, nullptr, 10)));
    case AttrKind::Ints: {
      AttrList list;
      const char* at = spec.fallback + 1;
      while (*at && *at != ']') {
        char* end = nullptr;
        list.emplace_back(static_cast<int64_t>(std::strtoll(at, &end, 10)));
        at = *end == ',' ? end + 1 : end;
      }
      return Attr::of(std::move(list));
    }
    default: return Attr();
  }
}

std::vector<Attr> parse_defaults(const OpRow& row) {
  std::vector<Attr> values;
  values.reserve(row.attributes.size());
  for (const AttrSpec& spec : row.attributes) values.push_back(parse_fallback(spec));
  return values;
}

// Defaults of the table's rows, parsed once: every call of a program starts from them.
const std::vector<std::shared_ptr<std::vector<Attr>>>& table_defaults() {
  static const auto all = [] {
    std::vector<std::shared_ptr<std::vector<Attr>>> made;
    for (const OpRow& row : op_table())
      made.push_back(std::make_shared<std::vector<Attr>>(parse_defaults(row)));
    return made;
  }();
  return all;
}

const std::vector<OpRow>& rows() {
  static const std::vector<OpRow> table = all_rows();
  return table;
}

}  // namespace

std::string text(const Constraint& c) {
  return c.left.text() + " " + symbol(c.relation) + " " + c.right.text();
}

std::string text(const TensorType& type) {
  std::string out = name(type.dtype);
  out += '[';
  for (size_t i = 0; i < type.shape.size(); ++i) {
    if (i) out += ", ";
    out += type.shape[i].text();
  }
  return out + ']';
}

// ------------------------------------------------------------------------------------------------ Attrs

Attrs::Attrs(const OpRow& row) : row_(&row) {
  const auto table = op_table();
  const bool in_table = &row >= table.data() && &row < table.data() + table.size();
  values_ = in_table ? table_defaults()[static_cast<size_t>(&row - table.data())]
                     : std::make_shared<std::vector<Attr>>(parse_defaults(row));
}

const std::vector<Attr>& Attrs::values() const {
  static const std::vector<Attr> none;
  return values_ ? *values_ : none;
}

const Attr& Attrs::operator[](std::string_view name) const {
  static const Attr none;
  if (!values_) return none;
  for (size_t i = 0; i < values_->size(); ++i) {
    if (name == row_->attributes[i].name) return (*values_)[i];
  }
  return none;
}

void Attrs::set(std::string_view name, Attr value) {
  if (!values_) return;
  for (size_t i = 0; i < values_->size(); ++i) {
    if (name != row_->attributes[i].name) continue;
    if ((*values_)[i] == value) return;
    if (values_.use_count() > 1) values_ = std::make_shared<std::vector<Attr>>(*values_);
    (*values_)[i] = std::move(value);
    return;
  }
}

// ------------------------------------------------------------------------------------------------ OpCall

Expr OpCall::extent(size_t i, int axis) const {
  const auto& shape = in[i]->shape;
  return shape[axis < 0 ? shape.size() - static_cast<size_t>(-axis) : static_cast<size_t>(axis)];
}

bool OpCall::require(Expr a, Relation relation, Expr b) {
  // What exceeds 64 bits shows in the results' extents, which are checked when the rule is done.
  if (a.overflowed() || b.overflowed()) return true;
  const Truth truth = decide(a, relation, b, ranges);
  if (truth == Truth::Unknown) constraints.push_back({a, relation, b});
  return truth != Truth::No;
}

Expr OpCall::bytes(const TensorType& type) const { return stored_bytes(dims, type); }

Expr stored_bytes(Dims& dims, const TensorType& type) {
  const DTypeInfo& dtype = info(type.dtype);
  const Expr count = dims.product(type.shape);
  if (dtype.elements == 1) return count * dtype.bytes;
  const Expr block = dims.constant(dtype.elements);
  if (const auto blocks = dims.divide_exactly(count, block)) return *blocks * dtype.bytes;
  // A symbolic last axis, whose divisibility is a constraint of the value's type.
  Expr blocks = dims.floordiv(type.shape.back(), block);
  for (size_t i = 0; i + 1 < type.shape.size(); ++i) blocks = blocks * type.shape[i];
  return blocks * dtype.bytes;
}

// ------------------------------------------------------------------------------------------------ HostArray

int64_t HostArray::count() const {
  int64_t n = 1;
  for (const int64_t extent : shape) {
    if (extent == 0) return 0;
  }
  for (const int64_t extent : shape) n *= extent;
  return n;
}

// ------------------------------------------------------------------------------------------------ the table

std::span<const OpRow> op_table() { return rows(); }

const OpRow* find_op(std::string_view name) {
  static const std::unordered_map<std::string_view, const OpRow*> by_name = [] {
    std::unordered_map<std::string_view, const OpRow*> made;
    for (const OpRow& row : op_table()) made.emplace(row.name, &row);
    return made;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (const OpRow& row : op_table()) {
    if (!row.fused) names.emplace_back(row.name);
  }
  return names;
}

const OpRow& copy_op() {
  static const OpRow& row = *find_op("copy");
  return row;
}

const OpRow& pack_op() {
  static const OpRow& row = *find_op("pack");
  return row;
}

const char* name(Family family) {
  constexpr const char* kNames[] = {"linear", "attention", "norm", "elementwise", "lookup", "movement"};
  return kNames[static_cast<int>(family)];
}

Expr default_bytes(const OpCall& call) {
  Expr total = call.dims.constant(0);
  for (const auto& operand : call.in) {
    if (operand) total = total + call.bytes(*operand);
  }
  for (const TensorType& result : call.out) total = total + call.bytes(result);
  return total;
}

Expr cost_bytes(const OpCall& call) { return call.row.bytes ? call.row.bytes(call) : default_bytes(call); }

}  // namespace irplan
