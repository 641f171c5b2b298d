// What a compilation may still do: one count from which all of its searches draw, the same on every machine.
//
// Parts of it give up one after another: first the changes that a missed budget is answered with, then the
// answers of budgets beyond whether they hold, then the strength of searches for orders and placements, last
// the search for the largest sizes at which a plan's numbers hold. What a plan cannot do without is counted,
// too, and done whatever is left; limits of the language bound it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace irplan {

class Work {
 public:
  enum class Part : uint8_t { Advice, Answers, Search, Values };
  static constexpr int kParts = 4;

  // Steps of some nanoseconds on a common machine; the largest example takes 23 million.
  static constexpr int64_t kAll = 500'000'000;
  static constexpr int64_t limit(Part part) {
    return part == Part::Advice    ? kAll * 64 / 100
           : part == Part::Answers ? kAll * 72 / 100
           : part == Part::Search  ? kAll * 80 / 100
                                   : kAll;
  }

  void spend(int64_t steps) { spent_ += std::min(steps, kAll); }
  int64_t spent() const { return spent_; }

  // Whether the part may do so much more; where not, it gave up.
  bool may(Part part, int64_t steps = 0) {
    const int64_t most = part == Part::Search ? std::min(ceiling_, limit(part)) : limit(part);
    if (spent_ + steps < most) return true;
    gave_up_[static_cast<int>(part)] = true;
    return false;
  }
  bool gave_up(Part part) const { return gave_up_[static_cast<int>(part)]; }

  // Searches have one of so many equal shares of what is left to them, from now on.
  void share(int64_t of) {
    ceiling_ = spent_ + std::max<int64_t>(0, limit(Part::Search) - spent_) / std::max<int64_t>(1, of);
  }

 private:
  int64_t spent_ = 0, ceiling_ = kAll;
  bool gave_up_[kParts] = {};
};

}  // namespace irplan
