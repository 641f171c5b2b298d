// Nothing that a program or a foreign plan can put before a row's rule, costs or semantics may crash or hang
// them.
#include <algorithm>
#include <functional>
#include <random>

#include "op_call.h"

using namespace irplan;
using namespace irplan::test;

namespace {

class Chance {
 public:
  explicit Chance(uint32_t seed) : engine_(seed) {}
  int64_t below(int64_t n) { return static_cast<int64_t>(engine_() % static_cast<uint64_t>(n)); }
  bool one_in(int64_t n) { return below(n) == 0; }

 private:
  std::mt19937 engine_;
};

// Mostly sizes that fit each other, now and then none that anything fits.
Expr some_extent(Bench& t, Chance& chance) {
  constexpr int64_t kSizes[] = {1, 2, 2, 4, 4, 4, 8, 32, 32, 0};
  if (chance.one_in(40)) return t.dims->constant(chance.one_in(2) ? INT64_MAX : -1);
  if (chance.one_in(4)) return t.dims->dim(chance.one_in(2) ? "S" : "B");
  return t.dims->constant(kSizes[chance.below(10)]);
}

std::vector<Expr> some_shape(Bench& t, Chance& chance) {
  std::vector<Expr> shape;
  for (int64_t rank = chance.one_in(8) ? chance.below(7) : 2 + chance.below(3); rank > 0; --rank)
    shape.push_back(some_extent(t, chance));
  return shape;
}

Attr some_record(Chance& chance) {
  const char* types[] = {"default", "linear", "llama3", "yarn", "longrope", "su", "dynamic", ""};
  AttrRecord record = {{"rope_type", Attr(std::string(types[chance.below(8)]))}};
  for (const char* key : {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings",
                          "length", "beta_fast", "beta_slow", "mscale", "mscale_all_dim", "attention_factor",
                          "truncate", "short_factor", "long_factor"}) {
    switch (chance.below(6)) {
      case 0: break;
      case 1: record.emplace_back(key, Attr(std::string("x"))); break;
      case 2:
        record.emplace_back(key,
                            Bench::numbers(std::vector<double>(static_cast<size_t>(chance.below(4)), 2.0)));
        break;
      case 3: record.emplace_back(key, Attr(double(chance.below(3)) - 1)); break;
      default: record.emplace_back(key, Attr(1 + chance.below(64)));
    }
  }
  return Attr::of(std::move(record));
}

Attr some_attribute(Bench& t, Chance& chance, const AttrSpec& spec) {
  if (chance.one_in(12)) return Attr();
  if (chance.one_in(30)) return Attr(std::string("odd"));
  if (chance.one_in(30)) return Attr(-1.5);
  switch (spec.kind) {
    case AttrKind::Bool: return Attr(chance.one_in(2));
    case AttrKind::Int: return Attr(chance.one_in(20) ? INT64_MIN : chance.below(7) - 3);
    case AttrKind::Number:
      return chance.one_in(2) ? Attr(chance.below(9) - 1) : Attr(double(chance.below(400)) / 10);
    case AttrKind::Extent: return Attr(some_extent(t, chance));
    case AttrKind::Extents: return Attr::of(some_shape(t, chance));
    case AttrKind::Ints: {
      std::vector<int64_t> list;
      for (int64_t n = chance.below(5); n > 0; --n)
        list.push_back(chance.one_in(20) ? INT64_MIN : chance.below(5) - 1);
      return Bench::ints(list);
    }
    case AttrKind::Dtype: return Attr(static_cast<DType>(chance.below(kDTypes)));
    case AttrKind::Word: return Attr(std::string(chance.one_in(2) ? "sigmoid" : "topk_softmax"));
    case AttrKind::Record: return some_record(chance);
  }
  return Attr();
}

HostArray some_array(const TensorType& type, const std::function<int64_t(Expr, int64_t)>& value,
                     Chance& chance) {
  HostArray a;
  a.floats = is_float(type.dtype);
  for (const Expr extent : type.shape) a.shape.push_back(value(extent, -1));
  for (int64_t n = a.count(); n > 0; --n) {
    if (a.floats) a.f.push_back(chance.one_in(50) ? NAN : static_cast<float>(chance.below(9) - 4));
    if (!a.floats) a.i.push_back(chance.below(6) - (chance.one_in(50) ? 9 : 0));
  }
  return a;
}

// Runs the semantics where sizes are small and constraints hold.
bool evaluate_some(Bench& t, OpCall& call, Chance& chance) {
  const Binding binding(t.dims->dim_count(), 1 + chance.below(3));
  const std::function<int64_t(Expr, int64_t)> value = [&](Expr e, int64_t) {
    return evaluate(e, binding).value_or(0);
  };
  for (const Constraint& c : call.constraints) {
    const int64_t a = value(c.left, -1), b = value(c.right, -1);
    if (c.relation == Relation::Equal ? a != b : c.relation == Relation::LessEqual ? a > b : a < b)
      return false;
  }
  const auto small = [&](const TensorType& type) {
    const auto count = evaluate(t.dims->product(type.shape), binding);
    bool positive = true;
    for (const Expr extent : type.shape) positive = positive && value(extent, -1) >= 0;
    return positive && count && *count <= 20000;
  };
  std::vector<HostArray> operands(call.in.size()), out;
  std::vector<const HostArray*> in;
  std::vector<const TensorType*> types;
  for (size_t i = 0; i < call.in.size(); ++i) {
    if (call.in[i] && !small(*call.in[i])) return false;
    if (call.in[i]) operands[i] = some_array(*call.in[i], value, chance);
    in.push_back(call.in[i] ? &operands[i] : nullptr);
    types.push_back(call.in[i] ? &*call.in[i] : nullptr);
  }
  for (const TensorType& type : call.out) {
    if (!small(type)) return false;
    out.push_back(some_array(type, value, chance));
  }
  // What has no elements is not computed.
  if (std::none_of(out.begin(), out.end(), [](const HostArray& a) { return a.count() > 0; })) return true;
  HostCall host{call.row, call.attrs, in, out, value, types, {}};
  call.row.evaluate(host);
  return true;
}

}  // namespace

