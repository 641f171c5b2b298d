#include "passes/memory/place.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "base/bytes.h"
#include "base/sort.h"
#include "irplan/pack.h"
#include "passes/admitted.h"
#include "passes/memory/pack_parts.h"

namespace irplan {
namespace {

constexpr int64_t kLargestSample = 8192;  // of a dim without upper bound
constexpr size_t kMaxSamples = 24;
constexpr packing::Rule kRules[] = {packing::Rule::Size, packing::Rule::Life, packing::Rule::Begin,
                                    packing::Rule::Area};
constexpr double kGoodRatio = 1.02;           // what a default plan is searched for below
constexpr int64_t kShortSearch = 4'000;       // nodes, in a default plan
constexpr int kRepairRounds = 64;             // of one sequence
constexpr size_t kRepairWork = 20'000'000;    // neighbours looked at again, over all sequences and samples
constexpr size_t kMaxTerms = 64;              // of a maximum, before it is given up as an expression
constexpr int kMaxCases = 2000;               // decided in proofs by cases, of one phase
constexpr int64_t kMaxUnit = 1 << 20;         // by which a sum is multiplied to be rid of divisions
constexpr int64_t kMostSampled = 20'000'000;  // neighbours, over all samples
constexpr int64_t kItemCost = 60, kPairCost = 6, kSumCost = 150, kTermCost = 50;  // steps of Work
constexpr int64_t kPackCost = 5'000'000;  // of a short search, and of mending before
constexpr int64_t kPackedTries = 4;       // what its placements cost, in ours
constexpr size_t kMaxDecisions = 4000;    // of which of two sums is larger; models take some hundreds

using Index = uint32_t;  // of a buffer among the phase's

// The phase's buffers as the packer sees them, and who is alive with whom.
struct Problem {
  std::vector<BufferId> ids;
  std::vector<uint32_t> begin, end;
  std::vector<std::vector<Index>> neighbours;  // alive at a common step
  std::vector<std::vector<Index>> steps;       // maximal sets of buffers alive together

  explicit Problem(const Graph& graph, uint32_t phase) {
    for (BufferId i = 0; i < graph.buffers.size(); ++i) {
      const Buffer& b = graph.buffers[i];
      if (b.segment != Segment::Arena || b.phase != phase || b.live_end <= b.live_begin) continue;
      ids.push_back(i);
      begin.push_back(b.live_begin);
      end.push_back(b.live_end);
    }
    sweep();
  }

  size_t size() const { return ids.size(); }

 private:
  void sweep() {
    constexpr size_t kUsual = 8;  // alive together in a layer
    neighbours.resize(size());
    for (auto& list : neighbours) list.reserve(std::min(kUsual, size()));
    std::vector<Index> order(size());
    std::iota(order.begin(), order.end(), 0);
    sort_range(order.begin(), order.end(), [&](Index a, Index b) { return begin[a] < begin[b]; });
    std::vector<Index> alive;
    bool grown = false;
    for (size_t i = 0; i < order.size();) {
      const uint32_t now = begin[order[i]];
      const auto ended = [&](Index b) { return end[b] <= now; };
      if (grown && std::any_of(alive.begin(), alive.end(), ended)) steps.push_back(alive), grown = false;
      std::erase_if(alive, ended);
      for (; i < order.size() && begin[order[i]] == now; ++i) {
        for (const Index b : alive) {
          neighbours[b].push_back(order[i]);
          neighbours[order[i]].push_back(b);
        }
        alive.push_back(order[i]);
        grown = true;
      }
    }
    if (grown) steps.push_back(alive);
  }
};

// Steps that lives take up, all together.
class Covered {
 public:
  void clear() { ends_.clear(); }

  bool meets(uint32_t begin, uint32_t end) const {
    const auto next = ends_.lower_bound(end);  // the first that begins too late
    return next != ends_.begin() && std::prev(next)->second > begin;
  }

