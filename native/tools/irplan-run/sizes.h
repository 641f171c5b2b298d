// The sizes of a run: what --dim gives, what inputs' shapes tell, what ranges leave no choice about.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "irplan/result.h"
#include "plan/plan.h"
#include "reference/executor.h"
#include "tools/irplan-run/options.h"
#include "tools/irplan-run/tensors.h"

namespace irplan::run {

// Why --phase names none.
std::string no_such_phase(const Plan& plan, const std::string& name);

class Sizes {
 public:
  explicit Sizes(const Plan& plan) : plan_(plan), known_(plan.dims.size()) {}

  // --dim; a reason where a name is no dim, or a list is given to a dim that has one size.
  std::optional<std::string> give(const std::vector<NamedSizes>& dims);
  void fix(DimIndex dim, std::vector<int64_t> sizes) { known_[dim] = std::move(sizes); }
  bool known(DimIndex dim) const { return !known_[dim].empty(); }
  // The phase's dims of one size.
  void take_phase(const Plan::Phase& phase);
  // Solves extents for dims that are not known, and compares the others.
  std::optional<std::string> take_shape(const std::string& what, const Shape& declared,
                                        const std::vector<int64_t>& shape);
  // All dims, or which are missing.
  Result<StepBinding> binding() const;

 private:
  Binding so_far() const;
  std::optional<std::string> take_extent(const std::string& what, Expr declared, int64_t extent, bool* open);

  const Plan& plan_;
  std::vector<std::vector<int64_t>> known_;  // by dim: empty, one size, or one for each row
};

}  // namespace irplan::run
