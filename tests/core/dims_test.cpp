// Symbolic extents: normal form, functions, decisions, monotonicity.
#include <random>

#include "catch.h"
#include "dims/expr.h"

using namespace irplan;

namespace {

struct Pool {
  Dims dims;
  Expr b = dims.dim("B"), s = dims.dim("S"), p = dims.dim("P");
  Ranges ranges = {{1, 64}, {1, 2048}, {0, 8191}};
  Expr n(int64_t value) { return dims.constant(value); }
};

}  // namespace

TEST_CASE("expressions have one normal form") {
  Pool t;
  CHECK((t.s * t.b * 2 + 64).text() == "2*B*S + 64");
  CHECK((t.p + t.s - t.s).text() == "P");
  CHECK((t.s - t.s).text() == "0");
  CHECK((t.s * t.s + t.b * t.s * t.p - 1).text() == "B*P*S + S*S - 1");
  CHECK((t.n(0) - t.s).text() == "-S");
  CHECK((t.s + t.b) * (t.s - t.b) == t.s * t.s - t.b * t.b);
  CHECK(t.dims.min(t.s, t.b).text() == "min(B, S)");
  CHECK(t.dims.max(t.dims.max(t.s, t.b), t.n(4)) == t.dims.max(t.n(4), t.dims.max(t.b, t.s)));
  CHECK(t.dims.max(t.dims.max(t.s, t.n(7)), t.n(4)).text() == "max(7, S)");
}

TEST_CASE("functions fold what they can") {
  Pool t;
  CHECK(t.dims.ceildiv(t.n(7), t.n(2)).is(4));
  CHECK(t.dims.floordiv(t.n(-7), t.n(2)).is(-4));
  CHECK(t.dims.mod(t.n(-7), t.n(4)).is(1));
  CHECK(t.dims.floordiv(t.s * 4 + 3, t.n(4)).text() == "S");
  CHECK(t.dims.ceildiv(t.s * 4 + t.b, t.n(4)).text() == "S + ceildiv(B, 4)");
  CHECK(t.dims.mod(t.s * 4 + t.b, t.n(4)).text() == "mod(B, 4)");
  CHECK(t.dims.align(t.s * 512, 256) == t.s * 512);
  CHECK(t.dims.align(t.s * 2, 256).text() == "256*ceildiv(2*S, 256)");
  CHECK(t.dims.ceildiv(t.s, t.n(0)).overflowed());
  CHECK(t.dims.min(t.s, t.s) == t.s);
}

TEST_CASE("overflow swallows what it meets") {
  Pool t;
  const Expr big = t.n(INT64_MAX);
  CHECK((big + 1).overflowed());
  CHECK((big * t.s * 2).overflowed());
  CHECK(((big + 1) - big).overflowed());
  CHECK((big + 1).text() == "overflow");
  CHECK_FALSE(evaluate(big * t.s, {0, 2, 0}).has_value());
}

TEST_CASE("exact division of polynomials") {
  Pool t;
  CHECK(*t.dims.divide_exactly(t.b * (t.p + t.s) * 64, t.b * 16) == (t.p + t.s) * 4);
  CHECK(*t.dims.divide_exactly(t.b * t.p + t.b * t.s, t.p + t.s) == t.b);
  CHECK_FALSE(t.dims.divide_exactly(t.s + 1, t.n(2)).has_value());
  CHECK_FALSE(t.dims.divide_exactly(t.s, t.b).has_value());
}

TEST_CASE("text is read back only in normal form") {
  Pool t;
  for (const char* text :
       {"2*B*S + 64", "max(7, S)", "256*ceildiv(2*S, 256)", "-P*S - 4", "0", "min(8192, P + S)"}) {
    INFO(text);
    const auto e = t.dims.parse(text);
    REQUIRE(e);
    CHECK(e->text() == text);
  }
  for (const char* text : {"S*B", "S**2", "2*", "", " 4", "+4", "04", "S+1", "min(2, 3)", "ceildiv(4, 0)",
                           "log(S, 2)", "Q", "mod(S)", "S + S", "1e3", "9223372036854775808", "S;S", "-0"}) {
    INFO(text);
    CHECK_FALSE(t.dims.parse(text).message().empty());
  }
  CHECK_FALSE(t.dims.parse(std::string(100000, '(')));
  std::string nested;
  for (int i = 0; i < 100000; ++i) nested += "min(";
  CHECK_FALSE(t.dims.parse(nested + "S"));
}

