#include "ops/weight_layout.h"

#include "ops/op.h"

namespace irplan {
namespace {

bool panels_hold(const TensorType& type) {
  return type.shape.size() == 2 && !is_block(type.dtype) && type.shape[0].is_constant() &&
         type.shape[1].is_constant();
}

// panels16_blocks, a weight [N, K] of eight bits a number or less: panels of 16 rows, of blocks one after
// another; of a block the 16 scales, then its columns. Of q8_0 a column is 16 bytes; of codes of four bits
// two columns are 16 bytes, the first of them in the low halves. f8 has neither scales nor blocks.
//
//     panel 0   d[0,0] … d[15,0]   w[0,0] … w[15,0]  w[0,1] … w[15,31]   d[0,1] … d[15,1]   w[0,32] …
//     panel 1   d[16,0] …
bool block_panels_hold(const TensorType& type) {
  const DTypeInfo& dtype = info(type.dtype);
  return type.shape.size() == 2 && dtype.floats && (is_block(type.dtype) || dtype.bytes == 1) &&
         type.shape[0].is_constant() && type.shape[1].is_constant() &&
         type.shape[1].constant() % dtype.elements == 0;
}

Expr block_panel_bytes(Dims& dims, const TensorType& type) {
  const DTypeInfo& dtype = info(type.dtype);
  return dims.align(type.shape[0], kPanelRows) * (type.shape[1].constant() / dtype.elements * dtype.bytes);
}

Expr panel_bytes(Dims& dims, const TensorType& type) {
  return dims.align(type.shape[0], kPanelRows) * type.shape[1] * info(type.dtype).bytes;
}

constexpr WeightLayout kLayouts[] = {
    {"panels16", "panels of 16 rows, column by column; the last one filled up with zeros", panels_hold,
     panel_bytes},
    {"panels16_blocks",
     "panels of 16 rows, block by block: 16 scales, then the numbers column by column; the last panel filled "
     "up with zeros",
     block_panels_hold, block_panel_bytes},
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
