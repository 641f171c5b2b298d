// The solve pass's state, shared by the files that implement it: values, answers, frontiers, what is said.
#pragma once

#include <functional>
#include <map>

#include "passes/measure.h"
#include "passes/solve.h"

namespace irplan {

class Solver {
 public:
  // `meter` is null before the memory plan: budgets over bytes do not count yet.
  Solver(Graph& graph, const FixedDims& fixed, const Meter* meter, Diagnostics& diagnostics)
      : graph_(graph), fixed_(fixed), meter_(meter), diagnostics_(diagnostics) {}

  void assign();               // each dim's value
  void answer();               // every budget
  void meet_guards();          // values that break a relation become others, where there are any
  void refuse_broken() const;  // reports what values still break

 private:
  using Admits = std::function<bool(const Binding&)>;

  // ---- values
  void assign_fixed(const Dim& dim, Binding& binding, bool& refused);
  void assign_phase(uint32_t p, Binding binding);
  const int64_t* fixed_size(const std::string& name) const;
  std::optional<int64_t> largest_of_phases(DimIndex dim) const;  // none where one has the whole range
  bool some_phase_admits(DimIndex dim, int64_t size) const;
  int64_t largest(Binding binding, DimIndex dim, Interval range, const Admits& admitted,
                  const Admits& nearly) const;
  bool admits(const Binding& binding) const;
  bool guards_admit(const Binding& binding) const;
  bool can_be_met(size_t equality, const Binding& binding) const;
  bool between_dims(size_t guard) const;
  const std::vector<DimIndex>& guard_dims(size_t guard) const;
  std::optional<int64_t> forced(const Dim& dim, const Binding& binding) const;
  bool guards_nearly_admit(const Binding& binding) const;
  bool guards_admit_in(uint32_t phase, const Binding& binding, bool nearly = false) const;
  bool admits_in(uint32_t phase, const Binding& binding) const;
  bool bytes_fit(const Binding& binding) const;
  bool bytes_fit_in(uint32_t phase, const Binding& binding) const;
  bool applies(const Guard& guard, uint32_t where) const;
  std::vector<Constraint> relations_in(uint32_t where) const;
  bool broken(uint32_t where) const;
  Ranges open_ranges(uint32_t where) const;
  std::optional<Binding> met(uint32_t where) const;
  void refuse_broken(uint32_t phase) const;

  // ---- answers; a budget of one phase is asked at that phase's sizes alone
  void answer(Budget& budget);
  void answer_by_phase(Budget& budget) const;
  int64_t most_used(const Budget& budget, const Binding& binding) const;
  Binding least(uint32_t phase = kNoPhase) const;
  Interval searched(const Dim& dim, uint32_t phase = kNoPhase) const;
  std::vector<const Dim*> dims_that_matter(const Budget& budget) const;
  // The largest sizes that ranges and guards admit in a phase, bytes not asked: what the declaration
  // promises. Several where guards trade one dim for another.
  struct Corner {
    uint32_t phase;
    Binding at;
  };
  struct Narrowing {  // to look at a dim as if its range ended there
    const Dim* dim;
    int64_t end;
  };
  std::vector<Corner> corners(const Budget& budget, Narrowing narrowing = {}) const;
  Answer answered(const Budget& budget, const std::vector<Corner>& promised) const;
  bool bounded() const;
  bool holds_at_most(const Budget& budget) const;
  bool holds_everywhere(const Budget& budget, const std::vector<Corner>& promised) const;
  const Corner& worst_of(const Budget& budget, const std::vector<Corner>& corners) const;
  int64_t used_at_values(const Budget& budget) const;
  void note_largest(Answer& answer, const Budget& budget, const Dim& dim, const Binding& value) const;
  int64_t largest_for(Binding binding, DimIndex dim, Interval range, const Admits& fits_at) const;
  void find_frontiers(Answer& answer, const Budget& budget, const Binding& value) const;
  Frontier frontier(const Budget& budget, const Dim& first, const Dim& second, const Binding& value) const;
  void find_narrower(Budget& budget) const;
  std::optional<int64_t> narrower(const Budget& budget, const Dim& dim) const;
  bool holds_at(const Budget& budget, const std::vector<Corner>& corners) const;

  // ---- diagnostics
  std::string sizes_text(const std::vector<const Dim*>& dims, uint32_t phase, const Binding& binding) const;
  uint32_t worst_phase(const Budget& budget, const Binding& binding) const;
  std::string amount(const Budget& budget, int64_t used, const Binding& binding) const;
  void note_parts(Diagnostic& d, uint32_t phase, const Binding& binding) const;
  void refuse(Budget& budget, const Binding& least);
  void blame_largest(Diagnostic& d, const Budget& budget, uint32_t phase, const Binding& binding) const;
  void warn(const Budget& budget, const Corner& worst);

  // Whether a guard holds in a phase, or at global sizes: looked at again only where its dims changed.
  bool guard_holds(size_t guard, uint32_t where, const Binding& binding) const;
  bool may_answer() const { return graph_.work->may(Work::Part::Answers); }
  // Of one phase, as far as work allows; false where there would be more.
  bool find_corners(uint32_t phase, const std::vector<const Dim*>& dims, Narrowing narrowing,
                    std::vector<Corner>& out) const;
  struct KnownGuard {
    std::vector<int64_t> sizes;  // of its dims, as it was looked at last
    bool holds = false;
  };
  struct KnownZero {  // whether an equality can be met by the one dim that is open
    DimIndex dim = UINT32_MAX;
    std::vector<int64_t> others;
    bool met = false;
  };

  Graph& graph_;
  const FixedDims& fixed_;
  const Meter* meter_;
  Diagnostics& diagnostics_;
  struct KnownCorners {
    std::vector<Corner> corners;
    bool all = true;
  };
  mutable std::map<std::pair<uint32_t, std::vector<DimIndex>>, KnownCorners> known_corners_;  // not narrowed
  mutable bool corners_cut_ = false;  // not all sizes that are promised could be looked at
  mutable std::vector<std::vector<DimIndex>> guard_dims_;      // by guard
  mutable std::vector<KnownZero> known_zeros_;                 // likewise
  mutable std::vector<std::vector<KnownGuard>> known_guards_;  // by phase, global ones last; by guard
  std::vector<uint8_t> settled_;  // by DimIndex: has its size, while values are assigned; else empty
};

// 1, 2, 4, … inside the range, and both of its ends.
std::vector<int64_t> by_powers_of_two(Interval range);

}  // namespace irplan
