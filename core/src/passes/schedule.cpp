#include "passes/schedule.h"

#include <algorithm>
#include <unordered_map>

#include "passes/memory.h"
#include "passes/memory/place.h"

namespace irplan {
namespace {

constexpr size_t kMaxBlock = 64;      // ops with costs between two cuts: one bit each
constexpr size_t kMaxSets = 20000;    // sets of ops run, weighed for one block
constexpr uint32_t kLongLife = 48;    // ops over which a value lives before it counts as there all the time
constexpr size_t kMostListed = 4000;  // ops of which a list order is made: looks at all of them for each
constexpr int64_t kTooLarge = int64_t{1} << 55;

// One phase as the search sees it: ops that cost something, and the storage that they make, use and let go.
class PhaseOrder {
 public:
  PhaseOrder(const Graph& graph, uint32_t phase)
      : graph_(graph), begin_(graph.phases[phase].ops_begin), end_(graph.phases[phase].ops_end) {
    measure(phase);
  }

  // ---- orders to compare with: ops that cost something, in program order, depth first from what nothing
  // needs, and always the op that leaves the least alive
  std::vector<OpId> program_order() const {
    std::vector<OpId> order;
    for (OpId i = begin_; i < end_; ++i) {
      if (!is_free(graph_.ops[i])) order.push_back(i);
    }
    return order;
  }

  std::vector<OpId> depth_first() const {
    std::vector<uint8_t> needed(end_ - begin_, 0), seen(end_ - begin_, 0);
    for (const auto& list : needs_) {
      for (const OpId earlier : list) needed[earlier - begin_] = 1;
    }
    std::vector<OpId> order;
    std::vector<std::pair<OpId, size_t>> path;  // an op, and how many of its needs were gone into
    for (const OpId last : program_order()) {
      if (!needed[last - begin_]) path.emplace_back(last, 0);
      while (!path.empty()) {
        auto& [op, next] = path.back();
        const auto& list = needs_[op - begin_];
        if (next == 0 && seen[op - begin_]) {
          path.pop_back();
        } else if (next < list.size()) {
          const OpId earlier = list[next++];
          if (!seen[earlier - begin_]) path.emplace_back(earlier, 0);
        } else {
          seen[op - begin_] = 1;
          order.push_back(op);
          path.pop_back();
        }
      }
    }
    return order;
  }

  std::vector<OpId> list_order() const {
    std::vector<OpId> order, left = program_order();
    Running running(*this);
    while (!left.empty()) {
      size_t best = left.size();
      std::pair<int64_t, int64_t> least;
      for (size_t k = 0; k < left.size(); ++k) {
        if (!running.ready(left[k])) continue;
        const auto after = running.look(left[k]);
        if (best == left.size() || after < least) best = k, least = after;
      }
      running.run(left[best]);
      order.push_back(left[best]);
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
    }
    return order;
  }

  int64_t height(const std::vector<OpId>& order) const {
    Running running(*this);
    for (const OpId i : order) running.run(i);
    return running.height();
  }

  bool sized() const { return sized_; }

  // Appends the phase's ops in their order; true where that differs from the program's.
  bool run(std::vector<OpId>& order) {
    if (!sized_) return keep(order);
    cut();
    // Highest first: what no order can bring below another block's best needs no order of its own.
    std::vector<size_t> by_height(blocks_.size());
    for (size_t i = 0; i < by_height.size(); ++i) by_height[i] = i;
    std::stable_sort(by_height.begin(), by_height.end(),
                     [&](size_t a, size_t b) { return blocks_[a].height > blocks_[b].height; });
    int64_t reached = 0;
    bool moved = false;
    for (const size_t i : by_height) {
      Block& block = blocks_[i];
      if (block.height <= reached) break;
      const int64_t best = search(block);
      reached = std::max(reached, best);
      moved = moved || best < block.height;
    }
    if (!moved) return keep(order);
    for (const Block& block : blocks_) write(block, order);
    return true;
  }

 private:
  // A stretch of ops between two cuts.
  struct Block {
    OpId begin = 0, end = 0;
    std::vector<OpId> ops;    // those that cost something
    int64_t before = 0;       // bytes alive where it begins
    int64_t height = 0;       // the most bytes alive at once, in program order
    std::vector<OpId> order;  // of `ops`; empty: as they stand
  };
  // Storage of a temp and of all windows on it.
  struct Root {
    int64_t bytes = 0;
    OpId made = kNone;
    std::vector<OpId> readers;  // each once, ascending
    bool stays = false;         // an output: alive to the end of its phase
  };

  // What is alive while ops run one by one.
  class Running {
   public:
    explicit Running(const PhaseOrder& phase) : phase_(phase), done_(phase.end_ - phase.begin_, 0) {
      for (const Root& r : phase.roots_) unread_.push_back(r.readers.size());
    }
    int64_t height() const { return height_; }

