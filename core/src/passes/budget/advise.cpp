#include "passes/advise.h"

#include <algorithm>
#include <string>

#include "base/sort.h"
#include "passes/measure.h"
#include "passes/retype.h"

namespace irplan {
namespace {

constexpr int kMostProbes = 24;          // of one `let`, or the end of one dim
constexpr size_t kMostWork = 4'000'000;  // of all probes of a budget: steps of elaboration, and of planning
constexpr size_t kWorkOfOp = 16;         // to plan it, in steps
constexpr int64_t kMostRows = int64_t{1} << 40;
constexpr int64_t kWorthShortening = 8;  // a cache shortened to less than this part is no advice
constexpr size_t kMostTold = 6;          // changes in one diagnostic

class Advisor {
 public:
  Advisor(Graph& graph, size_t budget, const Probe& probe)
      : graph_(graph),
        budget_(graph.budgets[budget]),
        index_(budget),
        probe_(probe),
        probes_left_(kMostWork / (1 + graph.steps + graph.ops.size() * kWorkOfOp)) {}

  void run() {
    confirm_narrower();
    for (Change& change : budget_.changes) try_end(change);
    try_dtypes(ValueKind::State);
    try_dtypes(ValueKind::Param);
    for (const SizeLet& let : graph_.cache_lets) try_shorter(let);
  }

 private:
  // Null where the program cannot be planned so, or has been planned often enough for its size.
  std::shared_ptr<const Graph> planned(const Change* change, const Change* narrower = nullptr) {
    if (probes_left_ == 0) return nullptr;
    --probes_left_;
    return probe_(change, narrower);
  }

  // The change with what the budget says of the program planned with it.
  void note(Change& change, const Graph& other) const {
    const Budget& after = other.budgets[index_];
    change.fits = after.answer.ok;
    change.starts = after.possible;
    change.bytes = bytes_asked(after);
    if (!after.answer.ok && after.possible) change.max = best_of(after);
  }

  // ---- ends of ranges

  // What the formulas of the wider range say of a narrower one may be planned in another order of ops.
  void confirm_narrower() {
    std::vector<Change> out;
    for (const Change& change : budget_.changes) {
      const auto end = exact_end(change);
      if (end) out.push_back(*end);
    }
    budget_.changes = std::move(out);
  }

  // The change of a dim's end with which the program, so planned, fits, and with one more does not, looked
  // for from a first guess; `under` another change, if not null. None where no end fits; the guess as it
  // stands where nothing more can be planned.
  std::optional<Change> exact_end(const Change& guess, const Change* under = nullptr) {
    const int64_t declared = declared_end(guess);
    int64_t low = 0, high = declared, next = std::min(guess.max[0].second, declared - 1);
    std::optional<Change> best;
    for (int probes = 0; probes < kMostProbes && high - low > 1 && next > low; ++probes) {
      Change tried = with_end(guess, next, declared);
      const auto other = guess.kind == Change::Kind::Dim ? planned(under, &tried) : planned(&tried);
      if (!other) return probes == 0 && probes_left_ == 0 && guess.kind == Change::Kind::Dim ? guess : best;
      const Budget& after = other->budgets[index_];
      if (after.answer.ok) {
        tried.bytes = after.needed_bytes;
        next = best ? next + (high - next) / 2 : next + 1;
        low = tried.max[0].second, best = std::move(tried);
      } else {
        high = next;
        next = best ? low + (high - low) / 2 : std::min(high - 1, end_in(after, guess.max[0].first));
      }
    }
    return best;
  }

  // Which is known not to fit. A `let` may end a dim beyond what a budget over it leaves.
  int64_t declared_end(const Change& change) const {
    for (const Dim& dim : graph_.dim_list) {
      if (dim.name != change.max.at(0).first) continue;
      return change.kind == Change::Kind::Let ? dim.end->size : graph_.ranges(budget_.phase)[dim.index].hi;
    }
    return 0;
  }

  static Change with_end(Change change, int64_t end, int64_t declared) {
    change.value = std::to_string(end);
    change.max.at(0).second = end;
    change.kept = static_cast<int64_t>(static_cast<__int128>(end) * 1000 / std::max<int64_t>(1, declared));
    if (change.edit)
      change.edit->text = change.kind == Change::Kind::Dim ? text(change) + "\n" : change.value;
    return change;
  }

