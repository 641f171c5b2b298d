#include "passes/schedule.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/sort.h"
#include "passes/memory.h"
#include "passes/memory/place.h"
#include "passes/memory/windows.h"
#include "passes/phase_bytes.h"
#include "passes/schedule/alone.h"
#include "passes/schedule/baselines.h"
#include "passes/schedule/blocks.h"
#include "passes/schedule/phase_model.h"

namespace irplan {
namespace {

using namespace scheduling;

constexpr size_t kMaxSearched = 4;      // sizes at which orders are searched for, each alone,
constexpr size_t kSmallSearches = 300;  // or more of them in small phases: so many ops over all
constexpr size_t kMaxStarts = 3;        // orders in which a search begins
constexpr size_t kMaxJudged = 6;  // orders of a phase that the memory pass places, without the baselines
constexpr size_t kSmall = 64;     // ops of a phase for which every doubt is put to the memory pass
constexpr int64_t kListedCost = 100, kCopyCost = 300;  // of an op in an order, and in a graph; steps of Work
constexpr size_t kMaxListed = 200000;                  // ops put into list orders, over all sizes

using Bytes = std::vector<int64_t>;  // by size looked at

// The sizes at which the memory pass compares placements, and `value`.
std::vector<Binding> sizes_of(const Graph& graph, uint32_t phase) {
  std::vector<Binding> out = sample_sizes(graph, phase);
  const Binding value = graph.values_at(phase);
  if (std::find(out.begin(), out.end(), value) == out.end()) out.push_back(value);
  return out;
}

// How far an order is from the least that is known of any, over the sizes.
struct Distance {
  double worst = 0, sum = 0;
  bool operator<(const Distance& other) const {
    return worst != other.worst ? worst < other.worst : sum < other.sum;
  }
};
Distance distance(const Bytes& bytes, const Bytes& least) {
  Distance out;
  for (size_t k = 0; k < bytes.size(); ++k) {
    const double ratio =
        std::max(1.0, static_cast<double>(bytes[k]) / static_cast<double>(std::max<int64_t>(least[k], 1)));
    out.worst = std::max(out.worst, ratio);
    out.sum += ratio;
  }
  return out;
}

struct Candidate {
  Order order;
  Bytes peaks;
  bool baseline = false;
};

// Orders of one phase, by the model's reckoning.
class Candidates {
 public:
  Candidates(const Graph& graph, uint32_t phase, const std::vector<OpId>& placed)
      : model_(graph, phase, placed) {
    for (const Binding& binding : sizes_of(graph, phase)) {
      auto sizes = model_.sizes_at(binding);
      if (sizes && std::find(sizes_.begin(), sizes_.end(), *sizes) == sizes_.end())
        sizes_.push_back(std::move(*sizes));
    }
  }

  // The program's order first, then others, the best first; it alone where it cannot be bettered at any size.
  std::vector<Candidate> find() {
    if (sizes_.empty() || model_.program_order().size() < 2) return {};
    search();
    sort_range(found_.begin() + 1, found_.end(), [&](const Candidate& a, const Candidate& b) {
      return distance(a.peaks, least_) < distance(b.peaks, least_);
    });
    for (Candidate& c : found_) c.order = model_.with_windows(c.order);
    // The program's own with its windows where the memory pass wants them.
    if (model_.program_order().size() <= kSmall &&
        !std::is_sorted(found_[0].order.begin(), found_[0].order.end()))
      found_.push_back(found_[0]);
    return std::move(found_);
  }

 private:
  void search() {
    const std::vector<size_t> hard = add_program(), alone = spread(hard);
    const bool settled = cannot_be_better(alone);
    if (settled && model_.program_order().size() > kSmall) return;
    add(depth_first(model_), true);
    for (size_t i = 0; i < alone.size() && (i + 1) * model_.program_order().size() <= kMaxListed; ++i) {
      const auto steps = static_cast<int64_t>(model_.program_order().size()) * kListedCost;
      if (!model_.work().may(Work::Part::Search, steps)) break;
      model_.work().spend(steps);
      add(list_order(model_, sizes_[alone[i]]), true);
    }
    if (settled) return;
    for (const Order& start : best_orders()) {
      if (!model_.work().may(Work::Part::Search)) return;
      BlockSearch search(model_, start);
      for (const size_t k : alone) add(search.run({sizes_[k]}, {1}));
      if (search.exact() && some_is_least()) return;
      add(search.run(sizes_, least_));
    }
  }

  bool some_is_least() const {
    return std::any_of(found_.begin(), found_.end(),
                       [&](const Candidate& c) { return distance(c.peaks, least_).worst <= 1.0; });
  }

