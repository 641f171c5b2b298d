// The parts of which a plan's proof is made, each by itself: what holds of sizes, the largest of sums, and
// what was written where.
#include <string>

#include "catch.h"
#include "plan/proof/facts.h"
#include "plan/proof/maximum.h"
#include "plan/proof/regions.h"

using namespace irplan;
using proof::Facts;
using proof::Maximum;
using proof::Regions;

namespace {

struct Sizes {
  Dims dims;
  Sizes() { dims.dim("S"), dims.dim("T"); }
  Expr operator()(const std::string& text) {
    const auto e = dims.parse(text);
    INFO(text << ": " << e.message());
    REQUIRE(e);
    return *e;
  }
  Expr too_large() { return (*this)("9223372036854775807") * 2; }
  Facts facts() { return Facts(dims, Ranges{{1, 64}, {1, 8}}); }
};

}  // namespace

TEST_CASE(
    "what holds of sizes follows from ranges, fixed dims and guards, and nothing from what overflowed") {
  Sizes e;
  Facts facts = e.facts();
  CHECK(facts.holds(e("S"), Relation::GreaterEqual, e("1")));
  CHECK(facts.holds(e("S"), Relation::LessEqual, e("64")));
  CHECK_FALSE(facts.holds(e("S"), Relation::Equal, e("64")));
  CHECK_FALSE(facts.at_most(e("S"), e("T")));
  Facts guarded = e.facts();
  guarded.fix(1, 8);
  guarded.assume(e("T") - e("S"));
  guarded.assume(e("T") - e("S"));
  guarded.assume(e.too_large());
  CHECK(guarded.at_most(e("S"), e("8")));
  CHECK(guarded.holds(e("2*T"), Relation::Equal, e("16")));
  CHECK(guarded.in(e.too_large()).overflowed());
  CHECK_FALSE(guarded.at_least_zero(e.too_large()));
  CHECK_FALSE(facts.at_least_zero(e.too_large()));
}

TEST_CASE("many guards are looked at up to a limit, and the rest proves nothing") {
  Sizes e;
  Facts facts = e.facts();
  for (int64_t n = 200; n > 0; --n) facts.assume(e("T") * 3 - e("S") + n);
  CHECK(facts.at_most(e("S"), e("3*T") + 200));
  CHECK_FALSE(facts.at_most(e("S"), e("2*T")));
}

TEST_CASE("what would take too long to decide is open, and stays so until a stage begins") {
  Sizes e;
  Facts facts = e.facts();
  facts.assume(e("9223372036854775807*T") - e("S"));
  CHECK(facts.holds(e("S"), Relation::Equal, e("S")));
  CHECK_FALSE(facts.at_least_zero(e("S - 2*T")));  // less the guard it exceeds 64 bits
  const Expr apart = e("S*T - 5*S + 3*T") - 40;    // 0 nowhere at a corner
  for (int64_t n = 1; !facts.tired(); ++n) {
    if (n == 100'000) FAIL("never tired");
    facts.at_least_zero(apart * apart - n);
  }
  Maximum most(e.dims, facts);
  CHECK(most.lost());
  const Expr easy = e("S*T - 2*S") + e("T*T") * 3;
  CHECK_FALSE(facts.at_least_zero(easy));
  facts.rest();
  CHECK_FALSE(most.lost());
  CHECK(facts.at_least_zero(e("S*T*T - S*T + T")));
}

TEST_CASE("the largest of sums keeps what no other covers, and is lost where one overflows") {
  Sizes e;
  Facts facts = e.facts();
  Maximum most(e.dims, facts);
  CHECK(most.is(e("0")));
  CHECK(most.text() == "0");
  most.add(e("S"));
  most.add(e("S + 3"));
  most.add(e("2"));
  CHECK(most.text() == "S + 3");
  most.add(e("S*T*T"));
  CHECK(most.text() == "max(S + 3, " + e("S*T*T").text() + ")");
  CHECK(most.is(e("max(S + 3, S*T*T)")));
  CHECK_FALSE(most.is(e("S + 3")));
  CHECK_FALSE(most.is(e("min(S, T)")));
  CHECK_FALSE(most.is(e("S*T")));
  Maximum above(e.dims, facts);
  above.add_all(Maximum(e.dims, facts), e("T"));
  CHECK(above.text() == "T");
  above.add_all(most, e("T"));
  CHECK_FALSE(above.lost());
  Maximum lost(e.dims, facts);
  lost.add(e.too_large());
  CHECK(lost.lost());
  above.add_all(lost, e("T"));
  CHECK(above.lost());
  above.add_all(most, e("T"));
  CHECK(above.lost());
  CHECK(proof::capped_sum(INT64_MAX, 1) == INT64_MAX);
  CHECK(proof::capped_sum(1, 1) == 2);
  CHECK(proof::capped_aligned(INT64_MAX - 3, 16) == INT64_MAX);
  CHECK(proof::capped_aligned(17, 16) == 32);
}

TEST_CASE("a part is written with its whole, its own parts, and every part beside it that may overlap") {
  Sizes e;
  Facts facts = e.facts();
  Regions regions;
  regions.start(1);
  const uint32_t first = regions.part(0, {}, 0, e("0"), e("S")),
                 next = regions.part(0, {}, 0, e("S"), e("2*S")),
                 before = regions.part(0, {}, 0, e("-S"), e("0")),
                 apart = regions.part(0, {}, 0, e("3*S"), e("4*S")),
                 across = regions.part(0, {}, 0, e("1"), e("4*S"));
  CHECK(regions.part(0, {}, 0, e("0"), e("S")) == first);
  CHECK(regions.is_whole(0));
  CHECK_FALSE(regions.is_whole(first));
  CHECK(regions.written_since(first, 0, facts) == Regions::kNone);
  regions.write(first, 10, 1);
  CHECK(regions.written_since(first, 0, facts) == 10);
  CHECK(regions.written_since(0, 0, facts) == 10);  // a part of it
  // Links of a chain, and intervals that are apart at every size, do not overlap.
  regions.write(next, 20, 2);
  regions.write(before, 30, 3);
  regions.write(apart, 40, 4);
  CHECK(regions.written_since(first, 1, facts) == Regions::kNone);
  CHECK(regions.written_since(apart, 4, facts) == Regions::kNone);
  // Others do, wholly written or in part.
  regions.write(across, 50, 5);
  CHECK(regions.written_since(first, 4, facts) == 50);
  regions.write(regions.part(across, {}, 1, e("0"), e("2")), 60, 6);
  CHECK(regions.written_since(first, 5, facts) == 60);
  CHECK(regions.written_since(across, 5, facts) == 60);
  // Parts along another axis are not told apart, nor through another frame.
  regions.write(regions.part(0, {}, 1, e("0"), e("2")), 70, 7);
  CHECK(regions.written_since(first, 6, facts) == 70);
  regions.write(regions.part(0, {1}, 0, e("S"), e("2*S")), 80, 8);
  CHECK(regions.written_since(first, 7, facts) == 80);
  regions.write(0, 90, 9);
  CHECK(regions.written_since(first, 8, facts) == 90);
  CHECK(regions.written_since(first, 9, facts) == Regions::kNone);
  CHECK(regions.work() < regions.most_work());
}
