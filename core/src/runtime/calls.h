// The calls of kernels: one kind an operator or a family of them, with tensors and numbers alone; every
// attribute of the plan is decoded here, once for all backends (schedule.h makes them). C++17, for device
// code.
//
// `each` names the fields in their order: what is resolved before a launch, compared, and printed goes by it.
#pragma once

#include "runtime/tensor.h"

namespace irplan {

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
  Unary function = Unary::Silu;
  bool has_lo = false, has_hi = false;
  float cap = 1, lo = 0, hi = 0;   // of floats
  int64_t int_lo = 0, int_hi = 0;  // of integers
  template <class F>
  void each(F&& f) {
    f("x", x), f("y", y), f("function", function), f("has_lo", has_lo), f("has_hi", has_hi), f("cap", cap);
    f("lo", lo), f("hi", hi), f("int_lo", int_lo), f("int_hi", int_hi);
  }
};

enum class Binary : int32_t { Add, Sub, Mul, Div };
struct BinaryCall {
  Tensor a, b,
      y;  // b absent: `number` stands for it; a and b have y's shape, with stride 0 where they broadcast
  Binary function = Binary::Add;
  bool number_first = false;
  float number = 0;
  int64_t int_number = 0;
  template <class F>
  void each(F&& f) {
    f("a", a), f("b", b), f("y", y), f("function", function), f("number_first", number_first);
    f("number", number), f("int_number", int_number);
  }
};

struct GatedCall {
  Tensor g, u, y;
  bool gelu = false;  // gelu_tanh(g) * u, else silu(g) * u; the gate rounded to y's dtype
  template <class F>
  void each(F&& f) {
    f("g", g), f("u", u), f("y", y), f("gelu", gelu);
  }
};

// y's elements are x's in row-major order; the shapes may differ, the element counts not. Integers and floats
// convert. With `blocks` each block of y is made of its numbers.
struct CopyCall {
  Tensor x, y;
  bool blocks = false;
  template <class F>
  void each(F&& f) {
    f("x", x), f("y", y), f("blocks", blocks);
  }
};

// A weight [N, K] in panels of 16 rows (ops/weight_layout.h).
struct PackCall {
  Tensor x, y;
  template <class F>
  void each(F&& f) {
    f("x", x), f("y", y);
  }
};

struct ScaledWeight {
  Tensor w, scale;  // scale absent: none
  int64_t block_rows = 128, block_columns = 128;
};

struct DequantCall {
  ScaledWeight weight;
  Tensor y;
  template <class F>
  void each(F&& f) {
    f("w", weight.w), f("scale", weight.scale), f("block_rows", weight.block_rows);
    f("block_columns", weight.block_columns), f("y", y);
  }
};

// ---- rows
struct NormCall {
  Tensor x, w, b, y;
  Tensor addend, sum;  // present: x + addend is stored in sum, and that is normalised
  float eps = 0, offset = 0;
  bool centred = false;  // layernorm
  template <class F>
  void each(F&& f) {
    f("x", x), f("w", w), f("b", b), f("y", y), f("addend", addend), f("sum", sum), f("eps", eps);
    f("offset", offset), f("centred", centred);
  }
};

struct RopeCall {
  Tensor x, y;
  Tensor g;  // half of the turned elements, f32: frequencies
  Table at;
  int32_t half = 0;
  float m = 1;
  bool interleave = false;
  template <class F>
  void each(F&& f) {
    f("x", x), f("y", y), f("g", g), f("at", at), f("half", half), f("m", m), f("interleave", interleave);
  }
};

struct SoftmaxCall {
  Tensor x, y;
  int32_t axis = 0;
  template <class F>
  void each(F&& f) {
    f("x", x), f("y", y), f("axis", axis);
  }
};

enum class Reduce : int32_t { Sum, Max, Argmax };
struct ReduceCall {
  Tensor x, y;  // y has x's axes, with 1 on the axis
  Reduce what = Reduce::Sum;
  int32_t axis = 0;
  Scratch parts;  // of a version that takes a line in parts: the best of each
  template <class F>
  void each(F&& f) {
    f("x", x), f("y", y), f("what", what), f("axis", axis), f("parts", parts);
  }
};
constexpr int kLineParts = 64;  // as the scratch of cuda_argmax_v2 (core/src/kernels/cuda.cpp) has it

