#include "ir/graph.h"

namespace irplan {

Ranges Graph::ranges(uint32_t phase) const {
  Ranges out(dims->dim_count());
  for (const Dim& dim : dim_list) out[dim.index] = dim.range;
  if (phase < phases.size()) {
    for (const PhaseDim& dim : phases[phase].dims) out[dim.dim] = dim.range;
  }
  return out;
}

Binding Graph::values_at(uint32_t phase) const {
  Binding out(dims->dim_count());
  for (const Dim& dim : dim_list) out[dim.index] = dim.value;
  if (phase < phases.size()) {
    for (const PhaseDim& dim : phases[phase].dims) out[dim.dim] = dim.value;
  }
  return out;
}

std::string Graph::name_in(const Budget& budget, const std::string& dim) const {
  return budget.phase == kNoPhase ? dim : phases[budget.phase].name + "." + dim;
}

}  // namespace irplan
