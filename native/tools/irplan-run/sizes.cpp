#include "tools/irplan-run/sizes.h"

#include <algorithm>

#include "runtime/inputs.h"

namespace irplan::run {
namespace {

int64_t largest(const std::vector<int64_t>& sizes) { return *std::max_element(sizes.begin(), sizes.end()); }

// a and k of `a*dim + k`; none where the expression is no such line.
struct Line {
  int64_t slope = 0, constant = 0;
};
std::optional<Line> as_line(Expr e, DimIndex dim) {
  Line line;
  for (const Term& term : e.node().terms) {
    const auto& factors = term.monomial->factors;
    if (factors.empty()) {
      line.constant = term.coefficient;
    } else if (factors.size() == 1 && factors[0]->dim == dim) {
      line.slope = term.coefficient;
    } else {
      return std::nullopt;
    }
  }
  if (line.slope == 0) return std::nullopt;
  return line;
}

}  // namespace

std::string no_such_phase(const Plan& plan, const std::string& name) {
  std::vector<std::string> names;
  std::string all;
  for (const Plan::Phase& phase : plan.phases) {
    names.push_back(phase.name);
    all += (all.empty() ? "" : ", ") + phase.name;
  }
  return "--phase " + name + ": the plan has no such phase; it has " + all +
         command::did_you_mean(name, names);
}

std::optional<std::string> Sizes::give(const std::vector<NamedSizes>& dims) {
  for (const NamedSizes& given : dims) {
    const auto dim = std::find_if(plan_.dims.begin(), plan_.dims.end(),
                                  [&](const Plan::Dim& d) { return d.name == given.name; });
    if (dim == plan_.dims.end()) {
      std::vector<std::string> names;
      for (const Plan::Dim& d : plan_.dims) names.push_back(d.name);
      return "--dim " + given.name + ": the plan has no such dim" + command::did_you_mean(given.name, names);
    }
    if (given.sizes.size() > 1 && dim->per.empty())
      return "--dim " + given.name + ": has one size, not " + std::to_string(given.sizes.size());
    for (const int64_t n : given.sizes) {
      if (n >= dim->min && (!dim->max || n <= *dim->max)) continue;
      return "dim " + dim->name + " = " + std::to_string(n) + " is outside of its range " +
             std::to_string(dim->min) + ".." + (dim->max ? std::to_string(*dim->max) : "");
    }
    known_[static_cast<size_t>(dim - plan_.dims.begin())] = given.sizes;
  }
  return std::nullopt;
}

void Sizes::take_phase(const Plan::Phase& phase) {
  for (size_t d = 0; d < plan_.dims.size(); ++d) {
    const Plan::Dim& dim = plan_.dims[d];
    if (!known_[d].empty()) continue;
    if (dim.max && *dim.max == dim.min) known_[d] = {dim.min};
    for (const Plan::PhaseDim& own : phase.dims) {
      if (own.name == dim.name && own.max && *own.max == own.min) known_[d] = {own.min};
    }
  }
}

Binding Sizes::so_far() const {
  Binding binding(plan_.dims.size(), 0);
  for (size_t d = 0; d < known_.size(); ++d) {
    if (!known_[d].empty()) binding[d] = largest(known_[d]);
  }
  return binding;
}

std::optional<std::string> Sizes::take_extent(const std::string& what, Expr declared, int64_t extent,
                                              bool* open) {
  std::vector<DimIndex> unknown;
  for (const DimIndex dim : dims_of(declared)) {
    if (!known(dim)) unknown.push_back(dim);
  }
  if (unknown.size() > 1) return *open = true, std::nullopt;
  if (unknown.empty()) {
    const auto value = evaluate(declared, so_far());
    if (value == extent) return std::nullopt;
    std::string sizes;
    for (const DimIndex dim : dims_of(declared))
      sizes += (sizes.empty() ? ", where " : " and ") + plan_.dims[dim].name + " = " +
               std::to_string(largest(known_[dim]));
    return what + ": an axis of " + std::to_string(extent) + " stands for " + declared.text() + sizes;
  }
  const auto line = as_line(declared, unknown[0]);
  if (!line) return *open = true, std::nullopt;
  const int64_t rest = extent - line->constant;
  if (rest % line->slope != 0)
    return what + ": an axis of " + std::to_string(extent) + " is no " + declared.text() + " for any " +
           plan_.dims[unknown[0]].name;
  known_[unknown[0]] = {rest / line->slope};
  return std::nullopt;
}

std::optional<std::string> Sizes::take_shape(const std::string& what, const Shape& declared,
                                             const std::vector<int64_t>& shape) {
  // An extent of two unknown dims waits for another that tells one of them.
  bool open = true;
  for (size_t round = 0; open && round <= declared.size(); ++round) {
    open = false;
    for (size_t i = 0; i < declared.size(); ++i) {
      if (auto failure = take_extent(what, declared[i], shape[i], &open)) return failure;
    }
  }
  return std::nullopt;
}

Result<StepBinding> Sizes::binding() const {
  StepBinding out;
  out.dims = so_far();
  out.rows.resize(plan_.dims.size());
  std::string missing;
  for (size_t d = 0; d < known_.size(); ++d) {
    if (known_[d].empty()) missing += (missing.empty() ? "" : ", ") + plan_.dims[d].name;
  }
  if (!missing.empty()) {
    return Error{"no size is given for " + missing + ", and no input has it; give it with --dim NAME=N"};
  }
  for (size_t d = 0; d < known_.size(); ++d) {
    const std::string& per = plan_.dims[d].per;
    if (per.empty()) continue;
    const auto counted = plan_.pool->find(per);
    const int64_t rows = counted ? out.dims[*counted] : 1;
    const auto given = static_cast<int64_t>(known_[d].size());
    if (given != 1 && given != rows) {
      return Error{"--dim " + plan_.dims[d].name + " has " + std::to_string(given) + " sizes for the " +
                   std::to_string(rows) + " rows of " + per};
    }
    if (rows > kMostStepRows) return Error{per + " = " + std::to_string(rows) + " is more rows than are run"};
    out.rows[d] = given == 1 ? std::vector<int64_t>(static_cast<size_t>(rows), known_[d][0]) : known_[d];
  }
  return out;
}

}  // namespace irplan::run
