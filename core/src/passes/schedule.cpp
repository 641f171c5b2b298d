#include "passes/schedule.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "passes/memory.h"
#include "passes/memory/place.h"
#include "passes/memory/windows.h"

namespace irplan {
namespace {

constexpr size_t kMaxBlock = 64;    // ops with costs between two cuts: one bit each
constexpr size_t kMaxSets = 20000;  // sets of ops run, weighed for one block
constexpr uint32_t kLongLife = 48;  // ops over which a value lives before it counts as there all the time
constexpr size_t kMaxReady = 64;    // ops that the list order compares at once
constexpr size_t kMaxJudged = 6;    // orders of a phase that the memory pass places
constexpr int64_t kTooLarge = int64_t{1} << 55;

using Order = std::vector<OpId>;

// Rows of ids, filled one row after the other.
class Rows {
 public:
  void add(uint32_t id) { ids_.push_back(id); }
  void close() { ends_.push_back(static_cast<uint32_t>(ids_.size())); }
  struct Row {
    const uint32_t *first, *last;
    const uint32_t* begin() const { return first; }
    const uint32_t* end() const { return last; }
    size_t size() const { return static_cast<size_t>(last - first); }
  };
  Row operator[](size_t row) const {
    return {ids_.data() + (row == 0 ? 0 : ends_[row - 1]), ids_.data() + ends_[row]};
  }

 private:
  std::vector<uint32_t> ids_, ends_;
};

// One phase as the search sees it: ops that cost something, and the storage that they make, use and let go.
class PhaseOrders {
 public:
  PhaseOrders(const Graph& graph, uint32_t phase, const std::vector<OpId>& placed)
      : graph_(graph),
        phase_(phase),
        begin_(graph.phases[phase].ops_begin),
        end_(graph.phases[phase].ops_end) {
    look(placed);
    for (OpId i = begin_; i < end_; ++i) {
      if (!is_free(graph_.ops[i])) costing_.push_back(i);
    }
  }

  // Orders with less alive at once than in program order at one size at least, the best first.
  std::vector<Order> run() {
    if (costing_.size() < 2) return {};
    cut();
    std::vector<size_t> hard;  // sizes at which no op alone accounts for what program order needs
    for (const Binding& size : hints()) {
      if (!measure(size)) continue;
      const OpId peak = measure_blocks();
      heights_.push_back(height_);
      bytes_.push_back(bytes());
      if (least(peak) < height_) hard.push_back(bytes_.size() - 1);
    }
    if (hard.empty()) return {};
    consider(depth_first());
    for (const size_t size : hard) {
      restore(bytes_[size]);
      measure_blocks();
      consider(search_blocks());
      consider(list());
    }
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Found& a, const Found& b) { return a.worst < b.worst; });
    if (found_.size() > kMaxJudged) found_.resize(kMaxJudged);
    std::vector<Order> orders;
    for (const Found& found : found_) orders.push_back(with_windows(found.order));
    return orders;
  }

  // Sets all bytes; false where one has no value, or sums could leave 64 bits, or another size had the same.
  bool measure(const Binding& size) {
    Evaluator value(*graph_.dims, size);
    for (Root& r : roots_) {
      const auto bytes = value(r.size);
      if (!bytes || *bytes < 0 || *bytes >= kTooLarge / static_cast<int64_t>(end_ - begin_)) return false;
      r.bytes = *bytes;
    }
    return std::find(bytes_.begin(), bytes_.end(), bytes()) == bytes_.end();
  }

  int64_t height_of(const Order& order) const {
    Run run = start();
    int64_t height = 0;
    for (const OpId i : order) height = std::max(height, advance(run, i));
    return height;
  }

  const Order& program_order() const { return costing_; }

  // What an op needs right before it, from the last ops on.
  Order depth_first() const {
    std::vector<uint8_t> needed(end_ - begin_, 0), done(end_ - begin_, 0);
    for (const OpId i : costing_) {
      for (const OpId earlier : needs_[i - begin_]) needed[earlier - begin_] = 1;
    }
    Order order;
    std::vector<std::pair<OpId, size_t>> path;  // and how many of its needs were looked at
    for (const OpId last : costing_) {
      if (needed[last - begin_]) continue;
      path.emplace_back(last, 0);
      while (!path.empty()) {
        const OpId i = path.back().first;
        const Rows::Row needs = needs_[i - begin_];
        if (done[i - begin_] || path.back().second == needs.size()) {
          if (!done[i - begin_]) order.push_back(i);
          done[i - begin_] = 1;
          path.pop_back();
        } else {
          const OpId earlier = needs.begin()[path.back().second++];
          if (!done[earlier - begin_]) path.emplace_back(earlier, 0);
        }
      }
    }
    return order;
  }

