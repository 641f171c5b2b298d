// Arrays in numpy's .npy files (versions 1 to 3, little-endian, C order).
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "irplan/result.h"
#include "runtime/stored.h"

namespace irplan {

// None with the reason: what is cut, junk, of a type or order that is not read. The bytes stay where they are
// as long as the array is used.
Result<StoredTensor> read_npy(std::span<const std::byte> file);

// The bytes of a file that holds the array: of f16 as f2, of every other float as f4, of integers as they
// are.
std::string npy_bytes(const HostArray& array, DType dtype);

}  // namespace irplan