  void add(uint32_t begin, uint32_t end) {
    auto at = ends_.upper_bound(begin);
    if (at != ends_.begin() && std::prev(at)->second >= begin) --at, begin = at->first;
    while (at != ends_.end() && at->first <= end) end = std::max(end, at->second), at = ends_.erase(at);
    ends_.emplace(begin, end);
  }

 private:
  std::map<uint32_t, uint32_t> ends_;  // by begin; apart from each other
};

using Sizes = std::vector<int64_t>;  // bytes, by Index

class Placer {
 public:
  Placer(Graph& graph, uint32_t phase, const Effort& effort)
      : graph_(graph),
        dims_(*graph.dims),
        phase_(phase),
        effort_(effort),
        problem_(graph, phase),
        align_(graph.target.align),
        ranges_(graph.ranges(phase)) {}

  void run() {
    stack();
    write_expressions();
  }

  void stack() {
    for (const auto& neighbours : problem_.neighbours) pairs_ += static_cast<int64_t>(neighbours.size());
    measure_samples();
    search();
    write_order();
  }

 private:
  // ---- sizes at the samples, and the bound there (padded, since padding does not count against an order)
  void measure_samples() {
    const Binding value = graph_.values_at(phase_);
    for (const Binding& binding : thinned(sample_sizes(graph_, phase_), value)) {
      Evaluator size(dims_, binding);
      Sizes sizes;
      bool good = true;
      for (const BufferId id : problem_.ids) {
        const auto bytes = size(graph_.buffers[id].bytes);
        good = good && bytes && *bytes >= 0 &&
               *bytes < (int64_t{1} << 61) / static_cast<int64_t>(problem_.size() + 1);
        sizes.push_back(bytes.value_or(0));
      }
      if (!good) continue;
      int64_t bound = 0, plain = 0;
      for (const auto& step : problem_.steps) {
        int64_t sum = 0, unpadded = 0;
        for (const Index b : step) sum += align_up(sizes[b], align_), unpadded += sizes[b];
        bound = std::max(bound, sum);
        plain = std::max(plain, unpadded);
      }
      samples_.push_back(std::move(sizes));
      bounds_.push_back(bound);
      if (binding == value) value_sample_ = samples_.size() - 1, plain_bound_ = plain;
    }
  }

  // Fewer sizes where many buffers are alive together, so that a look at all of them has an end; `value`
  // stays.
  std::vector<Binding> thinned(std::vector<Binding> sizes, const Binding& value) const {
    const auto most = static_cast<size_t>(std::max<int64_t>(2, kMostSampled / std::max<int64_t>(1, pairs_)));
    if (sizes.size() <= most) return sizes;
    std::vector<Binding> out;
    for (size_t i = 0; i < most; ++i) out.push_back(sizes[i * (sizes.size() - 1) / (most - 1)]);
    const auto has = [&](const auto& list) {
      return std::find(list.begin(), list.end(), value) != list.end();
    };
    if (has(sizes) && !has(out)) out.back() = value;
    return out;
  }

  // ---- candidate orders: placements at one sample; keep the order with the least worst ratio
  void search() {
    position_.resize(problem_.size());
    std::iota(position_.begin(), position_.end(), 0);
    if (samples_.empty() || problem_.size() == 0) return;
    best_ = -1;
    std::vector<size_t> hints;
    for (const size_t sample : {samples_.size() - 1, size_t{0}, samples_.size() / 2}) {
      if (std::find(hints.begin(), hints.end(), sample) == hints.end()) hints.push_back(sample);
    }
    for (const bool tight : {false, true}) {
      for (const size_t sample : hints) {
        const std::vector<packing::Item> items = items_at(sample);
        for (const packing::Rule rule : kRules) {
          if (best_ >= 0 && !may_try()) return;
          if (consider(packing::place(items, packing::sequence(items, rule), tight))) return;
        }
      }
    }
    for (const size_t sample : hints) {
      const std::vector<packing::Item> items = items_at(sample);
      for (const packing::Rule rule : kRules) {
        if (!may_try()) return;
        if (consider(packing::skyline(items, packing::sequence(items, rule)))) return;
      }
    }
    size_t work = kRepairWork;
    for (const size_t sample : hints) {
      const std::vector<packing::Item> items = items_at(sample);
      for (const packing::Rule rule : kRules) {
        if (repair(items, packing::sequence(items, rule), work)) return;
      }
    }
    if (effort_.strength != Strength::Portfolio || best_ > kGoodRatio) search_deeper();
  }

