// How the numbers of a weight lie in memory where they do not lie row by row: an order that one kernel reads
// faster, made once when weights load, by the op `pack`.
//
//     panels16, a weight [N, K]: panels of 16 rows; in a panel the 16 numbers of a column lie side by side.
//     The last panel is filled up with zeros.
//
//         panel 0   w[0,0] w[1,0] … w[15,0]   w[0,1] w[1,1] … w[15,1]   …   w[15,K-1]
//         panel 1   w[16,0] …
//
// Shape, dtype and meaning of the value stay as they are: only the kernels that ask for the layout read it.
// Its bytes are never fewer than those of the rows, so that a runner without such kernels may keep the rows
// there instead.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "dims/expr.h"
#include "irplan/dtype.h"

namespace irplan {

struct TensorType;

struct WeightLayout {
  const char* name;  // as a plan has it
  const char* doc;
  bool (*holds)(const TensorType&);         // which weights can lie so
  Expr (*bytes)(Dims&, const TensorType&);  // of one that can
};

std::span<const WeightLayout> weight_layouts();
const WeightLayout* find_weight_layout(std::string_view name);  // null where none is called so

constexpr int64_t kPanelRows = 16;

}  // namespace irplan
