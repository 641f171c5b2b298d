// What each name of a program was bound to while it was elaborated: for editors, which show it at the name.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "ops/op.h"

namespace irplan {

// One name, in one phase. In a loop, or in a function that is called often, it is bound many times.
struct Bound {
  uint32_t place = 0;  // where the name stands
  uint32_t phase = 0;
  std::vector<uint32_t> values;  // of tensors: ids in the graph, as it is after elaboration
  std::string text;              // of what is no tensor: the first one, as a message shows it
  size_t times = 0;

  // filled in by the shape pass
  struct Typed {
    std::string id;  // of the value
    TensorType type;
  };
  std::vector<Typed> typed;  // the first of each type, in their order; at most kMostTypes
};

class Bindings {
 public:
  static constexpr size_t kMostTypes = 4, kMostValues = 4096;

  // The record of a name in a phase, one more time.
  Bound& again(uint32_t place, uint32_t phase) {
    const auto [at, fresh] =
        index_.try_emplace(uint64_t{place} << 32 | phase, static_cast<uint32_t>(list_.size()));
    if (fresh) list_.push_back({place, phase, {}, {}, 0, {}});
    ++list_[at->second].times;
    return list_[at->second];
  }
  const Bound* find(uint32_t place, uint32_t phase) const {
    const auto found = index_.find(uint64_t{place} << 32 | phase);
    return found == index_.end() ? nullptr : &list_[found->second];
  }
  std::vector<Bound>& list() { return list_; }
  const std::vector<Bound>& list() const { return list_; }

 private:
  std::vector<Bound> list_;
  std::unordered_map<uint64_t, uint32_t> index_;
};

}  // namespace irplan
