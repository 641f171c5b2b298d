// Operators that look at one number at a time, and copies.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "cpu/kernels.h"
#include "cpu/lines.h"
#include "cpu/simd.h"
#include "ops/activations.h"

namespace irplan::cpu {
namespace {

float apply(const UnaryCall& c, float x) {
  switch (c.function) {
    case Unary::Silu: return silu_of(x);
    case Unary::Gelu: return gelu_of(x);
    case Unary::GeluTanh: return gelu_tanh_of(x);
    case Unary::Sigmoid: return sigmoid_of(x);
    case Unary::Relu: return x < 0 ? 0.0f : x;
    case Unary::Tanh: return std::tanh(x);
    case Unary::Exp: return std::exp(x);
    case Unary::Sqrt: return std::sqrt(x);
    case Unary::Neg: return -x;
    case Unary::Softcap: return c.cap * std::tanh(x / c.cap);
    case Unary::Clamp:
      if (c.has_lo && x < c.lo) x = c.lo;
      return c.has_hi && x > c.hi ? c.hi : x;
    case Unary::Cast: return x;
  }
  return x;
}

int64_t apply(const UnaryCall& c, int64_t x) {
  if (c.function == Unary::Neg) return static_cast<int64_t>(0 - static_cast<uint64_t>(x));
  if (c.function != Unary::Clamp) return x;
  if (c.has_lo && x < c.int_lo) x = c.int_lo;
  return c.has_hi && x > c.int_hi ? c.int_hi : x;
}

// Towards zero; what no 64 bits hold goes to their ends, NaN to zero.
int64_t to_integer(float x) {
  if (std::isnan(x)) return 0;
  if (x >= 9223372036854775808.0f) return INT64_MAX;
  if (x < -9223372036854775808.0f) return INT64_MIN;
  return static_cast<int64_t>(x);
}

// Where one side holds integers.
void unary_of_integers(const UnaryCall& c, int64_t line) {
  const int64_t from = line_at(c.x, line), to = line_at(c.y, line);
  for (int64_t i = 0; i < width_of(c.y); ++i) {
    const int64_t source = from + i * c.x.step(1), target = to + i * c.y.step(1);
    if (is_float(c.x.dtype)) {
      const float z = apply(c, load_float(c.x.dtype, c.x.data, source));
      store_int(c.y.dtype, c.y.data, target, c.y.dtype == DType::Bool ? z != 0 : to_integer(z));
    } else {
      const int64_t z = apply(c, load_int(c.x.dtype, c.x.data, source));
      if (is_float(c.y.dtype))
        store_float(c.y.dtype, c.y.data, target, static_cast<float>(z));
      else
        store_int(c.y.dtype, c.y.data, target, z);
    }
  }
}

float apply(Binary f, float a, float b) {
  return f == Binary::Add ? a + b : f == Binary::Sub ? a - b : f == Binary::Mul ? a * b : a / b;
}

// Integers wrap; a quotient is cut towards zero, and that by zero is zero.
int64_t apply(Binary f, int64_t a, int64_t b) {
  const auto x = static_cast<uint64_t>(a), z = static_cast<uint64_t>(b);
  switch (f) {
    case Binary::Add: return static_cast<int64_t>(x + z);
    case Binary::Sub: return static_cast<int64_t>(x - z);
    case Binary::Mul: return static_cast<int64_t>(x * z);
    case Binary::Div: return b == 0 ? 0 : b == -1 ? static_cast<int64_t>(0 - x) : a / b;
  }
  return 0;
}

}  // namespace

void unary(const UnaryCall& c) {
  const bool floats = is_float(c.x.dtype) && is_float(c.y.dtype);
  each_line(c.y, [&](int64_t line) {
    if (!floats) return unary_of_integers(c, line);
    const int64_t n = width_of(c.y);
    const float* x = load_line(c.x, line, room(Room::First, n));
    float* y = room(Room::Second, n);
    if (c.function == Unary::Silu || c.function == Unary::GeluTanh) {
      simd().gate(c.function == Unary::GeluTanh, x, n, y);
    } else {
      for (int64_t i = 0; i < n; ++i) y[i] = apply(c, x[i]);
    }
    store_line(c.y, line, y);
  });
}

void binary(const BinaryCall& c) {
  const int64_t n = width_of(c.y);
  each_line(c.y, [&](int64_t line) {
    if (is_float(c.a.dtype)) {
      const float* a = load_line(c.a, line, room(Room::First, n));
      const float* b = c.b.data ? load_line(c.b, line, room(Room::Second, n)) : nullptr;
      float* y = room(Room::Third, n);
      for (int64_t i = 0; i < n; ++i) {
        const float right = b ? b[i] : c.number;
        y[i] = c.number_first ? apply(c.function, right, a[i]) : apply(c.function, a[i], right);
      }
      return store_line(c.y, line, y);
    }
    const int64_t left = line_at(c.a, line), to = line_at(c.y, line),
                  right = c.b.data ? line_at(c.b, line) : 0;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t a = load_int(c.a.dtype, c.a.data, left + i * c.a.step(1));
      const int64_t b = c.b.data ? load_int(c.b.dtype, c.b.data, right + i * c.b.step(1)) : c.int_number;
      store_int(c.y.dtype, c.y.data, to + i * c.y.step(1),
                c.number_first ? apply(c.function, b, a) : apply(c.function, a, b));
    }
  });
}