  // Of the ops that could run, always the one behind which the least is alive.
  Order list() const {
    std::vector<uint32_t> waits(end_ - begin_, 0);
    std::vector<Order> followers(end_ - begin_);
    Order ready, order;
    for (const OpId i : costing_) {
      waits[i - begin_] = static_cast<uint32_t>(needs_[i - begin_].size());
      if (waits[i - begin_] == 0) ready.push_back(i);
      for (const OpId earlier : needs_[i - begin_]) followers[earlier - begin_].push_back(i);
    }
    Run run = start();
    while (!ready.empty()) {
      size_t best = 0;
      std::pair<int64_t, int64_t> least{INT64_MAX, INT64_MAX};  // bytes behind it, and while it runs
      for (size_t k = 0; k < std::min(ready.size(), kMaxReady); ++k) {
        std::pair<int64_t, int64_t> bytes{run.alive, 0};
        weigh(run, ready[k], bytes.first, bytes.second);
        if (bytes < least) least = bytes, best = k;
      }
      const OpId i = ready[best];
      ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(best));
      advance(run, i);
      order.push_back(i);
      for (const OpId next : followers[i - begin_]) {
        if (--waits[next - begin_] == 0)
          ready.insert(std::lower_bound(ready.begin(), ready.end(), next), next);
      }
    }
    return order;
  }

 private:
  // A stretch of ops between two cuts.
  struct Block {
    OpId begin = 0, end = 0;
    Order ops;           // those that cost something
    int64_t before = 0;  // bytes alive where it begins
    int64_t height = 0;  // the most bytes alive at once, in program order
    Order order;         // of `ops`; empty: as they stand
  };
  // Storage of a temp and of all windows on it, those into which a concat's operands are written included.
  struct Root {
    Expr size;
    int64_t bytes = 0;   // at the size that is looked at
    OpId made = kNone;   // by the first of them
    Order makers;        // of a concat's result: the ops that write a part, ascending
    Order readers;       // each once, ascending
    bool stays = false;  // an output: alive to the end of its phase
  };
  struct Found {
    Order order;
    double worst = 0;  // of the sizes: bytes alive at once over those in program order
  };

  // ---- sizes
  // The values' own, and few of those at which the memory pass compares placements.
  std::vector<Binding> hints() const {
    const auto samples = sample_sizes(graph_, phase_);
    std::vector<Binding> out{graph_.values_at(phase_)};
    if (samples.empty()) return out;
    for (const size_t i : {size_t{0}, samples.size() / 2, samples.size() - 1}) {
      if (std::find(out.begin(), out.end(), samples[i]) == out.end()) out.push_back(samples[i]);
    }
    return out;
  }

  std::vector<int64_t> bytes() const {
    std::vector<int64_t> out(roots_.size());
    for (size_t i = 0; i < roots_.size(); ++i) out[i] = roots_[i].bytes;
    return out;
  }
  void restore(const std::vector<int64_t>& bytes) {
    for (size_t i = 0; i < roots_.size(); ++i) roots_[i].bytes = bytes[i];
  }

  // Bytes alive while the op runs in every order: its own, and what is made before it in all of them and read
  // behind it.
  int64_t least(OpId op) {
    if (op != near_.op) find_near(op);
    const auto in = [](const std::vector<uint8_t>& set, OpId begin, const Order& ops) {
      return std::any_of(ops.begin(), ops.end(), [&](OpId i) { return set[i - begin] != 0; });
    };
    int64_t sum = 0, spared = 0, made = 0;
    for (const Root& r : roots_) {
      const bool here = r.made == op || in(near_.here, begin_, r.makers) || in(near_.here, begin_, r.readers);
      const bool there = near_.before[r.made - begin_] || in(near_.before, begin_, r.makers);
      const bool later = r.stays || in(near_.behind, begin_, r.readers);
      if (here || (there && later)) sum += r.bytes;
      if (r.made == op && r.makers.empty()) made += r.bytes;
      if (here && r.made != op && !later) spared += r.bytes;
    }
    return graph_.ops[op].row->in_place ? sum - std::min(spared, made) : sum;
  }

  // What must run before and behind an op.
  struct Near {
    OpId op = kNone;
    std::vector<uint8_t> here, before, behind;
  };
  void find_near(OpId op) {
    const size_t n = end_ - begin_;
    near_ = {op, std::vector<uint8_t>(n, 0), std::vector<uint8_t>(n, 0), std::vector<uint8_t>(n, 0)};
    near_.here[op - begin_] = 1;
    for (OpId i = op + 1; i-- > begin_;) {
      if (i != op && !near_.before[i - begin_]) continue;
      for (const OpId earlier : needs_[i - begin_]) near_.before[earlier - begin_] = 1;
    }
    for (OpId i = op + 1; i < end_; ++i) {
      for (const OpId earlier : needs_[i - begin_]) {
        if (earlier == op || near_.behind[earlier - begin_]) near_.behind[i - begin_] = 1;
      }
    }
  }

  // ---- orders of the whole phase
  void consider(Order order) {
    if (order == costing_) return;
    for (const Found& f : found_) {
      if (f.order == order) return;
    }
    Found found{std::move(order), 0};
    bool lower = false;
    for (size_t i = 0; i < bytes_.size(); ++i) {
      restore(bytes_[i]);
      const int64_t height = height_of(found.order);
      lower = lower || height < heights_[i];
      found.worst = std::max(
          found.worst, static_cast<double>(height) / static_cast<double>(std::max<int64_t>(heights_[i], 1)));
    }
    if (lower) found_.push_back(std::move(found));
  }

  // A run of the phase, op by op.
  struct Run {
    std::vector<uint32_t> left;    // by root: ops that still read it
    std::vector<uint8_t> started;  // by root
    int64_t alive = 0;
  };
  Run start() const {
    Run run{{}, std::vector<uint8_t>(roots_.size(), 0), 0};
    for (const Root& r : roots_) run.left.push_back(static_cast<uint32_t>(r.readers.size()));
    return run;
  }
  size_t index(const Root& r) const { return static_cast<size_t>(&r - roots_.data()); }
  void weigh(const Run& run, OpId i, int64_t& alive, int64_t& during) const {
    step(
        i, [&](const Root& r) { return run.left[index(r)] == 1; },
        [&](const Root& r) { return !run.started[index(r)]; }, alive, during);
  }
  int64_t advance(Run& run, OpId i) const {
    int64_t during = 0;
    weigh(run, i, run.alive, during);
    for (const uint32_t r : reads_[i - begin_]) --run.left[r];
    for (const ValueId id : graph_.ops[i].out) {
      if (const Root* r = root(id)) run.started[index(*r)] = 1;
    }
    return during;
  }
  // Blocks in their best orders, highest first: what no order can bring below another block's best needs no
  // order of its own.
  Order search_blocks() {
    std::vector<size_t> by_height(blocks_.size());
    for (size_t i = 0; i < by_height.size(); ++i) by_height[i] = i;
    std::stable_sort(by_height.begin(), by_height.end(),
                     [&](size_t a, size_t b) { return blocks_[a].height > blocks_[b].height; });
    int64_t reached = 0;
    for (const size_t i : by_height) {
      if (blocks_[i].height <= reached) break;
      reached = std::max(reached, search(blocks_[i]));
    }
    Order order;
    for (const Block& block : blocks_) {
      const Order& ops = block.order.empty() ? block.ops : block.order;
      order.insert(order.end(), ops.begin(), ops.end());
    }
    return order;
  }

  static bool is_free(const Op& op) {
    static const OpRow* const concat = find_op("concat");
    return op.row->window && op.row != concat;
  }

  // ---- who makes, reads and shows what
  void look(const std::vector<OpId>& placed) {
    static const OpRow* const append = find_op("append");
    const Ranges none;
    OpCall size(*find_op("copy"), *graph_.dims, none);
    root_.assign(graph_.values.size(), kNone);
    source_.assign(graph_.values.size(), kNone);
    root_index_.assign(graph_.values.size(), kNone);
    std::unordered_map<ValueId, ValueId> whole;  // by operand of a placed concat: the result
    for (auto at = std::lower_bound(placed.begin(), placed.end(), begin_); at != placed.end() && *at < end_;
         ++at) {
      for (const ValueId id : graph_.ops[*at].in) whole.emplace(id, graph_.ops[*at].out[0]);
    }
    std::unordered_map<ValueId, Order> state_uses;  // so far; the last update, if any, first
    for (OpId i = begin_; i < end_; ++i) {
      const Op& op = graph_.ops[i];
      const bool updates = op.row == append;
      if (is_free(op)) {
        for (const ValueId id : op.out) root_[id] = root_of(op.in[0]), source_[id] = source_[op.in[0]];
        close();
        continue;
      }
      for (const ValueId id : op.in) {
        if (id == kNone) continue;
        if (source_[id] != kNone) need(i, source_[id]);
        if (graph_.values[root_of(id)].kind == ValueKind::State && !updates)
          state_uses[root_of(id)].push_back(i);
        const uint32_t root = root_index_[root_of(id)];
        if (root != kNone && (roots_[root].readers.empty() || roots_[root].readers.back() != i)) {
          roots_[root].readers.push_back(i);
          reads_.add(root);
        }
      }
      for (const ValueId id : op.out) {
        source_[id] = i;
        if (updates) {
          root_[id] = root_of(op.in[0]);
          Order& uses = state_uses[root_of(op.in[0])];
          for (const OpId earlier : uses) {
            if (earlier != i) need(i, earlier);
          }
          continue;
        }
        if (root_[id] != kNone) continue;  // a placed concat's result: its parts made the root
        const auto part = whole.empty() ? whole.end() : whole.find(id);
        const ValueId stored = part == whole.end() ? id : part->second;
        root_[id] = root_[stored] = stored;
        if (root_index_[stored] == kNone) {
          root_index_[stored] = static_cast<uint32_t>(roots_.size());
          roots_.emplace_back();
          roots_.back().size = size.bytes(graph_.values[stored].type);
          roots_.back().made = i;
        }
        if (stored != id) roots_[root_index_[stored]].makers.push_back(i);
      }
      close();
    }
    for (const Output& output : graph_.outputs) {
      if (output.phase != phase_) continue;
      const uint32_t root = root_index_[root_of(output.value)];
      if (root != kNone) roots_[root].stays = true;
    }
  }

  void close() { needs_.close(), reads_.close(); }
  ValueId root_of(ValueId id) const { return root_[id] == kNone ? id : root_[id]; }
  void need(OpId, OpId earlier) { needs_.add(earlier); }
  const Root* root(ValueId id) const {
    const uint32_t index = root_index_[root_of(id)];
    return index == kNone ? nullptr : &roots_[index];
  }
  static OpId last_reader(const Root& root) { return root.readers.empty() ? root.made : root.readers.back(); }

  // ---- blocks
  void cut() {
    // How many roots cross the place behind an op that the op did not make itself; long-lived ones do not
    // count.
    std::vector<int32_t> change(end_ - begin_ + 1, 0);
    for (const Root& r : roots_) {
      const OpId last = last_reader(r);
      if (r.stays || last - r.made > kLongLife || last < r.made + 2) continue;
      ++change[r.made + 1 - begin_];
      --change[last - begin_];
    }
    int32_t crossing = 0;
    Block block;
    block.begin = begin_;
    for (OpId i = begin_; i < end_; ++i) {
      crossing += change[i - begin_];
      if (!is_free(graph_.ops[i])) block.ops.push_back(i);
      if ((crossing == 0 && !is_free(graph_.ops[i])) || i + 1 == end_) {
        block.end = i + 1;
        blocks_.push_back(std::move(block));
        block = Block{};
        block.begin = i + 1;
      }
    }
  }

  // What is alive before and in each block, in program order; the op with the most.
  OpId measure_blocks() {
    int64_t alive = 0;
    height_ = -1;
    OpId peak = kNone;
    for (Block& b : blocks_) {
      b.before = alive;
      b.height = 0;
      b.order.clear();
      for (const OpId i : b.ops) {
        int64_t during = 0;
        step(
            i, [&](const Root& r) { return last_reader(r) <= i; }, [&](const Root& r) { return r.made == i; },
            alive, during);
        b.height = std::max(b.height, during);
        if (during > height_) height_ = during, peak = i;
      }
    }
    return peak;
  }

  static bool makes(OpId i, const Root& r) {
    return r.made == i || std::binary_search(r.makers.begin(), r.makers.end(), i);
  }

  // One op run: what is alive behind it, and at once while it runs. `dies` says whether nothing else still
  // reads a root, `begins` whether nothing of it is there yet.
  template <class Dies, class Begins>
  void step(OpId i, Dies dies, Begins begins, int64_t& alive, int64_t& during) const {
    const Op& op = graph_.ops[i];
    int64_t made = 0, freed = 0, reused = 0;
    const Root* taken[4] = {};
    size_t count = 0;
    for (size_t k = 0; k < op.in.size(); ++k) {
      if (op.in[k] == kNone) continue;
      const Root* r = root(op.in[k]);
      if (!r || r->stays || !dies(*r) || std::find(taken, taken + count, r) != taken + count) continue;
      freed += r->bytes;
      if (count < 4) taken[count++] = r;
    }
    size_t next = 0;
    const Root* last = nullptr;
    for (const ValueId id : op.out) {
      const Root* r = root(id);
      if (!r || r == last || !makes(i, *r) || !begins(*r)) continue;
      last = r;
      made += r->bytes;
      if (r->readers.empty() && !r->stays) freed += r->bytes;
      // A result over an operand of its size that dies here needs no bytes of its own.
      const bool over = op.row->in_place && r->makers.empty();
      while (over && next < count && taken[next]->bytes != r->bytes) ++next;
      if (over && next < count) reused += r->bytes, ++next;
    }
    during = alive + made - reused;
    alive += made - freed;
  }

  // ---- the search: the least height of any order of a block
  struct Set {
    uint64_t run = 0;  // by place in Block::ops
    int64_t alive = 0;
    int64_t height = 0;
    uint32_t from = kNone;  // the set before, and the op that led here
    uint8_t last = 0;
  };

  int64_t search(Block& block) {
    const size_t n = block.ops.size();
    if (n < 2 || n > kMaxBlock) return block.height;
    const auto known = answers_.find(signature(block));
    if (known != answers_.end()) return adopt(block, known->second);
    Answer answer{block.height, {}};
    std::vector<uint64_t> needs(n, 0);
    for (size_t k = 0; k < n; ++k) {
      for (const OpId earlier : needs_[block.ops[k] - begin_]) {
        if (earlier >= block.begin) needs[k] |= uint64_t{1} << place(block, earlier);
      }
    }
    std::vector<Set> sets(1);
    sets[0].alive = block.before;
    size_t layer = 0;
    bool whole = true;
    for (size_t size = 0; size < n && whole; ++size) {
      std::unordered_map<uint64_t, uint32_t> seen;
      const size_t end = sets.size();
      for (size_t at = layer; at < end && whole; ++at) {
        for (size_t k = 0; k < n; ++k) {
          const uint64_t bit = uint64_t{1} << k;
          if ((sets[at].run & bit) || (needs[k] & ~sets[at].run)) continue;
          Set next = sets[at];
          next.run |= bit;
          next.from = static_cast<uint32_t>(at);
          next.last = static_cast<uint8_t>(k);
          int64_t during = 0;
          step(
              block.ops[k], [&](const Root& r) { return all_run(block, r, next.run); },
              [&](const Root& r) { return !started(block, r, sets[at].run); }, next.alive, during);
          next.height = std::max(next.height, during);
          if (next.height >= block.height) continue;  // no better than the program
          const auto [slot, fresh] = seen.try_emplace(next.run, static_cast<uint32_t>(sets.size()));
          if (fresh) {
            sets.push_back(next);
          } else if (next.height < sets[slot->second].height) {
            sets[slot->second] = next;
          }
        }
        whole = sets.size() <= kMaxSets;
      }
      layer = end;
    }
    if (whole && layer < sets.size()) {
      answer.height = sets[layer].height;
      for (uint32_t at = static_cast<uint32_t>(layer); sets[at].from != kNone; at = sets[at].from)
        answer.places.push_back(sets[at].last);
      std::reverse(answer.places.begin(), answer.places.end());
    }
    answers_.emplace(signature(block), answer);
    return adopt(block, answer);
  }

  struct Answer {
    int64_t height = 0;
    std::vector<uint8_t> places;  // in Block::ops; empty: as they stand
  };

  static int64_t adopt(Block& block, const Answer& answer) {
    for (const uint8_t place : answer.places) block.order.push_back(block.ops[place]);
    return answer.height;
  }

  static size_t place(const Block& block, OpId op) {
    return static_cast<size_t>(std::lower_bound(block.ops.begin(), block.ops.end(), op) - block.ops.begin());
  }

  bool all_run(const Block& block, const Root& r, uint64_t run) const {
    if (last_reader(r) >= block.end) return false;
    for (size_t i = r.readers.size(); i-- > 0 && r.readers[i] >= block.begin;) {
      if (!(run >> place(block, r.readers[i]) & 1)) return false;
    }
    return true;
  }

  static bool started(const Block& block, const Root& r, uint64_t run) {
    return std::any_of(r.makers.begin(), r.makers.end(), [&](OpId i) {
      return i < block.begin || (i < block.end && (run >> place(block, i) & 1));
    });
  }

  // What decides a block's best order: rows, who needs whom, sizes, and what lives on.
  std::string signature(const Block& block) const {
    std::string out;
    const auto put = [&](uint64_t n) { out.append(reinterpret_cast<const char*>(&n), sizeof n); };
    put(static_cast<uint64_t>(block.before));
    for (const OpId i : block.ops) {
      const Op& op = graph_.ops[i];
      put(reinterpret_cast<uintptr_t>(op.row));
      for (const OpId earlier : needs_[i - begin_])
        put(earlier >= block.begin ? earlier - block.begin : UINT64_MAX);
      for (const auto* ids : {&op.in, &op.out}) {
        for (const ValueId id : *ids) {
          const Root* r = id == kNone ? nullptr : root(id);
          put(r ? static_cast<uint64_t>(r->bytes) : UINT64_MAX);
          if (r) put(r->made >= block.begin ? r->made - block.begin : UINT64_MAX), put(r->makers.size());
          if (r) put(r->stays || last_reader(*r) >= block.end ? UINT64_MAX : last_reader(*r) - block.begin);
        }
      }
    }
    return out;
  }

  // ---- the result: windows follow what they show
  Order with_windows(const Order& ops) const {
    const OpId phase_begin = begin_;
    std::vector<Order> shown(end_ - begin_);  // by op: windows on what it makes
    for (OpId i = begin_; i < end_; ++i) {
      if (!is_free(graph_.ops[i])) continue;
      const OpId source = source_[graph_.ops[i].in[0]];
      if (source != kNone) shown[source - phase_begin].push_back(i);
    }
    std::vector<uint8_t> done(end_ - begin_, 0);
    Order order, chain;
    // Windows on inputs and weights come right before the first op that reads them.
    const auto show = [&](OpId reader) {
      chain.assign(1, reader);
      for (size_t k = 0; k < chain.size(); ++k) {
        for (const ValueId id : graph_.ops[chain[k]].in) {
          if (id == kNone) continue;
          const OpId producer = graph_.values[id].producer;
          if (producer == kNone || producer < begin_ || producer >= end_ || done[producer - begin_] ||
              !is_free(graph_.ops[producer]))
            continue;
          done[producer - begin_] = 1;
          chain.push_back(producer);
        }
      }
      std::sort(chain.begin() + 1, chain.end());
      order.insert(order.end(), chain.begin() + 1, chain.end());
    };
    for (const OpId i : ops) {
      show(i);
      order.push_back(i);
      for (const OpId window : shown[i - begin_]) {
        if (!done[window - begin_]) order.push_back(window);
        done[window - begin_] = 1;
      }
    }
    for (OpId i = begin_; i < end_; ++i) {
      if (is_free(graph_.ops[i]) && !done[i - begin_]) order.push_back(i);
    }
    return order;
  }

  const Graph& graph_;
  const uint32_t phase_;
  const OpId begin_, end_;
  Order costing_;                     // in program order
  std::vector<ValueId> root_;         // by value: whose storage it shows; none: its own, or made elsewhere
  std::vector<OpId> source_;          // by value: the op of this phase that makes it, windows looked through
  std::vector<uint32_t> root_index_;  // by value: in `roots_`
  std::vector<Root> roots_;
  Rows needs_;  // by op of the phase: ops that must run before
  Rows reads_;  // by op of the phase: roots that it reads
  std::vector<Block> blocks_;
  std::unordered_map<std::string, Answer> answers_;
  int64_t height_ = 0;  // of the phase in program order, at the size looked at
  Near near_;
  std::vector<std::vector<int64_t>> bytes_;  // by size, of the roots
  std::vector<int64_t> heights_;             // by size, in program order
  std::vector<Found> found_;
};

