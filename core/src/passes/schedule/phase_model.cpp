#include "passes/schedule/phase_model.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/sort.h"

namespace irplan::scheduling {
namespace {

constexpr int64_t kTooLarge = int64_t{1} << 52;  // of sums: counts in doubles, too
constexpr size_t kMostOperands = 32;             // that a result may lie over: a bit each

bool is_free(const Op& op) { return op.row->window; }

}  // namespace

PhaseModel::PhaseModel(const Graph& graph, uint32_t phase, const std::vector<OpId>& placed_concats)
    : graph_(graph), phase_(phase), begin_(graph.phases[phase].ops_begin), end_(graph.phases[phase].ops_end) {
  look(placed_concats);
}

void PhaseModel::look(const std::vector<OpId>& placed_concats) {
  root_.assign(graph_.values.size(), kNone);
  source_.assign(graph_.values.size(), kNone);
  index_.assign(graph_.values.size(), kNone);
  steps_.resize(end_ - begin_);
  for (auto at = std::lower_bound(placed_concats.begin(), placed_concats.end(), begin_);
       at != placed_concats.end() && *at < end_; ++at) {
    for (const ValueId id : graph_.ops[*at].in) whole_.emplace(id, graph_.ops[*at].out[0]);
  }
  for (OpId i = begin_; i < end_; ++i) {
    const Op& op = graph_.ops[i];
    if (is_free(op)) {
      for (const ValueId id : op.out) root_[id] = root_of(op.in[0]), source_[id] = source_[op.in[0]];
    } else {
      costing_.push_back(i);
      read(i);
      write(i);
    }
    needs_.close();
  }
  for (const Output& output : graph_.outputs) {
    if (output.phase != phase_) continue;
    const StorageId s = storage_of(output.value);
    if (s != kNone) storage_[s].stays = true;
  }
  for (const OpId i : costing_) find_overs(i);
}

void PhaseModel::read(OpId i) {
  const Op& op = graph_.ops[i];
  for (const ValueId id : op.in) {
    if (id == kNone) continue;
    if (source_[id] != kNone) needs_.add(source_[id]);
    if (graph_.values[root_of(id)].kind == ValueKind::State && !op.row->updates_state)
      state_uses_[root_of(id)].push_back(i);
    const StorageId s = storage_of(id);
    if (s == kNone || (!storage_[s].readers.empty() && storage_[s].readers.back() == i)) continue;
    storage_[s].readers.push_back(i);
    steps_[i - begin_].in.push_back(s);
  }
}

void PhaseModel::write(OpId i) {
  const Op& op = graph_.ops[i];
  for (const ValueId id : op.out) {
    source_[id] = i;
    if (op.row->updates_state) {  // what the state held must have been read
      root_[id] = root_of(op.in[0]);
      for (const OpId earlier : state_uses_[root_[id]]) needs_.add(earlier);
      continue;
    }
    if (root_[id] != kNone) continue;  // a placed concat's result: its parts made the storage
    const auto part = whole_.empty() ? whole_.end() : whole_.find(id);
    const ValueId stored = part == whole_.end() ? id : part->second;
    root_[id] = root_[stored] = stored;
    if (index_[stored] == kNone) {
      index_[stored] = static_cast<StorageId>(storage_.size());
      storage_.emplace_back();
      storage_.back().size = size_of(stored_bytes(*graph_.dims, graph_.values[stored].type));
    }
    Storage& s = storage_[index_[stored]];
    if (s.makers.empty() || s.makers.back() != i) {
      s.makers.push_back(i);
      steps_[i - begin_].out.push_back(index_[stored]);
    }
  }
  for (const Expr bytes : op.scratch) {  // nobody reads it: it comes and goes with the op
    steps_[i - begin_].out.push_back(static_cast<StorageId>(storage_.size()));
    storage_.emplace_back();
    storage_.back().size = size_of(bytes);
    storage_.back().makers.push_back(i);
    storage_.back().scratch = true;
  }
}

// As the memory pass has it: a result of the operand's type, where both are all of their storage.
void PhaseModel::find_overs(OpId i) {
  const Op& op = graph_.ops[i];
  if (!op.row->in_place) return;
  Step& step = steps_[i - begin_];
  for (uint8_t k = 0; k < std::min(step.out.size(), kMostOperands); ++k) {
    const Storage& made = storage_[step.out[k]];
    if (made.makers.size() > 1 || made.scratch) continue;
    for (uint8_t n = 0; n < std::min(step.in.size(), kMostOperands); ++n) {
      if (storage_[step.in[n]].size == made.size) step.over.push_back({k, n});
    }
  }
}

uint32_t PhaseModel::size_of(Expr bytes) {
  if (bytes.index() >= size_index_.size()) size_index_.resize(bytes.index() + 1, kNone);
  uint32_t& index = size_index_[bytes.index()];
  if (index == kNone) {
    index = static_cast<uint32_t>(sizes_.size());
    sizes_.push_back(bytes);
  }
  return index;
}

std::optional<Sizes> PhaseModel::sizes_at(const Binding& binding) const {
  Evaluator value(*graph_.dims, binding);
  const int64_t align = graph_.target.align;
  Sizes out;
  for (const Expr size : sizes_) {
    const auto bytes = value(size);
    if (!bytes || *bytes < 0 || *bytes >= kTooLarge / static_cast<int64_t>(end_ - begin_))
      return std::nullopt;
    out.push_back(align_up(*bytes, align));
  }
  return out;
}

std::vector<PhaseModel::Peak> PhaseModel::peaks(const Order& order, const std::vector<Sizes>& sizes) const {
  std::vector<uint32_t> left;  // ops that still read it
  std::vector<uint8_t> started(storage_.size(), 0);
  left.reserve(storage_.size());
  for (const Storage& s : storage_) left.push_back(static_cast<uint32_t>(s.readers.size()));
  std::vector<Peak> peaks(sizes.size());
  std::vector<int64_t> alive(sizes.size(), 0);
  for (const OpId i : order) {
    const Effect e = effect(
        i, [&](StorageId s) { return left[s] == 1; }, [&](StorageId s) { return !started[s]; });
    for (size_t k = 0; k < sizes.size(); ++k) {
      int64_t during = alive[k];
      for (const uint32_t s : e.made) during += sizes[k][s];
      alive[k] = during;
      for (const uint32_t s : e.reused) during -= sizes[k][s];
      for (const uint32_t s : e.freed) alive[k] -= sizes[k][s];
      if (during > peaks[k].bytes || peaks[k].op == kNone) peaks[k] = {during, i};
    }
    for (const StorageId s : step(i).in) --left[s];
    for (const StorageId s : step(i).out) started[s] = 1;
  }
  return peaks;
}

std::vector<int64_t> PhaseModel::least(OpId op, const std::vector<Sizes>& sizes) const {
  // What must run before and behind it.
  std::vector<uint8_t> before(end_ - begin_, 0), behind(end_ - begin_, 0);
  for (OpId i = op + 1; i-- > begin_;) {
    if (i != op && !before[i - begin_]) continue;
    for (const OpId earlier : needs(i)) before[earlier - begin_] = 1;
  }
  for (OpId i = op + 1; i < end_; ++i) {
    for (const OpId earlier : needs(i)) {
      if (earlier == op || behind[earlier - begin_]) behind[i - begin_] = 1;
    }
  }
  const auto any = [&](const std::vector<uint8_t>& set, const auto& ops) {
    return std::any_of(ops.begin(), ops.end(), [&](OpId i) { return set[i - begin_] != 0; });
  };
  const Step& step = this->step(op);
  const auto uses = [](const InlineVector<StorageId, 4>& list, StorageId s) {
    return std::find(list.begin(), list.end(), s) != list.end();
  };
  std::vector<int64_t> sums(sizes.size(), 0), spared(sizes.size(), 0), made(sizes.size(), 0);
  for (StorageId i = 0; i < storage_.size(); ++i) {
    const Storage& s = storage_[i];
    const bool read = uses(step.in, i), written = uses(step.out, i);
    const bool later = s.stays || any(behind, s.readers);
    if (!read && !written && !(later && any(before, s.makers))) continue;
    for (size_t k = 0; k < sizes.size(); ++k) {
      sums[k] += sizes[k][s.size];
      if (written && s.makers.size() == 1) made[k] += sizes[k][s.size];
      if (read && !written && !later) spared[k] += sizes[k][s.size];
    }
  }
  if (!step.over.empty()) {
    for (size_t k = 0; k < sizes.size(); ++k) sums[k] -= std::min(spared[k], made[k]);
  }
  return sums;
}

Order PhaseModel::with_windows(const Order& ops) const {
  std::vector<Order> shown(end_ - begin_);  // by op: windows on what it makes
  for (OpId i = begin_; i < end_; ++i) {
    if (!is_free(graph_.ops[i])) continue;
    const OpId source = source_[graph_.ops[i].in[0]];
    if (source != kNone) shown[source - begin_].push_back(i);
  }
  std::vector<uint8_t> done(end_ - begin_, 0);
  Order order, chain;
  // Windows on inputs, weights and states come right before the first op that reads them.
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
    sort_range(chain.begin() + 1, chain.end());
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

}  // namespace irplan::scheduling
