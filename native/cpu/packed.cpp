// pack: a weight from rows to panels of 16 rows (ops/weight_layout.h), all panels in parallel.
#include <algorithm>

#include "cpu/kernels.h"
#include "cpu/lines.h"
#include "ops/weight_layout.h"

namespace irplan::cpu {
namespace {

constexpr int64_t kRows = kPanelRows;

// Calls pack_panel(p, rows): the panel's number and how many rows it has.
template <class PackPanel>
void each_panel(const PackCall& c, const PackPanel& pack_panel) {
  const int64_t n = c.x.shape[0], k = std::max<int64_t>(1, c.x.shape[1]);
  parallel((n + kRows - 1) / kRows, std::max<int64_t>(1, kLeastNumbers / (k * kRows)),
           [&](int64_t begin, int64_t end) {
             for (int64_t p = begin; p < end; ++p) pack_panel(p, std::min(kRows, n - p * kRows));
           });
}

template <class T>
void pack_columns(const PackCall& c) {
  const int64_t k = c.x.shape[1];
  const auto* rows = reinterpret_cast<const T*>(c.x.data);
  auto* to = reinterpret_cast<T*>(c.y.data);
  each_panel(c, [&](int64_t p, int64_t count) {
    T* panel = to + p * kRows * k;
    for (int64_t column = 0; column < k; ++column) {
      const T* from = rows + p * kRows * c.x.stride[0] + column * c.x.stride[1];
      for (int64_t r = 0; r < kRows; ++r)
        panel[column * kRows + r] = r < count ? from[r * c.x.stride[0]] : T{};
    }
  });
}

// The code of number i of a block (reference/blocks.h).
unsigned code_at(DType dtype, const std::byte* codes, int i) {
  const bool halves = dtype == DType::Q4_0;
  const auto pair = static_cast<unsigned>(codes[halves ? i % 16 : i / 2]);
  return (halves ? i >= 16 : i % 2 == 1) ? pair >> 4 : pair & 15;
}

void pack_blocks(const PackCall& c) {
  const DTypeInfo& block = info(c.x.dtype);
  const int64_t row_bytes = c.x.stride[0] / block.elements * block.bytes,
                blocks = c.x.shape[1] / block.elements;
  const int scale = c.x.dtype == DType::MXFP4 ? 1 : 2;  // bytes
  each_panel(c, [&](int64_t p, int64_t count) {
    std::byte* to = c.y.data + p * kRows * blocks * block.bytes;
    std::fill_n(to, kRows * blocks * block.bytes, std::byte{});
    for (int64_t b = 0; b < blocks; ++b, to += kRows * block.bytes) {
      for (int64_t r = 0; r < count; ++r) {
        const std::byte* from = c.x.data + (p * kRows + r) * row_bytes + b * block.bytes;
        std::copy_n(from, scale, to + r * scale);
        from += scale;
        std::byte* numbers = to + kRows * scale + r;
        if (c.x.dtype == DType::Q8_0) {
          for (int i = 0; i < block.elements; ++i) numbers[i * kRows] = from[i];
        } else {
          for (int i = 0; i < block.elements; i += 2)
            numbers[i / 2 * kRows] =
                static_cast<std::byte>(code_at(c.x.dtype, from, i) | code_at(c.x.dtype, from, i + 1) << 4);
        }
      }
    }
  });
}

}  // namespace

void pack(const PackCall& c) {
  if (c.y.count() == 0) return;
  if (is_block(c.y.dtype)) return pack_blocks(c);
  if (info(c.y.dtype).bytes == 4) return pack_columns<uint32_t>(c);
  if (info(c.y.dtype).bytes == 2) return pack_columns<uint16_t>(c);
  pack_columns<uint8_t>(c);
}

}  // namespace irplan::cpu
