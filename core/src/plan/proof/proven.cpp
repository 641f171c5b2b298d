// What `proven` says: at every size no stack ends above what some op needs, its buffers padded.
#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_set>

#include "plan/proof/maximum.h"
#include "plan/proof/proof.h"

namespace irplan::proof {
namespace {

constexpr size_t kMostSums = 1'000'000;        // looked at in one phase, layers that are alike once
constexpr size_t kMostCases = 4'000;           // ranges and sums that are compared for one phase
constexpr size_t kMostLooks = 4'000'000;       // terms at ends of ranges, likewise
constexpr int64_t kMostUnit = 1 << 20;         // by which a sum is multiplied, to be rid of divisions
constexpr int64_t kFarLow = int64_t{1} << 60;  // of a range that is parted

// A sum of the form c * ceildiv(a, n), n a number.
const Atom* rounded_up(const Term& term) {
  const auto& factors = term.monomial->factors;
  if (factors.size() != 1 || factors[0]->dim || factors[0]->function != Function::Ceildiv) return nullptr;
  return factors[0]->b.is_constant() ? factors[0] : nullptr;
}

// A positive multiple of a sum that is at most `e`: quotients as fractions, which intervals can compare.
Expr at_most_a_multiple(Dims& dims, Expr e) {
  if (e.overflowed()) return e;
  int64_t unit = 1;
  for (const Term& term : e.node().terms) {
    const Atom* quotient = rounded_up(term);
    if (quotient && quotient->b.constant() <= kMostUnit) unit = std::lcm(unit, quotient->b.constant());
    if (unit > kMostUnit) return e;
  }
  Expr out = e * unit;
  for (const Term& term : e.node().terms) {
    const Atom* quotient = rounded_up(term);
    if (!quotient || quotient->b.constant() > kMostUnit) continue;
    const int64_t n = quotient->b.constant();
    const Expr up = term.coefficient < 0 ? quotient->a + (n - 1) : quotient->a;
    out = out - dims.call(Function::Ceildiv, quotient->a, quotient->b) * unit * term.coefficient +
          up * (unit / n) * term.coefficient;
  }
  return out;
}

// Whether the largest of some bounds is at least a sum at every size, be it now one of them, now another: the
// ranges are parted until one of them is.
class Cover {
 public:
  Cover(Dims& dims, Facts& facts, const std::vector<Expr>& bounds)
      : dims_(dims), facts_(facts), bounds_(bounds) {}

  bool covers(Expr end) {
    if (std::any_of(bounds_.begin(), bounds_.end(), [&](Expr b) { return facts_.at_most(end, b); }))
      return true;
    std::vector<Expr> gaps;
    std::vector<DimIndex> dims;
    for (const Expr bound : bounds_) {
      gaps.push_back(at_most_a_multiple(dims_, bound - end));
      for (const DimIndex d : dims_of(bound - end)) {
        if (std::find(dims.begin(), dims.end(), d) == dims.end()) dims.push_back(d);
      }
    }
    std::vector<Ranges> open{facts_.ranges()};
    while (!open.empty()) {
      const Ranges here = std::move(open.back());
      open.pop_back();
      if (std::any_of(gaps.begin(), gaps.end(), [&](Expr gap) { return is_open(gap, here); })) continue;
      if (cases_ > kMostCases || looks_ > kMostLooks) return false;
      if (!part(here, dims, open) && !holds_at(end, here, dims)) return false;
    }
    return true;
  }

 private:
  // Whether a gap is at least 0 over the ranges.
  bool is_open(Expr gap, const Ranges& ranges) {
    if (gap.overflowed() || ++cases_ > kMostCases || looks_ > kMostLooks) return false;
    int looks = 0;
    const Truth truth = decide(dims_.constant(0), Relation::LessEqual, gap, ranges, &looks);
    looks_ += gap.node().terms.size() * static_cast<size_t>(looks + 1);
    return truth == Truth::Yes;
  }