  // What a placement costs that is looked at: placed, and measured at every sample.
  int64_t cost_of_try() const {
    return static_cast<int64_t>(problem_.size()) * kItemCost +
           pairs_ * (kPairCost + static_cast<int64_t>(samples_.size()));
  }
  bool may_try() { return work_.may(Work::Part::Search, cost_of_try()); }

  // The buffers at a sample, with the padding that starts need.
  std::vector<packing::Item> items_at(size_t sample) const {
    std::vector<packing::Item> items;
    for (Index b = 0; b < problem_.size(); ++b) {
      items.push_back({static_cast<int32_t>(problem_.begin[b]), static_cast<int32_t>(problem_.end[b]),
                       align_up(samples_[sample][b], align_)});
    }
    return items;
  }

  // The packer's search where the order is above the bound, the worst sample first.
  void search_deeper() {
    PackOptions options;
    options.progress = effort_.progress;
    options.strength = std::max(effort_.strength, Strength::Limited);
    if (effort_.strength == Strength::Portfolio) options.node_limit = kShortSearch;
    std::vector<uint8_t> done(samples_.size(), 0);
    while (best_ > (effort_.strength == Strength::Portfolio ? kGoodRatio : 1.0)) {
      const std::vector<double>& ratios = best_ratios_;
      size_t worst = samples_.size();
      for (size_t s = 0; s < samples_.size(); ++s) {
        if (!done[s] && ratios[s] > 1.0 && (worst == samples_.size() || ratios[s] > ratios[worst])) worst = s;
      }
      if (worst == samples_.size()) return;
      const bool asked = effort_.strength != Strength::Portfolio;  // for, however long it takes
      if (!asked && !work_.may(Work::Part::Search, cost_of_try() * kPackedTries + kPackCost)) return;
      if (!asked) work_.spend(cost_of_try() * kPackedTries + kPackCost);
      done[worst] = 1;
      std::vector<PackBuffer> buffers;
      for (const packing::Item& item : items_at(worst)) buffers.push_back({item.first, item.last, item.size});
      const PackResult packed = irplan::pack(buffers, options);
      const double before = best_;
      consider(packed.offsets);
      if (best_ < before && packed.strength != Strength::Portfolio) graph_.strength = packed.strength;
      if (packed.stopped) return;
    }
  }

  // Takes the order of a placement if it is better than the best so far; true where no order can be better.
  bool consider(const Sizes& offsets) {
    work_.spend(cost_of_try());
    std::vector<Index> candidate = order_by_offset(offsets);
    std::vector<double> ratios = ratios_of(candidate);
    const double ratio = ratios.empty() ? 1.0 : *std::max_element(ratios.begin(), ratios.end());
    if (best_ < 0 || ratio < best_ - 1e-12) {
      best_ = ratio;
      best_ratios_ = std::move(ratios);
      position_ = std::move(candidate);
    }
    return best_ <= 1.0;
  }

  // Places again and again, with the buffers of the stack that is too high moved to the front of the
  // sequence.
  bool repair(const std::vector<packing::Item>& items, std::vector<Index> sequence, size_t& work) {
    size_t cost = problem_.size();
    for (const auto& neighbours : problem_.neighbours) cost += neighbours.size() * samples_.size();
    for (int round = 0; round < kRepairRounds && work > cost && may_try(); ++round) {
      work -= cost;
      const Sizes offsets = packing::place(items, sequence, false);
      if (consider(offsets)) return true;
      const std::vector<uint8_t> critical = packing::highest_stack(items, offsets);
      std::stable_partition(sequence.begin(), sequence.end(), [&](Index b) { return critical[b] != 0; });
    }
    return false;
  }

