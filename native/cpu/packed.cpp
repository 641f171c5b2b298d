// A weight from rows to panels of 16 rows (ops/weight_layout.h), all panels in parallel; and a row back.
#include <algorithm>

#include "cpu/kernels.h"
#include "cpu/lines.h"
#include "cpu/packed_product.h"
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

// Where the code of number i of a block is (reference/blocks.h): the byte, and the bit at which it begins.
struct CodePlace {
  int byte, bit;
  CodePlace(DType dtype, int i)
      : byte(dtype == DType::Q4_0 ? i % 16 : i / 2),
        bit((dtype == DType::Q4_0 ? i >= 16 : i % 2 == 1) ? 4 : 0) {}
};
unsigned code_at(DType dtype, const std::byte* codes, int i) {
  const CodePlace place(dtype, i);
  return static_cast<unsigned>(codes[place.byte]) >> place.bit & 15;
}
void put_code(DType dtype, std::byte* codes, int i, unsigned code) {
  const CodePlace place(dtype, i);
  codes[place.byte] |= static_cast<std::byte>(code << place.bit);
}

int bytes_of_scale(DType dtype) { return dtype == DType::MXFP4 ? 1 : 2; }

void pack_blocks(const PackCall& c) {
  const DTypeInfo& block = info(c.x.dtype);
  const int64_t row_bytes = c.x.stride[0] / block.elements * block.bytes,
                blocks = c.x.shape[1] / block.elements;
  const int scale = bytes_of_scale(c.x.dtype);
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

// Row r of a panel's block as the row had it.
void unpack_block(DType dtype, const std::byte* panel, int64_t r, std::byte* to) {
  const DTypeInfo& block = info(dtype);
  const int scale = bytes_of_scale(dtype);
  const std::byte* numbers = panel + kRows * scale + r;
  std::fill_n(to, block.bytes, std::byte{});
  std::copy_n(panel + r * scale, scale, to);
  to += scale;
  if (dtype == DType::Q8_0) {
    for (int i = 0; i < block.elements; ++i) to[i] = numbers[i * kRows];
    return;
  }
  for (int i = 0; i < block.elements; i += 2) {
    const auto pair = static_cast<unsigned>(numbers[i / 2 * kRows]);
    put_code(dtype, to, i, pair & 15);
    put_code(dtype, to, i + 1, pair >> 4);
  }
}

}  // namespace

const float* panel_row(const Tensor& w, int64_t row, float* to) {
  const int64_t k = w.shape[1], panel = row / kRows, r = row % kRows;
  if (!is_block(w.dtype)) return load_line(w, panel * kRows * k + r, k, kRows, to);
  const DTypeInfo& block = info(w.dtype);
  std::byte own[128];
  for (int64_t b = 0; b < k / block.elements; ++b) {
    const int64_t at = panel * (k / block.elements) + b;
    unpack_block(w.dtype, w.data + at * kRows * block.bytes, r, own);
    simd().widen(w.dtype, own, block.elements, to + b * block.elements);
  }
  return to;
}

void pack(const PackCall& c) {
  if (c.y.count() == 0) return;
  if (is_block(c.y.dtype)) return pack_blocks(c);
  if (info(c.y.dtype).bytes == 4) return pack_columns<uint32_t>(c);
  if (info(c.y.dtype).bytes == 2) return pack_columns<uint16_t>(c);
  pack_columns<uint8_t>(c);
}

}  // namespace irplan::cpu
