// Numbers of a stored tensor as elements of a dtype: what cannot be one is found, and what rounding costs is
// measured. On all threads.
#pragma once

#include <cstdint>

#include "irplan/dtype.h"
#include "runtime/stored.h"

namespace irplan {

// The first of elements [begin, begin + count) that is NaN or infinite, counted from `begin`, or -1. Looks at
// the bits, so that it costs one pass over the bytes.
int64_t first_not_finite(const StoredTensor& tensor, int64_t begin, int64_t count);

struct Conversion {
  int64_t beyond = -1;  // the first element that the dtype cannot hold, counted from `begin`
  double square = 0;    // of the numbers, summed, where the dtype is one of eight bits or less
  double lost = 0;      // of what rounding changed in them
};
bool is_measured(DType dtype);
// Floats [begin, begin + count) in the dtype, a float one; whole blocks of a block dtype.
Conversion convert(const StoredTensor& tensor, int64_t begin, int64_t count, DType dtype, std::byte* out);
// The same for numbers at hand, which the dtype holds.
void store_floats(DType dtype, const float* values, int64_t count, std::byte* out);
// The first of integers [begin, begin + count) that the dtype cannot hold, or -1.
int64_t convert_integers(const StoredTensor& tensor, int64_t begin, int64_t count, DType dtype,
                         std::byte* out);

}  // namespace irplan