  // A buffer's place in the order of offsets; what lies lower comes first.
  std::vector<Index> order_by_offset(const Sizes& offsets) const {
    std::vector<Index> order(problem_.size());
    std::iota(order.begin(), order.end(), 0);
    sort_range(order.begin(), order.end(), [&](Index a, Index b) { return offsets[a] < offsets[b]; });
    std::vector<Index> position(problem_.size());
    for (Index i = 0; i < order.size(); ++i) position[order[i]] = i;
    return position;
  }

  // Arena over bound at each sample, at least 1.
  std::vector<double> ratios_of(const std::vector<Index>& position) const {
    std::vector<Index> order(problem_.size());
    for (Index b = 0; b < order.size(); ++b) order[position[b]] = b;
    std::vector<double> ratios;
    Sizes offsets(problem_.size());
    for (size_t s = 0; s < samples_.size(); ++s) {
      int64_t peak = 0;
      for (const Index b : order) {
        int64_t at = 0;
        for (const Index n : problem_.neighbours[b]) {
          if (position[n] < position[b]) at = std::max(at, align_up(offsets[n] + samples_[s][n], align_));
        }
        offsets[b] = at;
        peak = std::max(peak, at + samples_[s][b]);
      }
      const double ratio = bounds_[s] > 0 ? static_cast<double>(peak) / static_cast<double>(bounds_[s]) : 1.0;
      ratios.push_back(std::max(ratio, 1.0));
    }
    return ratios;
  }

  // ---- `above`: of the neighbours below, those with no other neighbour of both between
  void write_order() {
    work_.spend((pairs_ + static_cast<int64_t>(problem_.size())) * kPairCost);
    Covered covered;
    std::vector<Index> below, direct;
    for (Index b = 0; b < problem_.size(); ++b) {
      below.clear(), direct.clear();
      for (const Index n : problem_.neighbours[b]) {
        if (position_[n] < position_[b]) below.push_back(n);
      }
      sort_range(below.begin(), below.end(), [&](Index x, Index y) { return position_[x] > position_[y]; });
      covered.clear();
      for (const Index n : below) {
        if (!covered.meets(problem_.begin[n], problem_.end[n])) direct.push_back(n);
        covered.add(problem_.begin[n], problem_.end[n]);
      }
      sort_range(direct.begin(), direct.end());
      auto& above = graph_.buffers[problem_.ids[b]].above;
      above.clear();
      for (const Index n : direct) above.push_back(problem_.ids[n]);
    }
  }

  // ---- peak and bound as expressions
  void write_expressions() {
    Phase& phase = graph_.phases[phase_];
    phase.optimal = phase.proven = true;
    phase.worst_ratio = 1.0;
    if (problem_.size() == 0) {
      phase.peak = phase.lower_bound = dims_.constant(0);
      return;
    }
    // A stack ends at the aligned sizes of what lies below plus the last one as it is: what a step allows it
    // to be.
    std::vector<Expr> sums, padded;
    std::set<std::vector<uint32_t>> seen;  // sizes of a step: layers that are alike have the same
    bool may_write = true;
    for (const auto& step : problem_.steps) {
      if (std::max(sums.size(), padded.size()) > kMaxTerms || !may_write) break;
      may_write = may_add(step.size() * 3);
      std::vector<uint32_t> sizes;
      for (const Index b : step) sizes.push_back(graph_.buffers[problem_.ids[b]].bytes.index());
      sort_range(sizes.begin(), sizes.end());
      if (!seen.insert(std::move(sizes)).second) continue;
      Expr sum = dims_.constant(0), round = dims_.constant(0);
      for (const Index b : step) {
        const Expr bytes = graph_.buffers[problem_.ids[b]].bytes;
        sum = sum + bytes;
        round = round + aligned(bytes);
      }
      add_to(sums, sum);
      for (const Index b : step) {
        const Expr bytes = graph_.buffers[problem_.ids[b]].bytes;
        add_to(padded, round - aligned(bytes) + bytes);
      }
    }
    const bool written = may_write && std::max(sums.size(), padded.size()) <= kMaxTerms;
    phase.lower_bound = written ? maximum(sums) : Expr();
    const std::vector<Expr> ends = written ? stack_ends() : std::vector<Expr>();
    phase.peak = ends.empty() ? Expr() : maximum(ends);
    const bool met = !ends.empty() && std::all_of(ends.begin(), ends.end(), [&](Expr end) {
      return std::any_of(padded.begin(), padded.end(), [&](Expr bound) { return at_most(end, bound); }) ||
             (best_ <= 1.0 && covered(end, padded));
    });
    phase.proven = phase.optimal = met;
    if (!met) {
      phase.worst_ratio = stated_ratio();
      phase.optimal = phase.worst_ratio <= 1.0;
    }
  }