  // The sizes at which no op alone accounts for what program order needs.
  std::vector<size_t> add_program() {
    const auto peaks = model_.peaks(model_.program_order(), sizes_);
    std::map<OpId, Bytes> least;  // by op with a peak
    std::vector<size_t> hard;
    Candidate program{model_.program_order(), {}, true};
    for (size_t k = 0; k < peaks.size(); ++k) {
      const auto [at, fresh] = least.try_emplace(peaks[k].op);
      if (fresh) at->second = model_.least(peaks[k].op, sizes_);
      if (at->second[k] < peaks[k].bytes) hard.push_back(k);
      program.peaks.push_back(peaks[k].bytes);
    }
    least_ = program.peaks;
    found_.push_back(std::move(program));
    return hard;
  }

  // Whether that is proven at these sizes, each alone; what is found on the way is kept.
  bool cannot_be_better(const std::vector<size_t>& sizes) {
    if (sizes.empty()) return true;
    BlockSearch search(model_, model_.program_order());
    const size_t before = found_.size();
    for (const size_t k : sizes) add(search.run({sizes_[k]}, {1}));
    return search.exact() && found_.size() == before;
  }

  // Of those found so far, in which searches begin.
  std::vector<Order> best_orders() const {
    std::vector<const Candidate*> sorted;
    for (const Candidate& c : found_) sorted.push_back(&c);
    sort_range(sorted.begin(), sorted.end(), [&](const Candidate* a, const Candidate* b) {
      return distance(a->peaks, least_) < distance(b->peaks, least_);
    });
    std::vector<Order> out;
    for (const Candidate* c : sorted) {
      if (out.size() < kMaxStarts) out.push_back(c->order);
    }
    return out;
  }

  void add(Order order, bool baseline = false) {
    for (const Candidate& c : found_) {
      if (c.order == order) return;
    }
    Candidate candidate{std::move(order), {}, baseline};
    model_.work().spend(static_cast<int64_t>(candidate.order.size() * (sizes_.size() + kListedCost)));
    for (const auto& peak : model_.peaks(candidate.order, sizes_)) candidate.peaks.push_back(peak.bytes);
    for (size_t k = 0; k < least_.size(); ++k) least_[k] = std::min(least_[k], candidate.peaks[k]);
    found_.push_back(std::move(candidate));
  }

  // As many of them as a search at each is worth, the first and the last among them.
  std::vector<size_t> spread(const std::vector<size_t>& all) const {
    const size_t most = std::max(kMaxSearched, kSmallSearches / model_.program_order().size());
    if (all.size() <= most) return all;
    std::vector<size_t> out;
    for (size_t i = 0; i < most; ++i) out.push_back(all[i * (all.size() - 1) / (most - 1)]);
    return out;
  }