  // The end of the dim that a program so planned names itself.
  static int64_t end_in(const Budget& after, const std::string& dim) {
    for (const Change& change : after.changes) {
      if (change.kind == Change::Kind::Dim && change.max.at(0).first == dim) return change.max[0].second;
    }
    return INT64_MAX;
  }

  // ---- other changes

  // Of a change that admits more of a dim, but not all: how much.
  void confirm_most(Change& change) {
    if (solves(change) || change.max.empty()) return;
    Change narrower;
    narrower.name = graph_.name_in(budget_, change.max[0].first);
    narrower.max = change.max;
    const auto end = exact_end(narrower, &change);
    change.max = end ? end->max : NamedSizes();
  }

  // Where not even the smallest sizes fit, a change has to make those fit; else all declared ones.
  bool solves(const Change& change) const { return budget_.possible ? change.fits : change.starts; }
  int64_t bytes_asked(const Budget& budget) const {
    return budget_.possible ? budget.needed_bytes : budget.least_bytes;
  }

  // The dim that keeps the most of its range.
  static NamedSizes best_of(const Budget& after) {
    const Change* best = nullptr;
    for (const Change& change : after.changes) {
      if (change.fits && change.max.size() == 1 && (!best || change.kept > best->kept)) best = &change;
    }
    return best ? best->max : NamedSizes();
  }

  // Whether it admits more than the program as it stands.
  bool helps(const Change& change) const {
    if (solves(change)) return true;
    if (change.max.empty()) return false;
    for (const Change& known : budget_.changes) {
      if (known.max.size() == 1 && known.fits && known.max[0].first == change.max[0].first)
        return change.max[0].second > known.max[0].second;
    }
    return true;
  }

  static int64_t bytes_of(const Graph& graph, Segment segment) {
    const Binding least = [&] {
      Binding out(graph.dims->dim_count());
      for (const Dim& dim : graph.dim_list) out[dim.index] = std::max<int64_t>(1, dim.range.lo);
      return out;
    }();
    int64_t sum = 0;
    for (const Buffer& buffer : graph.buffers) {
      const auto bytes = buffer.segment == segment ? evaluate(buffer.bytes, least) : std::nullopt;
      if (bytes && __builtin_add_overflow(sum, *bytes, &sum)) return INT64_MAX;
    }
    return sum;
  }

  // A dim that a `let` ends is narrowed by that `let`, where the program so planned fits as well: a smaller
  // chunk.
  void try_end(Change& narrower) {
    if (narrower.kind != Change::Kind::Dim || budget_.phase != kNoPhase) return;
    const auto same = [&](const Dim& dim) { return dim.name == narrower.name; };
    const auto dim = std::find_if(graph_.dim_list.begin(), graph_.dim_list.end(), same);
    if (dim == graph_.dim_list.end() || !dim->end) return;
    Change change = narrower;
    change.kind = Change::Kind::Let;
    change.name = dim->end->name;
    change.edit.reset();
    if (const Span value = dim->end->value; value.end > value.begin) change.edit = Edit{value, change.value};
    if (probes_left_ == 0) return;
    if (auto end = exact_end(change)) narrower = std::move(*end);
  }

  // The first dtype that fits, else the last that helps.
  void try_dtypes(ValueKind kind) {
    const bool state = kind == ValueKind::State;
    const Segment segment = state ? Segment::State : Segment::Weights;
    const int64_t before = bytes_of(graph_, segment);
    std::optional<Change> best;
    for (const OfferedRetype& offered : kOfferedRetypes) {
      if (offered.kind != kind) continue;
      Change change;
      change.kind = state ? Change::Kind::State : Change::Kind::Weights;
      change.name = offered.part;
      change.value = irplan::name(offered.dtype);
      const auto other = planned(&change);
      const int64_t after = other ? bytes_of(*other, segment) : before;
      if (after >= before) continue;
      change.kept = static_cast<int64_t>(static_cast<__int128>(after) * 1000 / before);
      note(change, *other);
      if (helps(change)) best = std::move(change);
      if (best && solves(*best)) break;
    }
    if (!best) return;
    confirm_most(*best);
    if (helps(*best)) budget_.changes.push_back(std::move(*best));
  }

