// Sizes of one phase at the binding that was asked last: another binding costs what its dims change.
//
// Looks through the phase's buffers once. The arena's bytes are those of the stacking order, or the largest
// sum of live bytes.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace irplan {

class PhaseBytes {
 public:
  using SizeId = uint32_t;

  PhaseBytes(const Graph& graph, uint32_t phase);

  SizeId add(Expr bytes);  // another expression to be looked at

  void bind(const Binding& binding);
  // At the binding; -1 where one has no value, or it leaves 64 bits.
  int64_t placed();
  int64_t bound(int64_t align = 1);
  bool known(SizeId id) const { return sizes_[id].known; }
  int64_t size(SizeId id) const { return sizes_[id].value; }
  uint64_t version() const { return version_; }  // another one where a size may have changed
  // What bind() and the arena's bytes cost so far, in steps of Work.
  int64_t take_cost() { return std::exchange(cost_, 0); }

 private:
  struct Size {
    Expr bytes;
    int64_t value = 0;
    bool known = false;
    bool in_arena = false;
  };
  struct Piece {  // of the arena, in an order in which what lies below comes first
    SizeId size;
    uint32_t below_begin, below_end;  // in below_
  };
  struct Live {
    uint32_t begin, end;  // ops of the phase
    SizeId size;
  };

  void find_order(const Graph& graph, uint32_t phase);
  void look(SizeId id);

  int64_t align_ = 1;
  uint32_t ops_ = 0;
  std::vector<Size> sizes_;
  std::unordered_map<uint32_t, SizeId> known_;  // by Expr::index
  std::vector<std::vector<SizeId>> by_dim_;
  std::vector<Piece> pieces_;
  std::vector<uint32_t> below_;  // places in pieces_
  std::vector<Live> lives_;
  Binding binding_;
  std::vector<int64_t> ends_, change_;
  int64_t placed_ = -1, bound_ = -1, bound_align_ = 0;
  bool placed_known_ = false, bound_known_ = false;
  int64_t cost_ = 0;
  uint64_t version_ = 0;
};

}  // namespace irplan
