// One application of an operator for tests: types as text, attributes by name, numbers as lists.
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "ops/op.h"

namespace irplan::test {

using Named = std::vector<std::pair<std::string, Attr>>;

inline Attr dtype(DType d) { return Attr(d); }
inline Attr whole(int64_t n) { return Attr(n); }
inline Attr real(double x) { return Attr(x); }
inline Attr yes() { return Attr(true); }
inline Attr word(const char* w) { return Attr(std::string(w)); }

class Bench {
 public:
  // An expression over dims, which are 1.. unless `range` said otherwise.
  Expr e(const std::string& text) {
    for (size_t i = 0; i < text.size();) {
      size_t end = i;
      while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '_'))
        ++end;
      const std::string word = text.substr(i, end - i);
      const bool name = !word.empty() && std::isalpha(static_cast<unsigned char>(word[0])) &&
                        (end >= text.size() || text[end] != '(');
      if (name) range(word, {1, Interval::kUnbounded}, false);
      i = end + 1;
    }
    const auto found = dims->parse(text);
    INFO(text << ": " << found.message());
    REQUIRE(found);
    return *found;
  }
  void range(const std::string& dim, Interval interval, bool replace = true) {
    const bool known = dims->find(dim).has_value();
    dims->dim(dim);
    ranges.resize(dims->dim_count(), {1, Interval::kUnbounded});
    if (!known || replace) ranges[*dims->find(dim)] = interval;
  }
  // "bf16[B, S, 4096]"
  TensorType type(const std::string& text) {
    const size_t open = text.find('[');
    TensorType out;
    out.dtype = *find_dtype(text.substr(0, open));
    std::string extent;
    int depth = 0;
    for (size_t i = open + 1; i < text.size(); ++i) {
      if (text[i] == '(') ++depth;
      if (text[i] == ')') --depth;
      const bool ends = depth == 0 && (text[i] == ',' || text[i] == ']');
      if (!ends) {
        if (!(extent.empty() && text[i] == ' ')) extent += text[i];
        continue;
      }
      if (!extent.empty()) out.shape.push_back(e(extent));
      extent.clear();
    }
    return out;
  }
  Attr extents(const std::vector<std::string>& texts) {
    std::vector<Expr> list;
    for (const auto& text : texts) list.push_back(text == "-1" ? dims->constant(-1) : e(text));
    return Attr::of(list);
  }
  static Attr ints(const std::vector<int64_t>& numbers) {
    AttrList list;
    for (const int64_t n : numbers) list.emplace_back(n);
    return Attr::of(std::move(list));
  }
  static Attr numbers(const std::vector<double>& values) {
    AttrList list;
    for (const double n : values) list.emplace_back(n);
    return Attr::of(std::move(list));
  }

  // Applies the row's rule; an empty type text is an absent operand.
  OpCall call(const std::string& op, const std::vector<std::string>& operands, const Named& attrs = {}) {
    const OpRow* row = find_op(op);
    REQUIRE(row);
    OpCall c(*row, *dims, ranges);
    c.attrs = Attrs(*row);
    for (const auto& [name, value] : attrs) c.attrs.set(name, value);
    for (const std::string& text : operands) {
      c.in.push_back(text.empty() ? std::nullopt : std::optional<TensorType>(type(text)));
    }
    if (ring_rows) c.ring_rows = ring_rows;
    row->shape(c);
    return c;
  }
  // The results' types, or the fault's code.
  std::string result(const std::string& op, const std::vector<std::string>& operands,
                     const Named& attrs = {}) {
    const OpCall c = call(op, operands, attrs);
    if (c.fault) return info(c.fault->code).name;
    std::string out;
    for (const TensorType& t : c.out) out += (out.empty() ? "" : "  ") + text(t);
    return out;
  }
  std::string constraints(const OpCall& c) {
    std::string out;
    for (const Constraint& k : c.constraints) {
      out += (out.empty() ? "" : "; ") + k.left.text() + " " + symbol(k.relation) + " " + k.right.text();
    }
    return out;
  }

  std::unique_ptr<Dims> dims = std::make_unique<Dims>();
  Ranges ranges;
  std::optional<Expr> ring_rows;
};

inline HostArray floats(std::vector<int64_t> shape, std::vector<float> values) {
  HostArray a;
  a.shape = std::move(shape);
  a.f = std::move(values);
  REQUIRE(static_cast<int64_t>(a.f.size()) == a.count());
  return a;
}
inline HostArray ints(std::vector<int64_t> shape, std::vector<int64_t> values) {
  HostArray a;
  a.floats = false;
  a.shape = std::move(shape);
  a.i = std::move(values);
  REQUIRE(static_cast<int64_t>(a.i.size()) == a.count());
  return a;
}
inline std::string type_of(const HostArray& a) {
  std::string out = a.floats ? "f32[" : "i32[";
  for (size_t i = 0; i < a.shape.size(); ++i) out += (i ? ", " : "") + std::to_string(a.shape[i]);
  return out + "]";
}

struct Numbers {
  std::vector<HostArray> out;
  std::string error;
};

// Runs the row's semantics on arrays of constant shapes; null operands are absent. `rows` gives a ragged dim
// P its values.
inline Numbers run(const std::string& op, const std::vector<const HostArray*>& operands,
                   const Named& attrs = {}, const std::vector<int64_t>& rows = {}, Bench* shared = nullptr) {
  Bench own;
  Bench& bench = shared ? *shared : own;
  std::vector<std::string> types;
  for (const HostArray* a : operands) types.push_back(a ? type_of(*a) : "");
  const OpCall call = bench.call(op, types, attrs);
  INFO(op << " faulted with " << (call.fault ? info(call.fault->code).name : ""));
  REQUIRE(!call.fault);
  const auto value = [&](Expr e, int64_t b) {
    int64_t most = 0;
    for (const int64_t n : rows) most = std::max(most, n);
    const bool one = b >= 0 && b < static_cast<int64_t>(rows.size());
    Binding binding(bench.dims->dim_count(), one ? rows[static_cast<size_t>(b)] : most);
    return evaluate(e, binding).value_or(0);
  };
  Numbers numbers;
  for (const TensorType& type : call.out) {
    HostArray a;
    a.floats = is_float(type.dtype);
    for (const Expr extent : type.shape) a.shape.push_back(value(extent, -1));
    if (a.floats) a.f.resize(static_cast<size_t>(a.count()));
    if (!a.floats) a.i.resize(static_cast<size_t>(a.count()));
    numbers.out.push_back(std::move(a));
  }
  std::vector<const TensorType*> in_types;
  for (const auto& operand : call.in) in_types.push_back(operand ? &*operand : nullptr);
  HostCall host{call.row, call.attrs, operands, numbers.out, value, in_types, {}};
  call.row.evaluate(host);
  numbers.error = host.error;
  return numbers;
}

inline bool near(const std::vector<float>& a, const std::vector<float>& b, float tolerance = 1e-6f) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!(std::abs(a[i] - b[i]) <= tolerance * std::max(1.0f, std::abs(b[i])))) return false;
  }
  return true;
}

}  // namespace irplan::test