    bool ready(OpId i) const {
      const auto& needs = phase_.needs_[i - phase_.begin_];
      return std::all_of(needs.begin(), needs.end(),
                         [&](OpId earlier) { return done_[earlier - phase_.begin_] != 0; });
    }

    // Bytes alive behind the op, and while it runs.
    std::pair<int64_t, int64_t> look(OpId i) const {
      int64_t alive = alive_, during = 0;
      phase_.step(
          i, [&](const Root& r) { return unread_[static_cast<size_t>(&r - phase_.roots_.data())] <= 1; },
          alive, during);
      return {alive, during};
    }

    void run(OpId i) {
      const auto [alive, during] = look(i);
      alive_ = alive;
      height_ = std::max(height_, during);
      done_[i - phase_.begin_] = 1;
      std::vector<const Root*> read;
      for (const ValueId id : phase_.graph_.ops[i].in) {
        const Root* r = id == kNone ? nullptr : phase_.root(id);
        if (r && std::find(read.begin(), read.end(), r) == read.end()) read.push_back(r);
      }
      for (const Root* r : read) --unread_[static_cast<size_t>(r - phase_.roots_.data())];
    }

   private:
    const PhaseOrder& phase_;
    std::vector<uint8_t> done_;   // by op of the phase
    std::vector<size_t> unread_;  // by root: readers that have not run
    int64_t alive_ = 0, height_ = 0;
  };

  bool keep(std::vector<OpId>& order) const {
    for (OpId i = begin_; i < end_; ++i) order.push_back(i);
    return false;
  }

  static bool is_free(const Op& op) {
    static const OpRow* const concat = find_op("concat");
    return op.row->window && op.row != concat;
  }

  // ---- who makes, reads and shows what
  void measure(uint32_t phase) {
    static const OpRow* const append = find_op("append");
    Evaluator value(*graph_.dims, graph_.values_at(phase));
    const Ranges none;
    OpCall size(*find_op("copy"), *graph_.dims, none);
    root_.assign(graph_.values.size(), kNone);
    source_.assign(graph_.values.size(), kNone);
    root_index_.assign(graph_.values.size(), kNone);
    needs_.resize(end_ - begin_);
    std::unordered_map<ValueId, std::vector<OpId>> state_readers;
    for (OpId i = begin_; i < end_; ++i) {
      const Op& op = graph_.ops[i];
      if (is_free(op)) {
        for (const ValueId id : op.out) root_[id] = root_of(op.in[0]), source_[id] = source_[op.in[0]];
        continue;
      }
      for (const ValueId id : op.in) {
        if (id == kNone) continue;
        if (source_[id] != kNone) need(i, source_[id]);
        if (graph_.values[id].kind == ValueKind::State) state_readers[id].push_back(i);
        const uint32_t root = root_index_[root_of(id)];
        if (root != kNone && (roots_[root].readers.empty() || roots_[root].readers.back() != i))
          roots_[root].readers.push_back(i);
      }
      for (const ValueId id : op.out) {
        source_[id] = i;
        if (op.row == append) {
          root_[id] = root_of(op.in[0]);
          for (const OpId reader : state_readers[op.in[0]]) {
            if (reader != i) need(i, reader);
          }
          continue;
        }
        root_[id] = id;
        root_index_[id] = static_cast<uint32_t>(roots_.size());
        const auto bytes = value(size.bytes(graph_.values[id].type));
        sized_ = sized_ && bytes && *bytes >= 0 && *bytes < kTooLarge / static_cast<int64_t>(end_ - begin_);
        roots_.push_back({bytes.value_or(0), i, {}, false});
      }
    }
    for (const Output& output : graph_.outputs) {
      if (output.phase != phase) continue;
      const uint32_t root = root_index_[root_of(output.value)];
      if (root != kNone) roots_[root].stays = true;
    }
  }

  ValueId root_of(ValueId id) const { return root_[id] == kNone ? id : root_[id]; }
  void need(OpId op, OpId earlier) { needs_[op - begin_].push_back(earlier); }
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
    std::vector<Block> blocks;
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
    int64_t alive = 0;
    for (Block& b : blocks_) {
      b.before = alive;
      for (const OpId i : b.ops) {
        int64_t during = 0;
        step(
            i, [&](const Root& r) { return last_reader(r) <= i; }, alive, during);
        b.height = std::max(b.height, during);
      }
    }
  }

