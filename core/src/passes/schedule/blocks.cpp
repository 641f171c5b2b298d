#include "passes/schedule/blocks.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/sort.h"

namespace irplan::scheduling {
namespace blocks {  // what Impl is made of

constexpr uint32_t kMaxBlock = 64;  // ops between two cuts: one bit each; longer ones are searched in pieces
constexpr uint32_t kLongLife = 48;  // ops over which a value lives before it counts as there all the time
constexpr size_t kMaxSets = 5000;   // sets of ops run, weighed for one block before the search narrows
constexpr size_t kNarrow = 64;      // sets of one number of ops that go on then
constexpr size_t kTryCost = 80, kSizeCost = 8;  // of an op behind a set, in steps of Work
constexpr uint32_t kNever = UINT32_MAX;

using OpSet = uint64_t;              // by place in the block
using Place = uint8_t;               // of an op in its block
using Bytes = std::vector<int64_t>;  // by size

OpSet bit(size_t place) { return OpSet{1} << place; }

struct Block {
  uint32_t begin = 0, end = 0;  // positions in the order
  Bytes before;                 // alive where it begins
  double height = 0;            // as the order stands
  std::vector<Place> places;    // the better order; empty: as it stands
};

// A block alone: storage by its own numbers, ops by place.
struct Problem {
  struct Kept {
    uint32_t size = 0;
    OpSet makers = 0, readers = 0;
    bool before = false, beyond = false;  // there when the block begins; alive where it ends
    bool unread = false;
  };
  struct Op {
    OpSet needs = 0;
    InlineVector<uint32_t, 4> in, out;  // in `storage`
    InlineVector<Step::Over, 2> over;
  };
  std::vector<Kept> storage;
  std::vector<Op> ops;
};

}  // namespace blocks
using namespace blocks;

class BlockSearch::Impl {
 public:
  Impl(const PhaseModel& model, Order order) : model_(model), order_(std::move(order)) {
    position_.assign(model.end() - model.begin(), kNever);
    for (uint32_t at = 0; at < order_.size(); ++at) position_[model.index(order_[at])] = at;
    find_lives();
    cut();
  }

  Order run(const std::vector<Sizes>& sizes, const std::vector<int64_t>& known) {
    sizes_ = sizes;
    weights_.clear();
    for (const int64_t bytes : known)
      weights_.push_back(1.0 / static_cast<double>(std::max<int64_t>(bytes, 1)));
    answers_.clear();
    measure();
    std::vector<size_t> highest_first(blocks_.size());
    std::iota(highest_first.begin(), highest_first.end(), 0);
    sort_range(highest_first.begin(), highest_first.end(),
               [&](size_t a, size_t b) { return blocks_[a].height > blocks_[b].height; });
    double reached = 1.0;  // by what cannot be lower
    for (const size_t i : highest_first) {
      if (blocks_[i].height <= reached) break;
      reached = std::max(reached, search(blocks_[i]));
    }
    Order out;
    out.reserve(order_.size());
    for (const Block& block : blocks_) {
      for (uint32_t k = 0; k < block.end - block.begin; ++k)
        out.push_back(order_[block.begin + (block.places.empty() ? k : block.places[k])]);
    }
    return out;
  }

  bool exact() const { return exact_; }

 private:
  // Positions of the first maker and the last reader.
  void find_lives() {
    for (const Storage& s : model_.storage()) {
      uint32_t first = kNever, last = 0;
      for (const OpId i : s.makers) first = std::min(first, position_[model_.index(i)]);
      for (const OpId i : s.readers) last = std::max(last, position_[model_.index(i)]);
      first_.push_back(first);
      last_.push_back(s.stays ? kNever : std::max(first, last));
    }
  }

  void cut() {
    const std::vector<uint8_t> sure = sure_cuts(), near = near_cuts();
    Block block;
    uint32_t last_near = kNever;  // in the block
    const auto close = [&](uint32_t end) {
      block.end = end;
      blocks_.push_back(block);
      block.begin = end;
      last_near = kNever;
    };
    for (uint32_t at = 0; at < order_.size(); ++at) {
      if (near[at]) last_near = at + 1;
      if (sure[at] || at + 1 == order_.size())
        close(at + 1);
      else if (at + 1 - block.begin == kMaxBlock)
        exact_ = false, close(last_near == kNever ? at + 1 : last_near);
    }
  }

