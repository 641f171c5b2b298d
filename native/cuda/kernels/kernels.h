// The kernels as host code calls them: one function an operator, with tensors and numbers alone. Each
// enqueues its kernel and gives 0, or the device's error code. Tables (`at`, rows of ragged sequences) are
// arrays on the device.
#pragma once

#include "cuda/tensor.h"

namespace irplan::IRPLAN_GPU {

using Stream = void*;  // a cudaStream_t

// Launches nothing of worth; the error tells whether the device can run the kernels of this build.
int probe();

// ---- elements
enum class Unary : int32_t {
  Silu,
  Gelu,
  GeluTanh,
  Sigmoid,
  Relu,
  Tanh,
  Exp,
  Sqrt,
  Neg,
  Softcap,
  Clamp,
  Cast
};
struct UnaryCall {
  Tensor x, y;
  Unary function;
  bool has_lo = false, has_hi = false;
  float cap = 1, lo = 0, hi = 0;   // of floats
  int64_t int_lo = 0, int_hi = 0;  // of integers
};
int unary(Stream, const UnaryCall&);

enum class Binary : int32_t { Add, Sub, Mul, Div };
struct BinaryCall {
  Tensor a, b,
      y;  // b absent: `number` stands for it; a and b have y's shape, with stride 0 where they broadcast
  Binary function;
  bool number_first = false;
  float number = 0;
  int64_t int_number = 0;
};
int binary(Stream, const BinaryCall&);

struct GatedCall {
  Tensor g, u, y;
  bool gelu = false;  // gelu_tanh(g) * u, else silu(g) * u
};
int gated(Stream, const GatedCall&);

// y's elements are x's in row-major order; the shapes may differ, the element counts not. Integers and floats
// convert.
int copy(Stream, const Tensor& x, const Tensor& y);
// The same for rows of a state in a block dtype: each block of y is made of its numbers.
int quantise(Stream, const Tensor& x, const Tensor& y);

struct ScaledWeight {
  Tensor w, scale;  // scale absent: none
  int64_t block_rows = 128, block_columns = 128;
};
int dequant(Stream, const ScaledWeight&, const Tensor& y);

// ---- rows
struct NormCall {
  Tensor x, w, b, y;
  Tensor addend, sum;  // present: x + addend is stored in sum, and that is normalised
  float eps = 0, offset = 0;
  bool centred = false;  // layernorm
};
int norm(Stream, const NormCall&);

struct RopeCall {
  Tensor x, y;
  const float* g = nullptr;     // half of the turned elements
  const int32_t* at = nullptr;  // of each sequence
  int32_t half = 0;
  float m = 1;
  bool interleave = false;
};
int rope(Stream, const RopeCall&);

int softmax(Stream, const Tensor& x, const Tensor& y, int axis);
enum class Reduce : int32_t { Sum, Max, Argmax };
int reduce(Stream, Reduce, const Tensor& x, const Tensor& y, int axis);  // y has x's axes, with 1 on the axis
int topk(Stream, const Tensor& x, const Tensor& values, const Tensor& ids);

struct RouteCall {
  Tensor logits, bias, weights, experts;
  int32_t score = 0;  // 0 softmax, 1 topk_softmax, 2 sigmoid
  int32_t groups = 0, group_k = 0;
  bool norm = false;
  float scale = 1;
};
int route(Stream, const RouteCall&);

// ---- sequences
struct EmbedCall {
  Tensor ids, w, y;
  DataFault* fault = nullptr;
  int32_t op = 0;
};
int embed(Stream, const EmbedCall&);
int positions(Stream, const Tensor& y, const int32_t* at);

struct AppendCall {
  Tensor state, x;
  const int32_t* at = nullptr;     // of each sequence
  const int32_t* fresh = nullptr;  // rows of x that each sequence has
  bool ring = false;
};
int append(Stream, const AppendCall&);

// Rows of sequence b that a query may see; `first` of a ring is the position of its oldest row.
struct AttentionCall {
  Tensor q, k, v, sinks, y;
  const int32_t* steps = nullptr;      // queries of each sequence
  const int32_t* keys = nullptr;       // keys of each sequence
  const int32_t* reach = nullptr;      // the window of each sequence
  const int32_t* key_first = nullptr;  // null: k is no ring
  const int32_t* value_first = nullptr;
  int64_t key_rows = 1, value_rows = 1;  // of the rings
  float scale = 1, softcap = 0;
  bool causal = true;
  // Version 2: the keys of a query in kAttentionRuns runs. For each query, head and run a maximum, a sum and
  // the weighted values; null: one run, and nothing stored.
  float* partial = nullptr;
};
constexpr int kAttentionRuns = 16;  // as the scratch of cuda_attention_v2 (core/src/kernels/cuda.cpp) has it
int attention(Stream, const AttentionCall&);

// ---- products
struct LinearCall {
  Tensor x, bias, y;
  ScaledWeight weight;
};
int linear(Stream, const LinearCall&);

struct MatmulCall {
  Tensor a, b, y;  // a and b have y's batch axes, with stride 0 where they broadcast
};
int matmul(Stream, const MatmulCall&);

struct ExpertCall {
  Tensor x, e, bias, y;
  ScaledWeight weight;
  bool shared_rows = false;  // the choices of a token read one row of x
  DataFault* fault = nullptr;
  int32_t op = 0;
};
int expert(Stream, const ExpertCall&);

}  // namespace irplan::IRPLAN_GPU
