#include "ops/weight_layout.h"

#include "ops/op.h"

namespace irplan {
namespace {

bool panels_hold(const TensorType& type) {
  return type.shape.size() == 2 && !is_block(type.dtype) && type.shape[0].is_constant() &&
         type.shape[1].is_constant();
}

Expr panel_bytes(Dims& dims, const TensorType& type) {
  return dims.align(type.shape[0], kPanelRows) * type.shape[1] * info(type.dtype).bytes;
}

constexpr WeightLayout kLayouts[] = {
    {"panels16", "panels of 16 rows, column by column; the last one filled up with zeros", panels_hold,
     panel_bytes},
};

}  // namespace

std::span<const WeightLayout> weight_layouts() { return kLayouts; }

const WeightLayout* find_weight_layout(std::string_view name) {
  for (const WeightLayout& layout : kLayouts) {
    if (name == layout.name) return &layout;
  }
  return nullptr;
}

}  // namespace irplan
