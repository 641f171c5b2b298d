#include "plan/bounds.h"

#include <algorithm>
#include <set>

namespace irplan {
namespace {

constexpr size_t kMostSaid = 60;  // bytes of an expression in a message

using Key = std::vector<uint32_t>;

void add_key(const std::optional<Shape>& shape, Key& key) {
  key.push_back(shape ? static_cast<uint32_t>(shape->size()) : UINT32_MAX);
  for (size_t i = 0; shape && i < shape->size(); ++i) key.push_back((*shape)[i].index());
}

// Calls use(attribute, expression) for every expression of an op's attributes.
template <class Use>
void each_expr(const Plan::Op& op, const Use& use) {
  for (const AttrSpec& spec : op.row->attributes) {
    const Attr& attr = op.attrs[spec.name];
    if (const Expr e = attr.expr()) use(spec.name, e);
    for (const Attr& item : attr.list()) {
      if (const Expr e = item.expr()) use(spec.name, e);
    }
  }
}

}  // namespace

PlanBounds::PlanBounds(const Plan& plan) : plan_(plan) {
  parts_.push_back(gather("load"));
  for (const Plan::Phase& phase : plan.phases) parts_.push_back(gather(phase.name));
}

// The windows and expressions that a phase's ops and outputs touch, each once.
PlanBounds::Part PlanBounds::gather(const std::string& phase) const {
  Part out;
  out.phase = phase;
  std::set<Key> known;
  std::set<std::pair<uint32_t, const char*>> used;
  std::vector<uint8_t> ragged(plan_.dims.size(), 0), seen(plan_.values.size(), 0);
  for (size_t d = 0; d < plan_.dims.size(); ++d) ragged[d] = !plan_.dims[d].per.empty();
  const auto use = [&](uint32_t op, const char* attribute, Expr e) {
    if (e.is_constant() || !used.emplace(e.index(), attribute).second) return;
    const auto dims = dims_of(e);
    const bool by_row =
        std::any_of(dims.begin(), dims.end(), [&](DimIndex d) { return d < ragged.size() && ragged[d]; });
    out.used.push_back({op, attribute, e, by_row});
  };
  const auto touch = [&](uint32_t op, uint32_t v) {
    if (v == kAbsent || seen[v]) return;
    seen[v] = 1;
    const Plan::Value& value = plan_.values[v];
    const Expr room = plan_.buffers[value.buffer].bytes;
    Key key{static_cast<uint32_t>(value.dtype), room.index(),
            value.offset ? value.offset->index() : UINT32_MAX};
    add_key(value.shape, key);
    add_key(value.strides, key);
    if (known.insert(std::move(key)).second) out.windows.push_back({v, room});
    for (const Expr e : value.shape) use(op, nullptr, e);
  };
  for (uint32_t i = 0; i < plan_.ops.size(); ++i) {
    if (plan_.ops[i].phase != phase) continue;
    for (const uint32_t v : plan_.ops[i].in) touch(i, v);
    for (const uint32_t v : plan_.ops[i].out) touch(i, v);
    each_expr(plan_.ops[i], [&](const char* attribute, Expr e) { use(i, attribute, e); });
  }
  for (const Plan::Output& output : plan_.outputs) {
    if (output.phase == phase) touch(0, output.value);
  }
  for (uint32_t v = 0; v < plan_.values.size(); ++v) {
    const Plan::Kind kind = plan_.values[v].kind;
    const bool leaf = kind == Plan::Kind::Input || kind == Plan::Kind::Param || kind == Plan::Kind::State;
    if (leaf) touch(0, v);
  }
  return out;
}

std::optional<std::string> PlanBounds::check_window(const Window& window, Evaluator& at) const {
  const Plan::Value& value = plan_.values[window.value];
  const DTypeInfo& type = info(value.dtype);
  const auto wrong = [&](const std::string& what) { return "values " + value.id + ": " + what; };
  const auto room = at(window.room), begin = value.offset ? at(*value.offset) : std::optional<int64_t>(0);
  if (!room || *room < 0 || !begin || *begin < 0) return wrong("its offset or its buffer has no size");
  int64_t last = 0, row = 1;
  bool empty = false;
  for (size_t i = value.shape.size(); i-- > 0;) {
    const auto n = at(value.shape[i]);
    if (!n || *n < 0)
      return wrong("the extent " + value.shape[i].text().substr(0, kMostSaid) + " has no size");
    const auto stride = value.strides ? at((*value.strides)[i]) : std::optional<int64_t>(row);
    int64_t reach = 0;
    if (!stride || *stride < 0 || __builtin_mul_overflow(std::max<int64_t>(*n - 1, 0), *stride, &reach) ||
        __builtin_add_overflow(last, reach, &last) ||
        __builtin_mul_overflow(row, std::max<int64_t>(*n, 1), &row))
      return wrong("its bytes exceed 64 bits");
    empty = empty || *n == 0;
  }
  if (empty) return std::nullopt;
  int64_t end = 0;
  if (__builtin_mul_overflow(last / type.elements + 1, static_cast<int64_t>(type.bytes), &end) ||
      __builtin_add_overflow(*begin, end, &end))
    return wrong("its bytes exceed 64 bits");
  if (end > *room)
    return wrong("ends at byte " + std::to_string(end) + " of a buffer of " + std::to_string(*room));
  return std::nullopt;
}

std::optional<std::string> PlanBounds::check(const Part& part, Evaluator& at) const {
  for (const Window& window : part.windows) {
    if (auto wrong = check_window(window, at)) return wrong;
  }
  for (const Used& used : part.used) {
    if (at(used.expr)) continue;
    return "ops " + plan_.ops[used.op].id + ": " +
           (used.attribute ? std::string("its attribute ") + used.attribute : "an extent") + ", " +
           used.expr.text().substr(0, kMostSaid) + ", exceeds 64 bits";
  }
  return std::nullopt;
}

std::optional<std::string> PlanBounds::check(const std::string& phase, const Binding& dims,
                                             const std::vector<std::vector<int64_t>>& rows) const {
  Evaluator at(*plan_.pool, dims);
  size_t count = 0;
  for (const auto& own : rows) count = std::max(count, own.size());
  for (const Part& part : parts_) {
    if (part.phase != phase && part.phase != "load") continue;
    if (auto wrong = check(part, at)) return wrong;
    const bool by_row =
        std::any_of(part.used.begin(), part.used.end(), [](const Used& u) { return u.ragged; });
    for (size_t b = 0; b < count && by_row; ++b) {
      Binding own = dims;
      for (size_t d = 0; d < rows.size() && d < own.size(); ++d) {
        if (b < rows[d].size()) own[d] = rows[d][b];
      }
      for (const Used& used : part.used) {
        const auto n = used.ragged ? evaluate(used.expr, own) : std::optional<int64_t>(0);
        if (n && (used.attribute || *n >= 0)) continue;
        return "ops " + plan_.ops[used.op].id + ": " + used.expr.text().substr(0, kMostSaid) +
               " has no size in row " + std::to_string(b);
      }
    }
  }
  return std::nullopt;
}

}  // namespace irplan
