// The loops that a processor's vector units speed up, once for each instruction set that this build has
// (native/cpu/isa), chosen on the machine that runs them.
//
// A result of a loop that takes many rows is, row by row, the same bytes as of that row alone: each output is
// added up in one order along K, whatever else is computed beside it. So logits depend neither on threads nor
// on the other rows of a batch nor on chunks. Between two sets the last bits may differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "irplan/dtype.h"
#include "irplan/result.h"

namespace irplan::cpu {

constexpr int kTile = 4;            // rows of each operand that `tile` multiplies at once
constexpr int kPanel = 16;          // outputs of a panel (ops/weight_layout.h)
constexpr int kMostFewRows = 4;     // rows of x that `few` multiplies at once
constexpr int kMostFewPanels = 4;   // panels that it reads side by side
constexpr int kPlainColumns = 256;  // columns of a panel that are added up before they join the sum

struct Simd {
  const char* name;   // as --isa takes it
  const char* title;  // for people
  bool (*here)();     // whether this machine has it

  // Σ a[i] b[i]
  float (*dot)(const float* a, const float* b, int64_t n);
  // out[r * out_step + c] = Σ x[r][i] w[c][i] for up to kTile rows of x, each sum as `dot` has it.
  void (*tile)(const float* const* x, int rows, const float* const* w, int64_t n, float* out,
               int64_t out_step);
  // z[i] *= factor; returns the largest of them and `most`, NaN left out.
  float (*scale_scores)(float* z, int64_t n, float factor, float most);
  // y[r * y_step + i] += Σ_j a[r * a_step + j] x[j][i], j in order
  void (*weigh)(const float* a, int64_t a_step, int rows, const float* const* x, int64_t count, int64_t n,
                float* y, int64_t y_step);
  // y[i] += a x[i]
  void (*axpy)(float* y, float a, const float* x, int64_t n);
  // z[i] = e^(z[i] - most); returns their sum, added up in order
  float (*exponentials)(float* z, int64_t n, float most);
  // y[i] = silu(x[i]), or gelu_tanh(x[i])
  void (*gate)(bool gelu, const float* x, int64_t n, float* y);

  // `n` numbers of a line, of any float dtype, as f32, and back to f16 or bf16. Lines of blocks are whole.
  void (*widen)(DType dtype, const std::byte* from, int64_t n, float* to);
  void (*narrow)(DType dtype, const float* from, int64_t n, std::byte* to);

  // ---- panels of 16 rows: sums over columns_together(dtype) columns, each of blocks times its block's
  // scale,
  // ---- join the total in their order.
  // out[(r * panels + p) * 16 + c] = Σ x[r][i] w[p][i][c], read where it lies.
  void (*few)(const float* const* x, int rows, DType dtype, const std::byte* w, int64_t panel_bytes,
              int panels, int64_t n, float* out);
  // Columns of a panel as f32, w[i * 16 + c]; of blocks the whole numbers, and each block's 16 scales.
  void (*widen_panel)(DType dtype, const std::byte* w, int64_t n, float* to, float* scales);
  // sums[r * 16 + c] += the same sums. Rows of x are interleaved, x[i * block_rows + r]. `scales` null: none.
  int block_rows;  // at most
  void (*block)(const float* x, int rows, const float* w, int64_t n, int together, const float* scales,
                float* sums);

  // ---- the same of block dtypes by x in whole numbers: of 32 columns an exact sum, times both scales.
  // Rows of x by blocks of 32 as q8_0 has them: whole numbers, and scales that f16 holds.
  void (*quantise)(const float* x, int64_t n, int16_t* to, float* scales);
  void (*few_whole)(const int16_t* const* x, const float* const* x_scales, int rows, DType dtype,
                    const std::byte* w, int64_t panel_bytes, int panels, int64_t n, float* out);
  // Pairs of columns, w[i / 2][16][2].
  void (*widen_whole)(DType dtype, const std::byte* w, int64_t n, int16_t* to, float* scales);
  // Rows of x are interleaved: pairs of columns, x[i / 2][whole_rows][2], and x_scales[i / 32][whole_rows].
  int whole_rows;  // at most
  void (*block_whole)(const int16_t* x, const float* x_scales, int rows, const int16_t* w, int64_t n,
                      int together, const float* scales, float* sums);
};
constexpr int kWholeColumns = 32;  // of x, a block

// Columns of a panel that are added up together before they join the sum: a block.
constexpr int columns_together(DType dtype) {
  switch (dtype) {
    case DType::Q8_0:
    case DType::Q4_0:
    case DType::MXFP4: return 32;
    case DType::I4G128: return 128;
    default: return kPlainColumns;
  }
}

// The one that is chosen: the widest that this machine has, unless `choose_isa` said another.
const Simd& simd();
// Fails where no set is called so, or this machine or build lacks it, and says which there are.
Failure choose_isa(std::string_view name);
// All that this machine has, portable first.
std::vector<const Simd*> all_simd();

}  // namespace irplan::cpu