struct TopkCall {
  Tensor x, values, ids;
  template <class F>
  void each(F&& f) {
    f("x", x), f("values", values), f("ids", ids);
  }
};

struct RouteCall {
  Tensor logits, bias, weights, experts;
  int32_t score = 0;  // 0 softmax, 1 topk_softmax, 2 sigmoid
  int32_t groups = 0, group_k = 0;
  bool norm = false;
  float scale = 1;
  template <class F>
  void each(F&& f) {
    f("logits", logits), f("bias", bias), f("weights", weights), f("experts", experts), f("score", score);
    f("groups", groups), f("group_k", group_k), f("norm", norm), f("scale", scale);
  }
};

// ---- sequences
struct EmbedCall {
  Tensor ids, w, y;
  DataFault* fault = nullptr;
  int32_t op = 0;
  template <class F>
  void each(F&& f) {
    f("ids", ids), f("w", w), f("y", y), f("fault", fault), f("op", op);
  }
};

struct PositionsCall {
  Tensor y;
  Table at;
  template <class F>
  void each(F&& f) {
    f("y", y), f("at", at);
  }
};

struct AppendCall {
  Tensor state, x;
  Table slots;  // row of the state's axis 0, of each sequence
  Table at;     // position of the first row of each sequence
  Table fresh;  // rows of x that each sequence has
  bool ring = false;
  template <class F>
  void each(F&& f) {
    f("state", state), f("x", x), f("slots", slots), f("at", at), f("fresh", fresh), f("ring", ring);
  }
};

// Rows of sequence b that a query may see; `first` of a ring is the position of its oldest row. Axis 1 of k
// and v is what can be held; how much is, `keys` says.
struct AttentionCall {
  Tensor q, k, v, sinks, y;
  Table key_slots;                       // row of k's axis 0, of each sequence; absent: k is no state
  Table value_slots;                     // likewise
  Table steps;                           // queries of each sequence
  Table keys;                            // keys of each sequence
  Table reach;                           // the window of each sequence
  Table key_first;                       // absent: k is no ring
  Table value_first;                     // likewise
  int64_t key_rows = 1, value_rows = 1;  // of the rings
  float scale = 1, softcap = 0;
  bool causal = true;
  // cuda_attention_v2: for each query, head and run of keys a maximum, a sum and the weighted values.
  Scratch partial;
  template <class F>
  void each(F&& f) {
    f("q", q), f("k", k), f("v", v), f("sinks", sinks), f("y", y), f("key_slots", key_slots),
        f("value_slots", value_slots), f("steps", steps), f("keys", keys);
    f("reach", reach), f("key_first", key_first), f("value_first", value_first), f("key_rows", key_rows);
    f("value_rows", value_rows), f("scale", scale), f("softcap", softcap), f("causal", causal);
    f("partial", partial);
  }
};
constexpr int kAttentionRuns = 16;  // as the scratch of cuda_attention_v2 (core/src/kernels/cuda.cpp) has it

// ---- products
struct LinearCall {
  Tensor x, bias, y;
  ScaledWeight weight;
  bool whole = false;  // x is made whole numbers first, by blocks of 32 (ops/whole_rows.h)
  template <class F>
  void each(F&& f) {
    f("x", x), f("w", weight.w), f("bias", bias), f("scale", weight.scale);
    f("block_rows", weight.block_rows), f("block_columns", weight.block_columns), f("y", y);
    f("whole", whole);
  }
};

struct MatmulCall {
  Tensor a, b, y;  // a and b have y's batch axes, with stride 0 where they broadcast
  template <class F>
  void each(F&& f) {
    f("a", a), f("b", b), f("y", y);
  }
};

struct ExpertCall {
  Tensor x, e, bias, y;
  ScaledWeight weight;
  bool shared_rows = false;  // the choices of a token read one row of x
  DataFault* fault = nullptr;
  int32_t op = 0;
  template <class F>
  void each(F&& f) {
    f("x", x), f("w", weight.w), f("e", e), f("bias", bias), f("scale", weight.scale);
    f("block_rows", weight.block_rows), f("block_columns", weight.block_columns), f("y", y);
    f("shared_rows", shared_rows), f("fault", fault), f("op", op);
  }
};

}  // namespace irplan