  // None where the program cannot be planned with so few rows.
  std::optional<Change> with_rows(const SizeLet& let, int64_t rows) {
    Change change;
    change.kind = Change::Kind::Let;
    change.name = let.name;
    change.value = std::to_string(rows);
    change.kept = rows * 1000 / let.size;
    if (let.value.end > let.value.begin) change.edit = Edit{let.value, change.value};
    const auto other = planned(&change);
    if (!other) return std::nullopt;
    note(change, *other);
    return change;
  }

  // The longest cache that fits. Bytes grow by the row, so that the first guess is read off the line through
  // two known sizes; then its neighbour, so that one row more is known not to fit; then by halves.
  void try_shorter(const SizeLet& let) {
    if (let.size < 2 || let.size > kMostRows) return;
    const int64_t middle = let.size / 2;
    auto half = with_rows(let, middle);
    if (!half) return;
    std::optional<Change> best;
    int64_t low = 0, high = let.size;
    const auto take = [&](int64_t rows, const std::optional<Change>& found) {
      const bool fits = found && solves(*found);
      (fits ? low : high) = rows;
      if (fits) best = found;
    };
    take(middle, half);
    int64_t next = guess(let.size, bytes_asked(budget_), middle, half->bytes);
    for (int probes = 1; probes < kMostProbes && high - low > 1; ++probes) {
      next = std::clamp(next, low + 1, high - 1);
      const int64_t tried = next;
      take(tried, with_rows(let, tried));
      next = probes > 1 ? low + (high - low) / 2 : low == tried ? tried + 1 : tried - 1;
    }
    if (best && low >= let.size / kWorthShortening) return budget_.changes.push_back(*best);
    confirm_most(*half);
    if (helps(*half)) budget_.changes.push_back(*half);
  }

  // Where the line through two sizes meets the limit.
  int64_t guess(int64_t rows, int64_t bytes, int64_t fewer_rows, int64_t fewer_bytes) const {
    if (bytes <= fewer_bytes) return fewer_rows;
    const auto room = static_cast<__int128>(budget_.limit_bytes - fewer_bytes) * (rows - fewer_rows);
    const __int128 at = fewer_rows + room / (bytes - fewer_bytes);
    return static_cast<int64_t>(std::clamp<__int128>(at, 1, rows - 1));
  }

  Graph& graph_;
  Budget& budget_;
  size_t index_;
  const Probe& probe_;
  size_t probes_left_;
};

std::string sentence(const Change& change) {
  if (change.fits) return "`" + text(change) + "` fits, with " + bytes_text(change.bytes);
  if (change.max.empty()) return "the smallest sizes fit with `" + text(change) + "`";
  return change.max[0].first + " <= " + std::to_string(change.max[0].second) + " with `" + text(change) + "`";
}

void tell(const Budget& budget, Diagnostics& diagnostics) {
  Diagnostic* d = diagnostics.find(budget.possible ? Code::BudgetNarrows : Code::BudgetRefused, budget.span);
  if (!d) return;
  for (size_t i = 0; i < budget.changes.size() && i < kMostTold; ++i) {
    const Change& change = budget.changes[i];
    d->fixes.push_back({sentence(change), {}});
    if (change.fits && change.edit && !budget.elsewhere) d->fixes.back().edits.push_back(*change.edit);
  }
}

}  // namespace

std::string text(const Change& change) {
  switch (change.kind) {
    case Change::Kind::Dim: return "budget " + change.name + " <= " + change.value;
    case Change::Kind::Let: return "--let " + change.name + "=" + change.value;
    case Change::Kind::State:
    case Change::Kind::Weights: break;
  }
  return "--retype " + change.name + "=" + change.value;
}

void advise(Graph& graph, const Probe& probe, Diagnostics& diagnostics) {
  for (size_t i = 0; i < graph.budgets.size(); ++i) {
    Budget& budget = graph.budgets[i];
    // What no diagnostic speaks of needs no advice.
    const Code code = budget.possible ? Code::BudgetNarrows : Code::BudgetRefused;
    if (!budget.bytes || !diagnostics.find(code, budget.span)) continue;
    if (probe && budget.limit_bytes > 0) Advisor(graph, i, probe).run();
    sort_range(budget.changes.begin(), budget.changes.end(), [](const Change& a, const Change& b) {
      return std::pair(!a.fits, -a.kept) < std::pair(!b.fits, -b.kept);
    });
    tell(budget, diagnostics);
  }
}

}  // namespace irplan