TEST_CASE("hostile: rules, costs and semantics survive whatever they are given") {
  for (const OpRow& row : op_table()) {
    if (&row == &pack_op()) continue;  // its layouts are words, which chance does not hit
    Bench t;
    t.range("B", {1, 8});
    t.range("S", {0, Interval::kUnbounded});
    int accepted = 0, evaluated = 0;
    for (uint32_t seed = 0; seed < 1500; ++seed) {
      Chance chance(seed);
      OpCall call(row, *t.dims, t.ranges);
      call.attrs = Attrs(row);
      const bool floats = !chance.one_in(5);
      const std::vector<Expr> shared = some_shape(t, chance);
      const int64_t spread = chance.one_in(20) ? 2 : 0;
      const auto count = static_cast<int64_t>(row.operands.size()) + (row.variadic ? chance.below(3) : 0) +
                         spread - chance.below(2);
      for (int64_t i = 0; i < count; ++i) {
        if (chance.one_in(10)) {
          call.in.emplace_back();
          continue;
        }
        TensorType type;
        const bool plain = !chance.one_in(10);
        type.dtype = plain ? (floats ? DType::F32 : DType::I32) : static_cast<DType>(chance.below(kDTypes));
        const bool indices =
            i == 0 ? std::string_view(row.name) == "embed" : i == 2 && std::string_view(row.name) == "expert";
        if (plain && indices) type.dtype = DType::I32;
        type.shape = chance.one_in(2) ? shared : some_shape(t, chance);
        if (chance.one_in(3) && !type.shape.empty())
          type.shape.resize(static_cast<size_t>(1 + chance.below(static_cast<int64_t>(type.shape.size()))));
        // Weights and experts whose shapes follow from the others' are met too rarely by chance.
        if (std::string_view(row.name) == "expert" && !shared.empty() && i < 3 && !chance.one_in(4)) {
          type.shape =
              i == 1 ? std::vector<Expr>{t.dims->constant(6), t.dims->constant(4), shared.back()} : shared;
        }
        call.in.emplace_back(std::move(type));
      }
      for (const AttrSpec& spec : row.attributes) {
        if (!spec.fallback || chance.one_in(3)) call.attrs.set(spec.name, some_attribute(t, chance, spec));
      }
      if (chance.one_in(3)) call.ring_rows = t.dims->constant(4);
      const bool good = row.shape(call);
      REQUIRE(good != call.fault.has_value());
      if (!good) continue;
      ++accepted;
      CHECK_FALSE(call.out.empty());
      row.flops(call);
      cost_bytes(call);
      if (evaluate_some(t, call, chance)) ++evaluated;
    }
    INFO(row.name << ": " << accepted << " accepted, " << evaluated << " evaluated");
    CHECK(accepted > 0);
    CHECK(evaluated > 0);
  }
}
