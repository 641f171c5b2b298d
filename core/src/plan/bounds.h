// The second wall: the numbers of one step, checked before it runs. A plan that was proven (plan/proof) holds
// at every size; here the same numbers that the step will use are computed once more, and each window's end
// is held against its buffer's, so that neither a fault in the proof nor an overflow reads or writes beyond.
// Layers share windows: what is equal is checked once, which takes microseconds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace irplan {

class PlanBounds {
 public:
  explicit PlanBounds(const Plan& plan);

  // What does not hold at the sizes of one step ("values n: …"), or nothing. A ragged dim has its values of
  // each row in `rows`, by the order of `plan.dims`; `dims` then holds the largest. Of load ops too, which
  // run at its sizes.
  std::optional<std::string> check(const std::string& phase, const Binding& dims,
                                   const std::vector<std::vector<int64_t>>& rows = {}) const;

 private:
  struct Window {
    uint32_t value = 0;  // the first that has it
    Expr room;           // bytes of its buffer
  };
  // An expression that ops evaluate, and the first of them.
  struct Used {
    uint32_t op = 0;
    const char* attribute = nullptr;  // null: an extent
    Expr expr;
    bool ragged = false;
  };
  struct Part {
    std::string phase;
    std::vector<Window> windows;
    std::vector<Used> used;
  };
  Part gather(const std::string& phase) const;
  std::optional<std::string> check(const Part& part, Evaluator& at) const;
  std::optional<std::string> check_window(const Window& window, Evaluator& at) const;

  const Plan& plan_;
  std::vector<Part> parts_;  // of load, and of each phase
};

}  // namespace irplan
