// Block dtypes: how the bytes of one block hold its numbers. All numbers are little-endian, blocks lie along
// the last axis.
//
//     q8_0     32 numbers in 34 bytes   f16 d, then 32 x int8 q                       value = d * q
//     q4_0     32 numbers in 18 bytes   f16 d, then 16 bytes; byte j holds            value = d * (q - 8)
//                                       number j low and number j + 16 high
//     i4g128  128 numbers in 66 bytes   f16 d, then 64 bytes; byte j holds            value = d * (q - 8)
//                                       number 2j low and number 2j + 1 high
//     mxfp4    32 numbers in 17 bytes   e8m0 s, then 16 bytes; byte j holds           value = 2^(s - 127) *
//     e2m1(q)
//                                       number 2j low and number 2j + 1 high          (OCP microscaling)
//
// e2m1 is a sign bit and the magnitudes 0, 0.5, 1, 1.5, 2, 3, 4, 6.
#pragma once

#include <cstddef>
#include <cstdint>

#include "irplan/dtype.h"

namespace irplan {

// Number i of the block at `block`.
float block_value(DType dtype, const std::byte* block, int i);

// Makes one block of its numbers. q8_0: d is f16(max|x| / 127). q4_0 and i4g128: d is f16(x / -8) of the x of
// largest magnitude, so that it is met by q = 0. mxfp4: s is the exponent of max|x| less 2. Then each q is
// the nearest, ties to even.
void quantise_block(DType dtype, const float* values, std::byte* block);

}  // namespace irplan
