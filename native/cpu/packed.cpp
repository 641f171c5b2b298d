// Weights in panels of 16 rows (ops/weight_layout.h): made from rows, and multiplied where they lie.
#include <algorithm>
#include <cstring>

#include "cpu/call.h"
#include "cpu/simd.h"
#include "ops/weight_layout.h"
#include "runtime/threads.h"

namespace irplan::cpu {
namespace {

constexpr int64_t kLeastWork = 1 << 15;  // multiplications that are worth another thread

template <class T>
void pack_panel(const T* rows, int64_t count, int64_t k, T* panel) {
  for (int64_t c = 0; c < k; ++c) {
    for (int64_t r = 0; r < kPanelRows; ++r) panel[c * kPanelRows + r] = r < count ? rows[r * k + c] : T{};
  }
}

template <class T>
void pack_panels(const std::byte* from, int64_t n, int64_t k, std::byte* to) {
  const int64_t panels = (n + kPanelRows - 1) / kPanelRows;
  parallel(panels, std::max<int64_t>(1, kLeastWork / (k * kPanelRows)), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      pack_panel(reinterpret_cast<const T*>(from) + p * kPanelRows * k, std::min(kPanelRows, n - p * kPanelRows),
                 k, reinterpret_cast<T*>(to) + p * kPanelRows * k);
    }
  });
}

}  // namespace

bool pack(Call& call) {
  const auto to = call.packed_result();
  if (!to || to->shape.size() != 2) return false;
  const int64_t n = to->shape[0], k = to->shape[1], bytes = info(to->dtype).bytes;
  auto from = call.weight(0);
  std::vector<std::byte> rows;
  if (!from) {  // a window on another weight: gathered first
    const auto array = call.array(0);
    if (!array) return true;
    rows.resize(static_cast<size_t>(n * k * bytes));
    for (int64_t i = 0; i < n * k; ++i)
      store_float(to->dtype, rows.data(), i, array->f[static_cast<size_t>(i)]);
    from = *to;
    from->data = rows.data();
  }
  if (n * k == 0) return true;
  auto* panels = const_cast<std::byte*>(to->data);
  if (bytes == 4)
    pack_panels<uint32_t>(from->data, n, k, panels);
  else
    pack_panels<uint16_t>(from->data, n, k, panels);
  return true;
}

bool linear_packed(Call& call) {
  const auto w = call.weight(1);
  const auto x = call.array(0);
  const auto bias = call.has(2) ? call.array(2) : HostArray();
  auto y = call.result();
  if (!w || !x || !bias || !y) return true;
  const int64_t n = w->shape[0], k = w->shape[1], rows = k ? x->count() / k : 0;
  const int64_t panels = (n + kPanelRows - 1) / kPanelRows, size = kPanelRows * k * info(w->dtype).bytes;
  const int64_t each = std::max<int64_t>(1, rows * k * kPanelRows);
  parallel(panels, std::max<int64_t>(1, kLeastWork / each), [&](int64_t begin, int64_t end) {
    float sums[kPanelTile * kPanelRows];
    const float* lines[kPanelTile];
    for (int64_t p = begin; p < end; ++p) {
      const int64_t first = p * kPanelRows, outputs = std::min(kPanelRows, n - first);
      for (int64_t r = 0; r < rows; r += kPanelTile) {
        const auto count = static_cast<int>(std::min<int64_t>(kPanelTile, rows - r));
        for (int i = 0; i < count; ++i) lines[i] = x->f.data() + (r + i) * k;
        simd().panel(lines, count, w->dtype, w->data + p * size, k, sums);
        for (int i = 0; i < count; ++i) {
          for (int64_t c = 0; c < outputs; ++c) {
            y->f[static_cast<size_t>((r + i) * n + first + c)] =
                sums[i * kPanelRows + c] + (bias->f.empty() ? 0.0f : bias->f[static_cast<size_t>(first + c)]);
          }
        }
      }
    }
  });
  call.store(*y);
  return true;
}

}  // namespace irplan::cpu
