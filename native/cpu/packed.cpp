// pack: a weight from rows to panels of 16 rows (ops/weight_layout.h), all panels in parallel.
#include <algorithm>

#include "cpu/kernels.h"
#include "cpu/lines.h"
#include "ops/weight_layout.h"

namespace irplan::cpu {
namespace {

template <class T>
void pack_panels(const PackCall& c) {
  const int64_t n = c.x.shape[0], k = c.x.shape[1], panels = (n + kPanelRows - 1) / kPanelRows;
  const auto* rows = reinterpret_cast<const T*>(c.x.data);
  auto* to = reinterpret_cast<T*>(c.y.data);
  parallel(panels, std::max<int64_t>(1, kLeastNumbers / (k * kPanelRows)), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      T* panel = to + p * kPanelRows * k;
      const int64_t count = std::min(kPanelRows, n - p * kPanelRows);
      for (int64_t column = 0; column < k; ++column) {
        const T* from = rows + p * kPanelRows * c.x.stride[0] + column * c.x.stride[1];
        for (int64_t r = 0; r < kPanelRows; ++r)
          panel[column * kPanelRows + r] = r < count ? from[r * c.x.stride[0]] : T{};
      }
    }
  });
}

}  // namespace

void pack(const PackCall& c) {
  if (c.y.count() == 0) return;
  if (info(c.y.dtype).bytes == 4) return pack_panels<uint32_t>(c);
  pack_panels<uint16_t>(c);
}

}  // namespace irplan::cpu
