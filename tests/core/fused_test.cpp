// A fused operator computes what the two that it stands for compute one after the other, each result rounded
// to the dtype in which it is stored.
#include <random>

#include "catch.h"
#include "ops/float_formats.h"
#include "ops/op.h"

using namespace irplan;

namespace {

constexpr int64_t kRows = 5, kWidth = 24;

HostArray some(std::vector<int64_t> shape, DType dtype, std::mt19937& random) {
  HostArray out;
  out.shape = std::move(shape);
  std::normal_distribution<float> normal;
  for (int64_t i = 0; i < out.count(); ++i) out.f.push_back(rounded_to(dtype, normal(random)));
  return out;
}

Attrs attrs_of(const OpRow& row) {
  Attrs attrs(row);
  attrs.set("eps", Attr(1e-5));
  if (row.norm_weight >= 0 && attrs["offset"].get<int64_t>()) attrs.set("offset", Attr(int64_t{1}));
  return attrs;
}

// Results as they are stored.
std::vector<HostArray> apply(const OpRow& row, const std::vector<const HostArray*>& in, DType dtype,
                             size_t results) {
  HostArray empty;
  empty.shape = {kRows, kWidth};
  empty.f.assign(static_cast<size_t>(kRows * kWidth), 0.0f);
  std::vector<HostArray> out(results, empty);
  std::vector<TensorType> types(in.size());
  std::vector<const TensorType*> pointers;
  for (TensorType& type : types) type.dtype = dtype, pointers.push_back(&type);
  const Attrs attrs = attrs_of(row);
  HostCall call{row, attrs, in, out, [](Expr, int64_t) { return int64_t{0}; }, pointers, {}};
  row.evaluate(call);
  for (HostArray& array : out) {
    for (float& x : array.f) x = rounded_to(dtype, x);
  }
  return out;
}

}  // namespace

TEST_CASE("fused operators: each is its parts, rounded where they are") {
  std::mt19937 random(4);
  int rows = 0;
  for (const OpRow& row : op_table()) {
    if (!row.first) continue;
    ++rows;
    const OpRow *first = find_op(row.first), *second = find_op(row.second);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(row.fused);
    for (const DType dtype : {DType::F32, DType::F16, DType::BF16}) {
      INFO(row.name << " " << name(dtype));
      const HostArray a = some({kRows, kWidth}, dtype, random), b = some({kRows, kWidth}, dtype, random);
      const HostArray w = some({kWidth}, dtype, random), bias = some({kWidth}, dtype, random);
      std::vector<const HostArray*> in{&a, &b};
      const bool norm = row.keeps_between;
      if (norm) in.push_back(&w);
      if (row.operands.size() > 3) in.push_back(&bias);
      const auto got = apply(row, in, dtype, norm ? 2 : 1);
      const auto between =
          apply(*first, norm ? std::vector<const HostArray*>{&a, &b} : std::vector{&a}, dtype, 1);
      std::vector<const HostArray*> rest{&between[0]};
      if (!norm) rest.push_back(&b);
      for (size_t i = 2; i < in.size(); ++i) rest.push_back(in[i]);
      const auto want = apply(*second, rest, dtype, 1);
      if (norm) CHECK(got[0].f == between[0].f);
      CHECK(got.back().f == want[0].f);
    }
  }
  CHECK(rows == 4);
}