TEST_CASE("bounds and decisions") {
  Pool t;
  CHECK(bounds(t.p + t.s, t.ranges) == Interval{1, 10239});
  CHECK(bounds(t.s - t.p, t.ranges) == Interval{-8190, 2048});
  CHECK(decide(t.s, Relation::LessEqual, t.n(2048), t.ranges) == Truth::Yes);
  CHECK(decide(t.p + t.s, Relation::LessEqual, t.n(8192), t.ranges) == Truth::Unknown);
  CHECK(decide(t.p + 1, Relation::LessEqual, t.n(8192), t.ranges) == Truth::Yes);
  CHECK(decide(t.s, Relation::Equal, t.p, t.ranges) == Truth::Unknown);
  CHECK(decide(t.s, Relation::Equal, t.s + 1, t.ranges) == Truth::No);
  CHECK(decide(t.s, Relation::GreaterEqual, t.n(4096), t.ranges) == Truth::No);
  // The interval of S*S - S alone says nothing; its monotone endpoint does.
  CHECK(decide(t.s, Relation::LessEqual, t.s * t.s, t.ranges) == Truth::Yes);
  CHECK(decide(t.dims.min(t.n(100), t.s), Relation::LessEqual, t.n(100), t.ranges) == Truth::Yes);
}

TEST_CASE("monotonicity") {
  Pool t;
  const DimIndex s = *t.dims.find("S");
  CHECK(non_decreasing(t.s * t.b + 4, s, t.ranges));
  CHECK(non_decreasing(t.dims.min(t.n(8192), t.p + t.s), s, t.ranges));
  CHECK(non_decreasing(t.dims.align(t.s * 2, 256), s, t.ranges));
  CHECK(non_decreasing(t.b * t.p, s, t.ranges));
  CHECK_FALSE(non_decreasing(t.n(8192) - t.s, s, t.ranges));
  CHECK_FALSE(non_decreasing(t.dims.mod(t.s, t.n(2)), s, t.ranges));
  CHECK(non_decreasing(t.s * t.s - t.s, s, t.ranges));
}

TEST_CASE("facts agree with numbers at random sizes") {
  Pool t;
  std::mt19937 random(7);
  const auto draw = [&](int64_t lo, int64_t hi) {
    return lo + static_cast<int64_t>(random() % static_cast<uint64_t>(hi - lo + 1));
  };
  std::vector<Expr> exprs = {t.b, t.s, t.p, t.n(3)};
  for (int i = 0; i < 400; ++i) {
    const Expr a = exprs[random() % exprs.size()], b = exprs[random() % exprs.size()];
    switch (random() % 7) {
      case 0: exprs.push_back(a + b); break;
      case 1: exprs.push_back(a - b); break;
      case 2: exprs.push_back(a * draw(1, 9)); break;
      case 3: exprs.push_back(t.dims.min(a, b)); break;
      case 4: exprs.push_back(t.dims.max(a, b)); break;
      case 5: exprs.push_back(t.dims.ceildiv(a, t.n(draw(1, 300)))); break;
      default: exprs.push_back(t.dims.floordiv(a, t.n(draw(1, 300))));
    }
    if (exprs.back().overflowed()) exprs.pop_back();
  }
  for (size_t i = 0; i < exprs.size(); ++i) {
    const Expr e = exprs[i], other = exprs[(i * 7 + 1) % exprs.size()];
    INFO(e.text() << "  against  " << other.text());
    const auto read = t.dims.parse(e.text());
    REQUIRE(read);
    REQUIRE(*read == e);
    const Interval range = bounds(e, t.ranges);
    const Truth below = decide(e, Relation::LessEqual, other, t.ranges);
    for (int k = 0; k < 20; ++k) {
      Binding at = {draw(1, 64), draw(1, 2048), draw(0, 8191)};
      const auto value = evaluate(e, at), against = evaluate(other, at);
      if (!value || !against) continue;
      REQUIRE(*value >= range.lo);
      REQUIRE(*value <= range.hi);
      if (below == Truth::Yes) REQUIRE(*value <= *against);
      if (below == Truth::No) REQUIRE(*value > *against);
      Evaluator evaluator(t.dims, at);
      REQUIRE(evaluator(e) == value);
      const DimIndex dim = static_cast<DimIndex>(random() % 3);
      if (non_decreasing(e, dim, t.ranges) && at[dim] < t.ranges[dim].hi) {
        ++at[dim];
        if (const auto next = evaluate(e, at)) REQUIRE(*next >= *value);
      }
    }
  }
}