  // One op run: what is alive behind it, and at once while it runs. `dies` says whether nothing else still
  // reads a root.
  template <class Dies>
  void step(OpId i, Dies dies, int64_t& alive, int64_t& during) const {
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
    for (const ValueId id : op.out) {
      const Root* r = root(id);
      if (!r || r->made != i) continue;
      made += r->bytes;
      if (r->readers.empty() && !r->stays) freed += r->bytes;
      // A result over an operand of its size that dies here needs no bytes of its own.
      while (op.row->in_place && next < count && taken[next]->bytes != r->bytes) ++next;
      if (op.row->in_place && next < count) reused += r->bytes, ++next;
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
              block.ops[k], [&](const Root& r) { return all_run(block, r, next.run); }, next.alive, during);
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
          if (r) put(r->stays || last_reader(*r) >= block.end ? UINT64_MAX : last_reader(*r) - block.begin);
        }
      }
    }
    return out;
  }

  // ---- the result: windows follow what they show
  void write(const Block& block, std::vector<OpId>& order) const {
    if (block.order.empty()) {
      for (OpId i = block.begin; i < block.end; ++i) order.push_back(i);
      return;
    }
    std::vector<OpId> windows;
    for (OpId i = block.begin; i < block.end; ++i) {
      if (is_free(graph_.ops[i])) windows.push_back(i);
    }
    std::vector<uint8_t> done(block.end - block.begin, 0);
    const auto show = [&] {
      for (const OpId i : windows) {
        const OpId shown = source_[graph_.ops[i].in[0]];
        if (done[i - block.begin] || (shown != kNone && shown >= block.begin && !done[shown - block.begin]))
          continue;
        done[i - block.begin] = 1;
        order.push_back(i);
      }
    };
    show();
    for (const OpId i : block.order) {
      order.push_back(i);
      done[i - block.begin] = 1;
      show();
    }
  }

  const Graph& graph_;
  OpId begin_, end_;
  bool sized_ = true;                 // every size is known and sums stay in 64 bits
  std::vector<ValueId> root_;         // by value: whose storage it shows; none: its own, or made elsewhere
  std::vector<OpId> source_;          // by value: the op of this phase that makes it, windows looked through
  std::vector<uint32_t> root_index_;  // by value: in `roots_`
  std::vector<Root> roots_;
  std::vector<std::vector<OpId>> needs_;  // by op of the phase: ops that must run before
  std::vector<Block> blocks_;
  std::unordered_map<std::string, Answer> answers_;
};

bool lowers(const Graph& candidate, const Graph& graph, uint32_t phase) {
  const int64_t now = arena_bytes(candidate, phase, candidate.values_at(phase));
  if (now < 0 || now >= arena_bytes(graph, phase, graph.values_at(phase))) return false;
  const auto sizes = sample_sizes(graph, phase);
  return std::all_of(sizes.begin(), sizes.end(), [&](const Binding& size) {
    return arena_bytes(candidate, phase, size) <= arena_bytes(graph, phase, size);
  });
}

}  // namespace

std::vector<OpId> better_order(const Graph& graph, uint32_t phase) {
  std::vector<OpId> order;
  if (!PhaseOrder(graph, phase).run(order)) order.clear();
  return order;
}

void reorder(Graph& graph, uint32_t phase, const std::vector<OpId>& order) {
  const OpId begin = graph.phases[phase].ops_begin;
  std::vector<Op> ops;
  ops.reserve(order.size());
  for (const OpId i : order) ops.push_back(std::move(graph.ops[i]));
  for (OpId i = 0; i < ops.size(); ++i) {
    for (const ValueId id : ops[i].out) graph.values[id].producer = begin + i;
    graph.ops[begin + i] = std::move(ops[i]);
  }
}

void schedule(Graph& graph) {
  std::vector<std::pair<uint32_t, std::vector<OpId>>> orders;
  for (uint32_t p = 0; p < graph.phases.size(); ++p) {
    auto order = better_order(graph, p);
    if (!order.empty()) orders.emplace_back(p, std::move(order));
  }
  if (orders.empty()) return;
  Graph placed = graph;
  plan_memory(placed);
  for (const auto& [phase, order] : orders) {
    Graph next = graph;
    reorder(next, phase, order);
    Graph candidate = next;
    plan_memory(candidate);
    if (!lowers(candidate, placed, phase)) continue;
    graph = std::move(next);
    placed = std::move(candidate);
  }
}

std::string compare_orders(const Graph& written, const Graph& scheduled) {
  std::string out;
  for (uint32_t p = 0; p < written.phases.size(); ++p) {
    const PhaseOrder before(written, p), after(scheduled, p);
    if (!before.sized()) continue;
    const auto say = [](const char* name, int64_t bytes) { return name + std::to_string(bytes); };
    const std::vector<OpId> program = before.program_order();
    out += "# bytes alive at once in " + (written.phases[p].name.empty() ? "main" : written.phases[p].name) +
           say(": program order ", before.height(program)) +
           say(", depth first ", before.height(before.depth_first())) +
           (program.size() <= kMostListed ? say(", list order ", before.height(before.list_order())) : "") +
           say(", this order ", after.height(after.program_order())) + "\n";
  }
  return out;
}

}  // namespace irplan
