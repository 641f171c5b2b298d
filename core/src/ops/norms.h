// One row's normalisation, shared by the norms and the fusions that contain one.
#pragma once

#include <cstdint>

namespace irplan {

// `y` may be `x`; absent weights are null.
void rms_normalise(const float* x, const float* w, int64_t width, double eps, double offset, float* y);
void layer_normalise(const float* x, const float* w, const float* b, int64_t width, double eps, float* y);

}  // namespace irplan
