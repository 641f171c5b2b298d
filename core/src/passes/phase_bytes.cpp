#include "passes/phase_bytes.h"

#include <algorithm>

#include "base/sort.h"

namespace irplan {
namespace {

constexpr int64_t kSizeTermCost = 20, kPieceCost = 2;  // steps of Work

int64_t aligned(int64_t n, int64_t align) { return (n + align - 1) / align * align; }

}  // namespace

PhaseBytes::PhaseBytes(const Graph& graph, uint32_t phase)
    : align_(graph.target.align),
      ops_(graph.phases[phase].ops_end - graph.phases[phase].ops_begin),
      by_dim_(graph.dims->dim_count()) {
  find_order(graph, phase);
  const uint32_t begin = graph.phases[phase].ops_begin;
  for (const Buffer& b : graph.buffers) {
    if (b.segment == Segment::Arena && b.phase == phase && b.live_end > b.live_begin)
      lives_.push_back({b.live_begin - begin, b.live_end - begin, add(b.bytes)});
  }
  for (const Piece& piece : pieces_) sizes_[piece.size].in_arena = true;
  change_.resize(size_t{ops_} + 1);
  ends_.resize(pieces_.size());
}

void PhaseBytes::find_order(const Graph& graph, uint32_t phase) {
  constexpr uint32_t kNotYet = UINT32_MAX;
  std::unordered_map<BufferId, uint32_t> place;
  std::vector<BufferId> todo;
  for (BufferId first = 0; first < graph.buffers.size(); ++first) {
    if (graph.buffers[first].segment != Segment::Arena || graph.buffers[first].phase != phase) continue;
    todo.push_back(first);
    while (!todo.empty()) {
      const BufferId id = todo.back();
      const auto [at, fresh] = place.try_emplace(id, kNotYet);
      if (fresh) {
        for (const BufferId below : graph.buffers[id].above) {
          if (!place.contains(below)) todo.push_back(below);
        }
        continue;
      }
      todo.pop_back();
      if (at->second != kNotYet) continue;
      at->second = static_cast<uint32_t>(pieces_.size());
      Piece piece{add(graph.buffers[id].bytes), static_cast<uint32_t>(below_.size()), 0};
      for (const BufferId below : graph.buffers[id].above) below_.push_back(place.at(below));
      piece.below_end = static_cast<uint32_t>(below_.size());
      pieces_.push_back(piece);
    }
  }
}

PhaseBytes::SizeId PhaseBytes::add(Expr bytes) {
  const auto [at, fresh] = known_.try_emplace(bytes.index(), static_cast<SizeId>(sizes_.size()));
  if (!fresh) return at->second;
  sizes_.push_back({bytes});
  for (const DimIndex dim : dims_of(bytes)) by_dim_[dim].push_back(at->second);
  if (!binding_.empty() || bytes.is_constant()) look(at->second);
  return at->second;
}

void PhaseBytes::look(SizeId id) {
  Size& size = sizes_[id];
  ++version_;
  const auto value = evaluate(size.bytes, binding_);
  size.known = value.has_value();
  size.value = value.value_or(0);
  if (size.in_arena) placed_known_ = bound_known_ = false;
  cost_ += kSizeTermCost * static_cast<int64_t>(size.bytes.node().terms.size() + 1);
}

void PhaseBytes::bind(const Binding& binding) {
  cost_ += static_cast<int64_t>(binding.size()) / 2 + 4;
  if (binding_.size() != binding.size()) {
    binding_ = binding;
    for (SizeId id = 0; id < sizes_.size(); ++id) look(id);
    return;
  }
  std::vector<DimIndex> changed;
  for (DimIndex dim = 0; dim < binding.size(); ++dim) {
    if (binding_[dim] == binding[dim]) continue;
    binding_[dim] = binding[dim];
    changed.push_back(dim);
  }
  if (changed.size() == 1) {
    for (const SizeId id : by_dim_[changed[0]]) look(id);
    return;
  }
  std::vector<SizeId> all;
  for (const DimIndex dim : changed) all.insert(all.end(), by_dim_[dim].begin(), by_dim_[dim].end());
  sort_range(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  for (const SizeId id : all) look(id);
}

int64_t PhaseBytes::placed() {
  if (placed_known_) return placed_;
  placed_known_ = true;
  placed_ = -1;
  cost_ += kPieceCost * static_cast<int64_t>(pieces_.size() + below_.size());
  int64_t peak = 0;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    int64_t at = 0;
    for (uint32_t b = piece.below_begin; b < piece.below_end; ++b) at = std::max(at, ends_[below_[b]]);
    const Size& size = sizes_[piece.size];
    if (at > INT64_MAX / 2 || !size.known || size.value > INT64_MAX / 2 - align_) return placed_;
    peak = std::max(peak, at + size.value);
    ends_[i] = aligned(at + size.value, align_);
  }
  return placed_ = peak;
}

int64_t PhaseBytes::bound(int64_t align) {
  if (bound_known_ && bound_align_ == align) return bound_;
  bound_known_ = true, bound_align_ = align, bound_ = -1;
  cost_ += kPieceCost * static_cast<int64_t>(ops_ + 2 * lives_.size());
  std::fill(change_.begin(), change_.end(), 0);
  int64_t all = 0;
  for (const Live& live : lives_) {
    const Size& size = sizes_[live.size];
    if (!size.known || size.value > INT64_MAX / 2 - align ||
        __builtin_add_overflow(all, aligned(size.value, align), &all))
      return bound_;
    change_[live.begin] += aligned(size.value, align);
    change_[live.end] -= aligned(size.value, align);
  }
  int64_t live = 0, most = 0;
  for (uint32_t i = 0; i < ops_; ++i) live += change_[i], most = std::max(most, live);
  return bound_ = most;
}

}  // namespace irplan