  // What the plan says: the worst ratio without the padding that starts need, and at `value`, where its plain
  // numbers can be compared, no less than they show.
  double stated_ratio() const {
    const std::vector<double>& ratios = best_ratios_;
    double worst = 1.0;
    for (size_t s = 0; s < samples_.size(); ++s) {
      const bool padded = ratios[s] > 1.0 && s == value_sample_ && plain_bound_ > 0;
      worst = std::max(
          worst, padded ? ratios[s] * static_cast<double>(bounds_[s]) / static_cast<double>(plain_bound_)
                        : ratios[s]);
    }
    return worst;
  }

  // Whether some bound is at least `end` at every size, not the same one everywhere: the ranges are halved
  // until one of them is.
  bool covered(Expr end, const std::vector<Expr>& bounds) {
    std::vector<Expr> differences;
    std::vector<DimIndex> dims;
    for (const Expr bound : bounds) {
      differences.push_back(without_rounding(bound - end));
      for (const DimIndex dim : dims_of(bound - end)) {
        if (std::find(dims.begin(), dims.end(), dim) == dims.end()) dims.push_back(dim);
      }
    }
    std::vector<Ranges> open{ranges_};
    while (!open.empty()) {
      const Ranges ranges = std::move(open.back());
      open.pop_back();
      if (any_covers(differences, ranges)) continue;
      if (cases_ >= kMaxCases || !work_.may(Work::Part::Search)) return false;
      if (!halve(ranges, dims, open) && !covered_at(end, bounds, ranges, dims)) return false;
    }
    return true;
  }

  bool any_covers(const std::vector<Expr>& differences, const Ranges& ranges) {
    return std::any_of(differences.begin(), differences.end(), [&](Expr difference) {
      return ++cases_ < kMaxCases && work_.may(Work::Part::Search) &&
             holds(dims_.constant(0), difference, ranges);
    });
  }

  // A positive multiple of at most `e`, in which each ceildiv(x, n) is x / n, or (x + n - 1) / n where it is
  // taken off.
  Expr without_rounding(Expr e) {
    int64_t unit = 1;
    const auto rounding = [](const Term& term) -> const Atom* {
      if (term.monomial->factors.size() != 1 || term.monomial->factors[0]->dim) return nullptr;
      const Atom* atom = term.monomial->factors[0];
      return atom->function == Function::Ceildiv && atom->b.is_constant() ? atom : nullptr;
    };
    if (e.overflowed()) return e;
    for (const Term& term : e.node().terms) {
      if (const Atom* atom = rounding(term))
        unit = std::lcm(unit, std::min<int64_t>(atom->b.constant(), 1 << 20));
      if (unit > kMaxUnit) return e;
    }
    if (unit == 1) return e;
    Expr total = dims_.constant(0), rest = e;
    for (const Term& term : e.node().terms) {
      const Atom* atom = rounding(term);
      if (!atom || unit % atom->b.constant() != 0) continue;
      rest = rest - dims_.call(Function::Ceildiv, atom->a, atom->b) * term.coefficient;
      const Expr up = term.coefficient < 0 ? atom->a + (atom->b.constant() - 1) : atom->a;
      total = total + up * (unit / atom->b.constant()) * term.coefficient;
    }
    return total + rest * unit;
  }