  // Behind an op that made all that crosses there; long-lived storage does not count.
  std::vector<uint8_t> near_cuts() const {
    std::vector<int32_t> change(order_.size() + 1, 0);
    for (size_t s = 0; s < first_.size(); ++s) {
      if (last_[s] == kNever || last_[s] - first_[s] > kLongLife || last_[s] < first_[s] + 2) continue;
      ++change[first_[s] + 1];
      --change[last_[s]];
    }
    std::vector<uint8_t> out;
    int32_t crossing = 0;
    for (uint32_t at = 0; at < order_.size(); ++at) {
      crossing += change[at];
      out.push_back(crossing == 0);
    }
    return out;
  }

  // Behind an op that all before it leads to, and from which all behind it comes: nothing can move across.
  std::vector<uint8_t> sure_cuts() const {
    const auto count = static_cast<uint32_t>(order_.size());
    std::vector<uint32_t> follower(count, kNever);  // the first
    std::vector<int64_t> need(count, -1);           // the last
    for (uint32_t at = count; at-- > 0;) {
      for (const OpId earlier : model_.needs(order_[at])) {
        const uint32_t from = position_[model_.index(earlier)];
        follower[from] = at;
        need[at] = std::max<int64_t>(need[at], from);
      }
    }
    std::vector<uint8_t> out(count, 1);
    uint32_t latest = 0;
    int64_t earliest = kNever;
    for (uint32_t at = 0; at < count; ++at) {
      out[at] = latest <= at;
      latest = std::max(latest, follower[at]);
    }
    for (uint32_t at = count; at-- > 0;) {
      out[at] = out[at] && earliest >= at;
      earliest = std::min(earliest, need[at]);
    }
    return out;
  }

  // What is alive before and in each block, as the order stands.
  void measure() {
    Bytes alive(sizes_.size(), 0);
    for (Block& block : blocks_) {
      block.before = alive;
      block.height = 0;
      block.places.clear();
      for (uint32_t at = block.begin; at < block.end; ++at) {
        const Effect e = model_.effect(
            order_[at], [&](StorageId s) { return last_[s] <= at; },
            [&](StorageId s) { return first_[s] == at; });
        block.height = std::max(block.height, apply(e, alive.data()));
      }
    }
  }

  // Changes the bytes alive; the largest ratio while the op ran.
  double apply(const Effect& e, int64_t* alive) const {
    double height = 0;
    for (size_t k = 0; k < sizes_.size(); ++k) {
      int64_t during = alive[k];
      for (const uint32_t s : e.made) during += sizes_[k][s];
      alive[k] = during;
      for (const uint32_t s : e.reused) during -= sizes_[k][s];
      for (const uint32_t s : e.freed) alive[k] -= sizes_[k][s];
      height = std::max(height, static_cast<double>(during) * weights_[k]);
    }
    return height;
  }

  double height(const Bytes& alive) const {
    double most = 0;
    for (size_t k = 0; k < alive.size(); ++k)
      most = std::max(most, static_cast<double>(alive[k]) * weights_[k]);
    return most;
  }

  // ---- a block as a problem of its own
  Problem problem_of(const Block& block) const {
    Problem out;
    std::unordered_map<StorageId, uint32_t> numbers;
    const auto number = [&](StorageId id) {
      const auto [at, fresh] = numbers.try_emplace(id, static_cast<uint32_t>(out.storage.size()));
      if (fresh) out.storage.push_back(kept(block, id));
      return at->second;
    };
    for (uint32_t at = block.begin; at < block.end; ++at) {
      const Step& step = model_.step(order_[at]);
      Problem::Op op;
      for (const OpId earlier : model_.needs(order_[at])) op.needs |= place(block, earlier);
      for (const StorageId s : step.in) op.in.push_back(number(s));
      for (const StorageId s : step.out) op.out.push_back(number(s));
      op.over = step.over;
      out.ops.push_back(std::move(op));
    }
    return out;
  }

  Problem::Kept kept(const Block& block, StorageId id) const {
    const Storage& s = model_.storage()[id];
    Problem::Kept out;
    out.size = s.size;
    out.before = first_[id] < block.begin;
    out.beyond = last_[id] >= block.end;
    out.unread = s.readers.empty() && !s.stays;
    for (const OpId i : s.makers) out.makers |= place(block, i);
    if (!out.beyond) {
      for (const OpId i : s.readers) out.readers |= place(block, i);
    }
    return out;
  }

  OpSet place(const Block& block, OpId op) const {
    const uint32_t at = position_[model_.index(op)];
    return at >= block.begin && at < block.end ? bit(at - block.begin) : 0;
  }