// Bytes of a phase's arena at all sizes.
std::vector<int64_t> arenas(const Graph& graph, uint32_t phase, const std::vector<Binding>& sizes) {
  std::vector<int64_t> out;
  out.reserve(sizes.size());
  for (const Binding& size : sizes) out.push_back(arena_bytes(graph, phase, size));
  return out;
}

// Lower at a size, and higher at none.
bool lowers(const std::vector<int64_t>& candidate, const std::vector<int64_t>& program) {
  bool lower = false;
  for (size_t i = 0; i < program.size(); ++i) {
    if (candidate[i] < 0 || candidate[i] > program[i]) return false;
    lower = lower || candidate[i] < program[i];
  }
  return lower;
}

// The largest ratio of an arena over the least of any order at that size.
double worst_ratio(const std::vector<int64_t>& arenas, const std::vector<int64_t>& least) {
  double worst = 0;
  for (size_t i = 0; i < arenas.size(); ++i)
    worst =
        std::max(worst, static_cast<double>(arenas[i]) / static_cast<double>(std::max<int64_t>(least[i], 1)));
  return worst;
}

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

// The order that the memory pass likes best; empty: the program's.
Order choose(const Graph& graph, const Graph& placed, uint32_t phase, std::vector<Order> orders) {
  std::vector<Binding> sizes = sample_sizes(graph, phase);
  sizes.push_back(graph.values_at(phase));
  std::vector<std::vector<int64_t>> bytes{arenas(placed, phase, sizes)};
  orders.insert(orders.begin(), Order());
  std::vector<int64_t> least = bytes[0];
  for (size_t i = 1; i < orders.size(); ++i) {
    Graph candidate = graph;
    reorder(candidate, phase, orders[i]);
    plan_memory(candidate);
    bytes.push_back(arenas(candidate, phase, sizes));
    if (!lowers(bytes[i], bytes[0])) continue;
    for (size_t k = 0; k < sizes.size(); ++k) least[k] = std::min(least[k], bytes[i][k]);
  }
  size_t best = 0;
  for (size_t i = 1; i < orders.size(); ++i) {
    if (lowers(bytes[i], bytes[0]) && worst_ratio(bytes[i], least) < worst_ratio(bytes[best], least))
      best = i;
  }
  return std::move(orders[best]);
}

}  // namespace