  // Halves the widest of the dims, by ratio, in two ranges; false where all are points.
  static bool halve(const Ranges& ranges, const std::vector<DimIndex>& dims, std::vector<Ranges>& out) {
    DimIndex widest = 0;
    double most = 1;
    for (const DimIndex dim : dims) {
      const double wide =
          (static_cast<double>(ranges[dim].hi) + 1) / (static_cast<double>(ranges[dim].lo) + 1);
      if (wide > most) most = wide, widest = dim;
    }
    if (most <= 1) return false;
    const Interval range = ranges[widest];
    if (range.lo > kLargestLow) return false;
    // Near the least: there padding is worth the most, and far above it nothing.
    const int64_t middle = range.lo + std::min((range.hi - range.lo) / 2, range.lo * 3 + 1);
    for (const Interval part : {Interval{middle + 1, range.hi}, Interval{range.lo, middle}}) {
      out.push_back(ranges);
      out.back()[widest] = part;
    }
    return true;
  }

  // At the one size that the ranges of the dims hold; not where they hold more.
  static bool covered_at(Expr end, const std::vector<Expr>& bounds, const Ranges& ranges,
                         const std::vector<DimIndex>& dims) {
    if (std::any_of(dims.begin(), dims.end(), [&](DimIndex d) { return ranges[d].lo != ranges[d].hi; }))
      return false;
    Binding size;
    for (const Interval& range : ranges) size.push_back(range.lo);
    const auto top = evaluate(end, size);
    return top && std::any_of(bounds.begin(), bounds.end(), [&](Expr bound) {
             const auto sum = evaluate(bound, size);
             return sum && *sum >= *top;
           });
  }

  // The tops of all buffers as sums along the order; none where there would be too many.
  std::vector<Expr> stack_ends() {
    std::vector<Index> order(problem_.size());
    for (Index b = 0; b < order.size(); ++b) order[position_[b]] = b;
    std::unordered_map<BufferId, Index> index;
    for (Index b = 0; b < problem_.size(); ++b) index[problem_.ids[b]] = b;
    std::vector<std::vector<Expr>> offsets(problem_.size());
    std::vector<Expr> tops;
    for (const Index b : order) {
      const Buffer& buffer = graph_.buffers[problem_.ids[b]];
      std::vector<Expr>& at = offsets[b];
      for (const BufferId u : buffer.above) {
        if (!may_add(offsets[index[u]].size())) return {};
        const Expr bytes = aligned(graph_.buffers[u].bytes);
        for (const Expr base : offsets[index[u]]) add_to(at, base + bytes);
      }
      if (at.empty()) at.push_back(dims_.constant(0));
      if (at.size() > kMaxTerms || !may_add(at.size())) return {};
      for (const Expr base : at) add_to(tops, base + buffer.bytes);
      if (tops.size() > kMaxTerms) return {};
    }
    return tops;
  }

  Expr aligned(Expr bytes) {
    Expr& known = aligned_[bytes.index()];
    if (!known) known = dims_.align(bytes, align_);
    return known;
  }

  // Takes the steps of so many sums of expressions; false where they are used up.
  bool may_add(size_t sums) {
    const auto steps = static_cast<int64_t>(sums) * kSumCost;
    work_.spend(steps);
    return work_.may(Work::Part::Search);
  }

  // A relation decided, and its cost taken.
  bool holds(Expr a, Expr b, const Ranges& ranges) {
    int looks = 0;
    const bool yes = decide(a, Relation::LessEqual, b, ranges, &looks) == Truth::Yes;
    // Each look asks how the difference moves with each of its dims, until one is monotone.
    const size_t terms = a.node().terms.size() + b.node().terms.size() + 1;
    const size_t dims = dims_of(b).size() + dims_of(a).size() + 1;
    work_.spend(static_cast<int64_t>(terms * dims) * (looks + 1) * kTermCost);
    return yes;
  }

  // Adds to a set of which the maximum is meant: what another is at least as large as everywhere is left out.
  void add_to(std::vector<Expr>& set, Expr e) {
    for (const Expr other : set) {
      if (e == other || at_most(e, other)) return;
    }
    std::erase_if(set, [&](Expr other) { return at_most(other, e); });
    set.push_back(e);
  }