  // Parts the range that is the widest for its size; nearer its least, where padding weighs. False where none
  // can be parted.
  static bool part(const Ranges& ranges, const std::vector<DimIndex>& dims, std::vector<Ranges>& out) {
    const auto width = [&](DimIndex d) {
      return (static_cast<double>(ranges[d].hi) + 1) / (static_cast<double>(ranges[d].lo) + 1);
    };
    const auto widest = std::max_element(dims.begin(), dims.end(),
                                         [&](DimIndex a, DimIndex b) { return width(a) < width(b); });
    if (widest == dims.end() || width(*widest) <= 1 || ranges[*widest].lo > kFarLow) return false;
    const Interval all = ranges[*widest];
    const int64_t middle = all.lo + std::min((all.hi - all.lo) / 2, all.lo * 3 + 1);
    out.insert(out.end(), 2, ranges);
    out[out.size() - 2][*widest] = {middle + 1, all.hi};
    out.back()[*widest] = {all.lo, middle};
    return true;
  }

  // At the only size that the ranges leave to the dims.
  bool holds_at(Expr end, const Ranges& ranges, const std::vector<DimIndex>& dims) const {
    if (std::any_of(dims.begin(), dims.end(), [&](DimIndex d) { return ranges[d].lo != ranges[d].hi; }))
      return false;
    Binding size;
    for (const Interval& range : ranges) size.push_back(range.lo);
    const auto top = evaluate(end, size);
    return top && std::any_of(bounds_.begin(), bounds_.end(), [&](Expr bound) {
             const auto sum = evaluate(bound, size);
             return sum && *sum >= *top;
           });
  }

  Dims& dims_;
  Facts& facts_;
  const std::vector<Expr>& bounds_;
  size_t cases_ = 0, looks_ = 0;
};

}  // namespace

// At each op the aligned bytes that are alive, but one buffer, the last, as it is. False where there are too
// many to look at.
bool Proof::padded_sums(uint32_t phase, Maximum& out) {
  const auto [born, died] = lives_of(phase);
  std::map<uint32_t, std::pair<Expr, size_t>> alive;  // by index of the size: how many have it
  std::unordered_set<uint64_t> met;                   // by a sum over what is alive
  uint64_t hash = 0;
  Expr padded = plan_.pool->constant(0);
  size_t sums = 0;
  const auto mixed = [](uint32_t n) {
    uint64_t x = (n + uint64_t{1}) * 0x9e3779b97f4a7c15ULL;
    return (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9ULL;
  };
  for (size_t i = 0; i + 1 < born.size(); ++i) {
    for (const uint32_t b : died[i]) {
      const Expr bytes = plan_.buffers[b].bytes;
      padded = padded - plan_.pool->align(bytes, plan_.align), hash -= mixed(bytes.index());
      if (--alive[bytes.index()].second == 0) alive.erase(bytes.index());
    }
    for (const uint32_t b : born[i]) {
      const Expr bytes = plan_.buffers[b].bytes;
      padded = padded + plan_.pool->align(bytes, plan_.align), hash += mixed(bytes.index());
      ++alive.try_emplace(bytes.index(), bytes, 0).first->second.second;
    }
    if (born[i].empty() || !met.insert(hash).second) continue;
    for (const auto& [index, size] : alive) {
      if (++sums > kMostSums || out.lost()) return false;
      out.add(padded - plan_.pool->align(size.first, plan_.align) + size.first);
    }
  }
  return !out.lost();
}

void Proof::check_proven(uint32_t phase, const Maximum& ends) {
  Maximum bounds(*plan_.pool, facts(phase));
  const bool found = !ends.lost() && padded_sums(phase, bounds);
  Cover cover(*plan_.pool, facts(phase), bounds.terms());
  const auto covered = [&](Expr end) { return end.is(0) || cover.covers(end); };
  if (!found || !std::all_of(ends.terms().begin(), ends.terms().end(), covered))
    refuse(Rule::Proven, "memory_plan.range",
           "is not proven: in phase " + plan_.phases[phase].name + " a stack ends above what any op needs, " +
               ends.text().substr(0, 80) + " and " + bounds.text().substr(0, 80));
}

}  // namespace irplan::proof
