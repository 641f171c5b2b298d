// One phase as an order of ops sees it: who needs whom, and which storage each op makes, reads and lets go.
//
// Windows cost nothing and are left out; what shows a temp is its storage. A concat's operands that are
// written straight into its result are one storage with it, which begins with the first of them. Bytes are
// rounded up to the alignment, since that is what an arena gives.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ir/graph.h"

namespace irplan::scheduling {

using Order = std::vector<OpId>;     // of the ops that cost something
using StorageId = uint32_t;          // in PhaseModel::storage
using Sizes = std::vector<int64_t>;  // bytes at one binding, by Storage::size

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

struct Storage {
  uint32_t size = 0;              // which of the phase's sizes it has
  InlineVector<OpId, 2> makers;   // the ops that write it first; several for a concat's result, ascending
  InlineVector<OpId, 4> readers;  // each once, ascending
  bool stays = false;             // an output: alive to the end of its phase
  bool scratch = false;           // of a kernel
};

// What an op does with storage, whatever the order.
struct Step {
  struct Over {
    uint8_t out, in;  // places in `out` and `in`
  };
  InlineVector<StorageId, 4> in, out;  // each once
  InlineVector<Over, 2> over;          // an out that may lie over an in of its type that dies here
};

// What a step does to the bytes alive, as sizes.
struct Effect {
  InlineVector<uint32_t, 4> made, freed, reused;
};

class PhaseModel {
 public:
  PhaseModel(const Graph& graph, uint32_t phase, const std::vector<OpId>& placed_concats);

  const Order& program_order() const { return costing_; }
  const std::vector<Storage>& storage() const { return storage_; }
  const Step& step(OpId op) const { return steps_[op - begin_]; }
  Rows::Row needs(OpId op) const { return needs_[op - begin_]; }  // costing ops that must run before
  OpId begin() const { return begin_; }
  OpId end() const { return end_; }
  size_t index(OpId op) const { return op - begin_; }
  Work& work() const { return *graph_.work; }
  const OpRow* row(OpId op) const { return graph_.ops[op].row; }

  // All sizes at a binding; none where one has no value, or sums could leave 64 bits.
  std::optional<Sizes> sizes_at(const Binding& binding) const;

  // The effect of an op. `dies` says whether nothing else still reads a storage, `begins` whether nothing of
  // it is there yet.
  template <class Dies, class Begins>
  Effect effect(OpId op, Dies dies, Begins begins) const;

  // The most bytes alive at once, and the first op at which they are, for each of the sizes.
  struct Peak {
    int64_t bytes = 0;
    OpId op = kNone;
  };
  std::vector<Peak> peaks(const Order& order, const std::vector<Sizes>& sizes) const;

  // Bytes alive while an op runs in every order, for each of the sizes: its own, and what is made before it
  // in all of them and read behind it.
  std::vector<int64_t> least(OpId op, const std::vector<Sizes>& sizes) const;

  // All ops of the phase: windows right behind what they show, those on inputs, weights and states right
  // before the first op that reads them.
  Order with_windows(const Order& order) const;

 private:
  void look(const std::vector<OpId>& placed_concats);
  void read(OpId op);
  void write(OpId op);
  void find_overs(OpId op);
  StorageId storage_of(ValueId id) const { return index_[root_of(id)]; }
  ValueId root_of(ValueId id) const { return root_[id] == kNone ? id : root_[id]; }
  uint32_t size_of(Expr bytes);

  const Graph& graph_;
  const uint32_t phase_;
  const OpId begin_, end_;
  Order costing_;                 // in program order
  std::vector<ValueId> root_;     // by value: whose storage it shows; none: its own, or made elsewhere
  std::vector<OpId> source_;      // by value: the op of this phase that makes it, windows looked through
  std::vector<StorageId> index_;  // by value that is a root
  std::vector<Storage> storage_;
  std::vector<Step> steps_;                        // by op of the phase
  Rows needs_;                                     // likewise
  std::vector<Expr> sizes_;                        // the different ones
  std::vector<uint32_t> size_index_;               // by Expr::index
  std::unordered_map<ValueId, ValueId> whole_;     // by operand of a placed concat: the result
  std::unordered_map<ValueId, Order> state_uses_;  // so far, through windows too; the last update first
};

template <class Dies, class Begins>
Effect PhaseModel::effect(OpId op, Dies dies, Begins begins) const {
  const Step& step = this->step(op);
  Effect effect;
  uint32_t taken = 0;  // operands that a result lies over
  for (const StorageId s : step.in) {
    if (!storage_[s].stays && dies(s)) effect.freed.push_back(storage_[s].size);
  }
  for (size_t k = 0; k < step.out.size(); ++k) {
    const Storage& s = storage_[step.out[k]];
    if (!begins(step.out[k])) continue;
    effect.made.push_back(s.size);
    if (s.readers.empty() && !s.stays) effect.freed.push_back(s.size);
    for (const Step::Over over : step.over) {
      if (over.out != k || (taken >> over.in & 1) || storage_[step.in[over.in]].stays ||
          !dies(step.in[over.in]))
        continue;
      taken |= uint32_t{1} << over.in;
      effect.reused.push_back(s.size);
      break;
    }
  }
  return effect;
}

}  // namespace irplan::scheduling