  PhaseModel model_;
  std::vector<Sizes> sizes_;
  std::vector<Candidate> found_;
  Bytes least_;  // of all found, by size
};

// Puts the ops of a phase into an order of them.
void reorder(Graph& graph, uint32_t phase, const Order& order) {
  const OpId begin = graph.phases[phase].ops_begin;
  std::vector<Op> ops;
  ops.reserve(order.size());
  for (const OpId i : order) ops.push_back(std::move(graph.ops[i]));
  for (OpId i = 0; i < ops.size(); ++i) {
    for (const ValueId id : ops[i].out) graph.values[id].producer = begin + i;
    graph.ops[begin + i] = std::move(ops[i]);
  }
}

// An order as the memory pass has it, which has the last word.
struct Judged {
  const Order* order = nullptr;  // none: the program's
  Bytes bounds;                  // the most alive at once, each rounded up to the alignment
};

// The phase in an order, with windows and buffers. `graph` is the phase alone.
Graph with_buffers(const Graph& graph, uint32_t phase, const Order* order) {
  graph.work->spend(static_cast<int64_t>(graph.ops.size() + graph.values.size()) * kCopyCost);
  Graph out = graph;
  if (order) reorder(out, phase, *order);
  assign_windows(out);
  return out;
}

Judged judge(const Graph& graph, uint32_t phase, const Order* order, const std::vector<Binding>& sizes) {
  PhaseBytes bytes(with_buffers(graph, phase, order), phase);
  Judged out{order, {}};
  for (const Binding& size : sizes) bytes.bind(size), out.bounds.push_back(bytes.bound(graph.target.align));
  graph.work->spend(bytes.take_cost());
  return out;
}

// The arena at each of the sizes, rounded up to the alignment.
Bytes arenas(const Graph& graph, uint32_t phase, const Order* order, const std::vector<Binding>& sizes) {
  Graph candidate = with_buffers(graph, phase, order);
  stack_buffers(candidate, phase);
  PhaseBytes placed(candidate, phase);
  Bytes out;
  for (const Binding& size : sizes) {
    placed.bind(size);
    const int64_t bytes = placed.placed();
    out.push_back(bytes < 0 ? INT64_MAX : align_up(bytes, graph.target.align));
  }
  graph.work->spend(placed.take_cost());
  return out;
}

// The order whose arena is the closest to the least bound of all, at the worst size; empty: the program's.
Order choose(const Graph& whole, uint32_t phase, const std::vector<Candidate>& candidates) {
  const Graph graph = alone(whole, phase);
  Work& work = *graph.work;
  const std::vector<Binding> sizes = sizes_of(whole, phase);
  const OpId moved = whole.phases[phase].ops_begin - graph.phases[phase].ops_begin;
  std::vector<Order> orders;  // of the phase alone
  size_t searched = 0;
  for (size_t i = 1; i < candidates.size(); ++i) {
    if (!candidates[i].baseline && ++searched > kMaxJudged) continue;
    orders.push_back(candidates[i].order);
    for (OpId& op : orders.back()) op -= moved;
  }
  std::vector<Judged> judged{judge(graph, phase, nullptr, sizes)};
  Bytes least = judged[0].bounds;
  for (const Order& order : orders) {
    if (!work.may(Work::Part::Search)) break;
    judged.push_back(judge(graph, phase, &order, sizes));
    for (size_t k = 0; k < sizes.size(); ++k) least[k] = std::min(least[k], judged.back().bounds[k]);
  }
  sort_range(judged.begin(), judged.end(), [&](const Judged& a, const Judged& b) {
    return distance(a.bounds, least) < distance(b.bounds, least);
  });
  const Order* best = nullptr;
  std::optional<Distance> reached;
  for (const Judged& next : judged) {
    if (reached && !(distance(next.bounds, least) < *reached)) break;  // no placement can be better
    if (reached && !work.may(Work::Part::Search)) break;
    const Distance here = distance(arenas(graph, phase, next.order, sizes), least);
    if (!reached || here < *reached) reached = here, best = next.order;
  }
  if (!best) return {};
  Order out = *best;
  for (OpId& op : out) op += moved;
  return out;
}

}  // namespace

void schedule(Graph& graph, bool keep_written) {
  const std::vector<OpId> placed_in = placed_concats(graph);
  std::vector<std::pair<uint32_t, Order>> chosen;
  for (uint32_t p = 0; p < graph.phases.size(); ++p) {
    // Of what is left to searches a quarter is for orders, one for judging them, and half for the placements.
    const auto parts = 4 * static_cast<int64_t>(graph.phases.size() - p);
    graph.work->share(parts);
    const std::vector<Candidate> candidates = Candidates(graph, p, placed_in).find();
    graph.work->share(parts - 1);
    if (candidates.size() > 1 && graph.work->may(Work::Part::Search))
      chosen.emplace_back(p, choose(graph, p, candidates));
  }
  for (const auto& [phase, order] : chosen) {
    if (order.empty()) continue;
    auto written = keep_written ? std::make_shared<Graph>(alone(graph, phase)) : nullptr;
    reorder(graph, phase, order);
    graph.phases[phase].written = std::move(written);
  }
}

std::string compare_orders(const Graph& written, const Graph& scheduled) {
  std::string out;
  const std::vector<OpId> placed_before = placed_concats(written), placed_after = placed_concats(scheduled);
  for (uint32_t p = 0; p < written.phases.size(); ++p) {
    const PhaseModel before(written, p, placed_before), after(scheduled, p, placed_after);
    const auto sizes = before.sizes_at(written.values_at(p)), same = after.sizes_at(scheduled.values_at(p));
    if (!sizes || !same) continue;
    const auto say = [](const char* name, const PhaseModel& model, const Order& order, const Sizes& at) {
      return name + std::to_string(model.peaks(order, {at})[0].bytes);
    };
    out += "# bytes alive at once in " + (written.phases[p].name.empty() ? "main" : written.phases[p].name) +
           say(": program order ", before, before.program_order(), *sizes) +
           say(", depth first ", before, depth_first(before), *sizes) +
           say(", list order ", before, list_order(before, *sizes), *sizes) +
           say(", this order ", after, after.program_order(), *same) + "\n";
  }
  return out;
}

}  // namespace irplan