  bool at_most(Expr a, Expr b) {
    if (a == b) return true;
    const uint64_t key = (static_cast<uint64_t>(a.index()) << 32) | b.index();
    const auto known = decided_.find(key);
    if (known != decided_.end()) return known->second;
    // Not known, so both are kept.
    if (decided_.size() >= kMaxDecisions || !work_.may(Work::Part::Search)) return false;
    const bool yes = holds(a, b, ranges_);
    decided_.emplace(key, yes);
    return yes;
  }

  Expr maximum(std::vector<Expr> set) {
    sort_range(set.begin(), set.end(), [](Expr a, Expr b) { return a.text() < b.text(); });
    Expr top = set[0];
    for (size_t i = 1; i < set.size(); ++i) top = dims_.max(top, set[i]);
    return top.overflowed() ? Expr() : top;
  }

  Graph& graph_;
  Dims& dims_;
  uint32_t phase_;
  const Effort& effort_;
  Work& work_ = *graph_.work;
  Problem problem_;
  int64_t pairs_ = 0;  // alive together, each counted twice
  int64_t align_;
  Ranges ranges_;
  std::vector<Sizes> samples_;
  std::vector<int64_t> bounds_;        // with the padding that starts need
  size_t value_sample_ = kMaxSamples;  // the sample that is `value`
  int64_t plain_bound_ = 0;            // there, without padding
  double best_ = -1;                   // worst ratio of the best order so far
  std::vector<double> best_ratios_;    // of that order, by sample
  std::vector<Index> position_;  // by Index: place in a linear order in which what lies lower comes first
  std::unordered_map<uint64_t, bool> decided_;
  std::unordered_map<uint32_t, Expr> aligned_;  // of bytes, by index
  int cases_ = 0;
};

bool inside(const Graph& graph, uint32_t phase, const Binding& binding) {
  for (const Guard& guard : graph.guards) {
    if (guard.phase != kNoPhase && guard.phase != phase) continue;
    const auto a = evaluate(guard.constraint.left, binding), b = evaluate(guard.constraint.right, binding);
    if (!a || !b) return false;
    if (!holds(*a, guard.constraint.relation, *b)) return false;
  }
  return true;
}

}  // namespace

std::vector<Binding> sample_sizes(const Graph& graph, uint32_t phase) {
  const Ranges ranges = graph.ranges(phase);
  const Binding value = graph.values_at(phase);
  std::vector<Binding> out;
  const auto add = [&](const Binding& b) {
    if (out.size() < kMaxSamples && inside(graph, phase, b) &&
        std::find(out.begin(), out.end(), b) == out.end())
      out.push_back(b);
  };
  Binding low = value;
  for (const Dim& dim : graph.dim_list) low[dim.index] = ranges[dim.index].lo;
  add(low);
  // Along each dim from its least, doubling; then all together.
  const auto top = [&](const Dim& dim) {
    return std::min(ranges[dim.index].hi, std::max(ranges[dim.index].lo, kLargestSample));
  };
  for (const Dim& dim : graph.dim_list) {
    Binding b = low;
    for (int64_t n = std::max<int64_t>(1, ranges[dim.index].lo) * 8; n < top(dim); n *= 8)
      b[dim.index] = n, add(b);
    b[dim.index] = top(dim);
    add(b);
    Binding at = value;
    at[dim.index] = ranges[dim.index].lo;
    add(at);
  }
  Binding all = low;
  for (int64_t factor = 2; factor <= kLargestSample; factor *= 4) {
    for (const Dim& dim : graph.dim_list)
      all[dim.index] = std::min(top(dim), std::max<int64_t>(1, ranges[dim.index].lo) * factor);
    add(all);
  }
  if (out.size() == kMaxSamples) out.pop_back();
  add(value);
  return out;
}

void place(Graph& graph, uint32_t phase, const Effort& effort) { Placer(graph, phase, effort).run(); }

void stack_buffers(Graph& graph, uint32_t phase) { Placer(graph, phase, {}).stack(); }

}  // namespace irplan