  // What decides a block's best order.
  static std::string signature(const Block& block, const Problem& problem) {
    std::string out;
    const auto put = [&](uint64_t n) { out.append(reinterpret_cast<const char*>(&n), sizeof n); };
    for (const int64_t bytes : block.before) put(static_cast<uint64_t>(bytes));
    for (const Problem::Kept& s : problem.storage) {
      put(s.size << 3 | uint32_t{s.before} << 2 | uint32_t{s.beyond} << 1 | uint32_t{s.unread});
      put(s.makers), put(s.readers);
    }
    for (const Problem::Op& op : problem.ops) {
      put(op.needs), put(op.in.size()), put(op.out.size()), put(op.over.size());
      for (const uint32_t s : op.in) put(s);
      for (const uint32_t s : op.out) put(s);
      for (const Step::Over over : op.over) put(uint64_t{over.out} << 8 | over.in);
    }
    return out;
  }

  // ---- the search: the least height of any order of a block
  struct Answer {
    double height = 0;
    std::vector<Place> places;  // empty: as they stand
    bool exact = true;
  };

  double search(Block& block) {
    if (block.end - block.begin < 2) return block.height;
    if (!model_.work().may(Work::Part::Search)) return exact_ = false, block.height;
    const Problem problem = problem_of(block);
    const auto [known, fresh] = answers_.try_emplace(signature(block, problem));
    if (fresh) known->second = Walk(*this, problem, block).run();
    exact_ = exact_ && known->second.exact;
    block.places = known->second.places;
    return known->second.height;
  }

  // A walk over the sets of ops run, all sets of one number of ops before those of the next.
  class Walk {
   public:
    Walk(const Impl& search, const Problem& problem, const Block& block)
        : search_(search), problem_(problem), block_(block), width_(search.sizes_.size()) {}

    Answer run() {
      sets_.push_back({0, surely(), 0, 0});
      alive_ = block_.before;
      for (size_t ops = 0; ops < problem_.ops.size(); ++ops) {
        first_ = layer_;
        layer_ = sets_.size();
        next_alive_.clear();
        seen_.clear();
        for (size_t at = first_; at < layer_; ++at) grow(at);
        if (!search_.model_.work().may(Work::Part::Search)) return {block_.height, {}, false};
        alive_.swap(next_alive_);
        if (sets_.size() > kMaxSets && sets_.size() - layer_ > kNarrow) narrow(), exact_ = false;
      }
      if (layer_ == sets_.size()) return {block_.height, {}, exact_};
      Answer answer{sets_[layer_].height, {}, exact_};
      for (size_t at = layer_; at != 0; at = sets_[at].from) answer.places.push_back(sets_[at].last);
      std::reverse(answer.places.begin(), answer.places.end());
      return answer;
    }

   private:
    struct Set {
      OpSet run = 0;
      double height = 0;
      uint32_t from = 0;  // the set before, and the op that led here
      Place last = 0;
    };
    struct Try {
      Set set;
      Bytes alive;
    };

    // What every order needs: the bytes alive before, and those behind.
    double surely() const {
      Bytes alive = block_.before;
      double out = search_.height(alive);
      OpSet run = 0;
      for (size_t k = 0; k < problem_.ops.size(); ++k) {
        search_.apply(effect(problem_.ops[k], run, run | bit(k)), alive.data());
        run |= bit(k);
      }
      return std::max(out, search_.height(alive));
    }

    // Every op that may come next is tried. One that raises nothing, now or later, comes next in some best
    // order of what is left: whatever else runs before it runs with no less alive. So it is the only one that
    // goes on.
    void grow(size_t at) {
      const Set set = sets_[at];
      const Bytes before(alive_.begin() + static_cast<std::ptrdiff_t>((at - first_) * width_),
                         alive_.begin() + static_cast<std::ptrdiff_t>((at - first_ + 1) * width_));
      next_.clear();
      size_t tried = 0;
      for (size_t k = 0; k < problem_.ops.size(); ++k) {
        if ((set.run & bit(k)) || (problem_.ops[k].needs & ~set.run)) continue;
        Try next{{set.run | bit(k), set.height, static_cast<uint32_t>(at), static_cast<Place>(k)}, before};
        ++tried;
        const double height =
            search_.apply(effect(problem_.ops[k], set.run, next.set.run), next.alive.data());
        next.set.height = std::max(set.height, height);
        const bool raises = height > set.height || !none_above(next.alive, before);
        if (!raises) next_.clear();
        if (next.set.height < block_.height) next_.push_back(std::move(next));  // better than it stands
        if (!raises) break;
      }
      for (const Try& next : next_) keep(next);
      search_.model_.work().spend(
          static_cast<int64_t>(problem_.ops.size() + tried * (kTryCost + kSizeCost * width_)));
    }