// The nearest numbers of the dtype; `scratch` has room for as many.
static void round_line(DType dtype, float* numbers, int64_t n, float* scratch) {
  if (dtype == DType::F32) return;
  if (dtype == DType::F16 || dtype == DType::BF16) {
    auto* stored = reinterpret_cast<std::byte*>(scratch);
    simd().narrow(dtype, numbers, n, stored);
    simd().widen(dtype, stored, n, numbers);
    return;
  }
  for (int64_t i = 0; i < n; ++i) numbers[i] = rounded_to(dtype, numbers[i]);
}

void gated(const GatedCall& c) {
  const int64_t n = width_of(c.y);
  each_line(c.y, [&](int64_t line) {
    const float* g = load_line(c.g, line, room(Room::First, n));
    const float* u = load_line(c.u, line, room(Room::Second, n));
    float* y = room(Room::Third, n);
    simd().gate(c.gelu, g, n, y);
    round_line(c.y.dtype, y, n, room(Room::Fourth, n));
    for (int64_t i = 0; i < n; ++i) y[i] *= u[i];
    store_line(c.y, line, y);
  });
}

// In runs that are lines, or parts of lines, of both.
void copy(const CopyCall& c) {
  const int64_t count = c.y.count();
  if (count == 0) return;
  const int64_t run = std::gcd(std::max<int64_t>(1, width_of(c.x)), std::max<int64_t>(1, width_of(c.y)));
  const auto place = [](const Tensor& t, int64_t element) {
    return t.rank == 0 ? 0 : line_at(t, element / width_of(t)) + element % width_of(t) * t.step(1);
  };
  const bool floats = is_float(c.x.dtype) && is_float(c.y.dtype);
  parallel(count / run, std::max<int64_t>(1, kLeastNumbers / run), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = place(c.x, i * run), to = place(c.y, i * run);
      if (floats) {
        store_line(c.y, to, run, c.y.step(1), load_line(c.x, from, run, c.x.step(1), room(Room::First, run)));
        continue;
      }
      for (int64_t k = 0; k < run; ++k)
        store_int(c.y.dtype, c.y.data, to + k * c.y.step(1),
                  load_int(c.x.dtype, c.x.data, from + k * c.x.step(1)));
    }
  });
}

void dequant(const DequantCall& c) {
  const Tensor& w = c.weight.w;
  const int64_t n = width_of(w), rows = w.rank > 1 ? w.extent(2) : 1;
  each_line(c.y, [&](int64_t line) {
    const float* from = load_line(w, line, room(Room::First, n));
    if (!c.weight.scale.data) return store_line(c.y, line, from);
    const Tensor& scale = c.weight.scale;
    const int64_t scale_line = line / rows * scale.extent(2) + line % rows / c.weight.block_rows;
    const float* scales = load_line(scale, scale_line, room(Room::Second, width_of(scale)));
    float* y = room(Room::Third, n);
    for (int64_t i = 0; i < n; ++i) y[i] = from[i] * scales[i / c.weight.block_columns];
    store_line(c.y, line, y);
  });
}

}  // namespace irplan::cpu
