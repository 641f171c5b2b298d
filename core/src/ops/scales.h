// Weights with one scale a block of [block₀, block₁] elements, as checkpoints in f8 are published.
#pragma once

#include <vector>

#include "ops/op.h"

namespace irplan {

// Shape rule: operand `scale` has an entry for each block of operand `w`'s last two axes.
bool scale_fits(OpCall& call, size_t scale, size_t w);
// The weight with every block multiplied by its scale; empty where the call has no scale.
std::vector<float> scaled_weight(const HostCall& call, size_t w, size_t scale);

// Sum of products, accumulated in double: closer to the exact value than any order of f32 additions.
double dot(const float* a, const float* b, int64_t n);

}  // namespace irplan
