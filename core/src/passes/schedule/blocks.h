// Searches for an order in which less is alive, block by block.
//
// An order is cut behind every op that all before it lead to and all behind it come from: nothing can move
// across, and what is alive there is the same in every order, so each block has a best order of its own.
//
//       a - b - c           a to e are one block, f and g the next
//        \- d - e - f - g
//
// Inside a block every order that the operands admit is weighed, as a walk over the sets of ops already run:
// what is alive then depends on the set, not on the way there. Beyond a limit of sets only the most promising
// go on, and blocks that are too long are cut where one value crosses. Identical blocks are searched once.
#pragma once

#include <memory>

#include "passes/schedule/phase_model.h"

namespace irplan::scheduling {

class BlockSearch {
 public:
  // The order to start from: blocks keep their place in it, and stay as they are where nothing is better.
  BlockSearch(const PhaseModel& model, Order order);
  ~BlockSearch();

  // The order with the least ratio of bytes alive at once over `known`, at the worst of the sizes.
  Order run(const std::vector<Sizes>& sizes, const std::vector<int64_t>& known);

  // Whether all orders of all blocks that matter were weighed in all runs so far.
  bool exact() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace irplan::scheduling