void schedule(Graph& graph) {
  const std::vector<OpId> placed_in = placed_concats(graph);
  std::vector<std::pair<uint32_t, std::vector<Order>>> candidates;
  for (uint32_t p = 0; p < graph.phases.size(); ++p) {
    auto orders = PhaseOrders(graph, p, placed_in).run();
    if (!orders.empty()) candidates.emplace_back(p, std::move(orders));
  }
  if (candidates.empty()) return;
  Graph placed = graph;
  plan_memory(placed);
  std::vector<std::pair<uint32_t, Order>> chosen;
  chosen.reserve(candidates.size());
  for (auto& [phase, orders] : candidates)
    chosen.emplace_back(phase, choose(graph, placed, phase, std::move(orders)));
  for (const auto& [phase, order] : chosen) {
    if (!order.empty()) reorder(graph, phase, order);
  }
}

std::string compare_orders(const Graph& written, const Graph& scheduled) {
  std::string out;
  const auto say = [](const char* name, int64_t bytes) { return name + std::to_string(bytes); };
  const std::vector<OpId> placed_before = placed_concats(written), placed_after = placed_concats(scheduled);
  for (uint32_t p = 0; p < written.phases.size(); ++p) {
    PhaseOrders before(written, p, placed_before), after(scheduled, p, placed_after);
    if (!before.measure(written.values_at(p)) || !after.measure(scheduled.values_at(p))) continue;
    out += "# bytes alive at once in " + (written.phases[p].name.empty() ? "main" : written.phases[p].name) +
           say(": program order ", before.height_of(before.program_order())) +
           say(", depth first ", before.height_of(before.depth_first())) +
           say(", list order ", before.height_of(before.list())) +
           say(", this order ", after.height_of(after.program_order())) + "\n";
  }
  return out;
}

}  // namespace irplan