    static bool none_above(const Bytes& a, const Bytes& b) {
      return std::equal(a.begin(), a.end(), b.begin(), [](int64_t x, int64_t y) { return x <= y; });
    }

    void keep(const Try& next) {
      const auto [slot, fresh] = seen_.try_emplace(next.set.run, static_cast<uint32_t>(sets_.size()));
      if (fresh) {
        sets_.push_back(next.set);
        next_alive_.insert(next_alive_.end(), next.alive.begin(), next.alive.end());
      } else if (next.set.height < sets_[slot->second].height) {
        sets_[slot->second] = next.set;
      }
    }

    Effect effect(const Problem::Op& op, OpSet before, OpSet after) const {
      const auto dies = [&](uint32_t s) {
        const Problem::Kept& kept = problem_.storage[s];
        return !kept.beyond && !(kept.readers & ~after);
      };
      Effect effect;
      uint32_t taken = 0;
      for (const uint32_t s : op.in) {
        if (dies(s)) effect.freed.push_back(problem_.storage[s].size);
      }
      for (size_t k = 0; k < op.out.size(); ++k) {
        const Problem::Kept& s = problem_.storage[op.out[k]];
        if (s.before || (s.makers & before)) continue;
        effect.made.push_back(s.size);
        if (s.unread) effect.freed.push_back(s.size);
        for (const Step::Over over : op.over) {
          if (over.out != k || (taken >> over.in & 1) || !dies(op.in[over.in])) continue;
          taken |= uint32_t{1} << over.in;
          effect.reused.push_back(s.size);
          break;
        }
      }
      return effect;
    }

    // Of the last layer, those of the least height, then with the least alive.
    void narrow() {
      const auto alive = [&](size_t i) {
        double most = 0;
        for (size_t k = 0; k < width_; ++k)
          most = std::max(most, static_cast<double>(alive_[i * width_ + k]) * search_.weights_[k]);
        return most;
      };
      std::vector<std::pair<std::pair<double, double>, uint32_t>> best;
      for (uint32_t i = 0; i < sets_.size() - layer_; ++i)
        best.push_back({{sets_[layer_ + i].height, alive(i)}, i});
      std::partial_sort(best.begin(), best.begin() + kNarrow, best.end());
      std::vector<Set> sets;
      Bytes bytes;
      for (size_t n = 0; n < kNarrow; ++n) {
        const auto from = alive_.begin() + static_cast<std::ptrdiff_t>(best[n].second * width_);
        sets.push_back(sets_[layer_ + best[n].second]);
        bytes.insert(bytes.end(), from, from + static_cast<std::ptrdiff_t>(width_));
      }
      sets_.resize(layer_);
      sets_.insert(sets_.end(), sets.begin(), sets.end());
      alive_ = std::move(bytes);
    }

    const Impl& search_;
    const Problem& problem_;
    const Block& block_;
    const size_t width_;
    bool exact_ = true;
    std::vector<Set> sets_;
    size_t first_ = 0, layer_ = 0;  // where the last layer but one and the last begin
    Bytes alive_, next_alive_;      // behind each set of the layer that grows, and of the next
    std::vector<Try> next_;         // from the set that grows
    std::unordered_map<OpSet, uint32_t> seen_;
  };

  const PhaseModel& model_;
  const Order order_;
  bool exact_ = true;
  std::vector<Sizes> sizes_;
  std::vector<double> weights_;         // by size
  std::vector<uint32_t> position_;      // by op of the phase, in the order
  std::vector<uint32_t> first_, last_;  // by storage: positions of its life
  std::vector<Block> blocks_;
  std::unordered_map<std::string, Answer> answers_;
};

BlockSearch::BlockSearch(const PhaseModel& model, Order order)
    : impl_(std::make_unique<Impl>(model, std::move(order))) {}
BlockSearch::~BlockSearch() = default;

Order BlockSearch::run(const std::vector<Sizes>& sizes, const std::vector<int64_t>& known) {
  return impl_->run(sizes, known);
}

bool BlockSearch::exact() const { return impl_->exact(); }

}  // namespace irplan::scheduling
