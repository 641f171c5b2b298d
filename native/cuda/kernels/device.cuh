// What every kernel file starts with: stored numbers, vectors of 16 bytes, sums over a warp and a block, and
// the launch.
#pragma once

#include <cstring>

#include "cuda/kernels/kernels.h"
#include "cuda/tensor.h"

#ifdef IRPLAN_SIMT
#include "cuda/simt.h"
#include "ops/float_formats.h"
#else
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <cuda_runtime.h>
#endif

#ifdef IRPLAN_SIMT
#define IRPLAN_SHARED(type, name) auto* name = reinterpret_cast<type*>(irplan::shim::place.shared)
#define IRPLAN_UNROLL
#define IRPLAN_UNROLL_BY(n)
// First of all in a kernel, with the threads of its __launch_bounds__: a device refuses a launch of more.
#define IRPLAN_BLOCK(most) \
  if (!irplan::shim::Machine::own().bounds(most)) return
#else
#define IRPLAN_BLOCK(most) static_assert((most) <= 1024, "threads of a block")
#define IRPLAN_PRAGMA(text) _Pragma(#text)
#define IRPLAN_UNROLL IRPLAN_PRAGMA(unroll)
#define IRPLAN_UNROLL_BY(n) IRPLAN_PRAGMA(unroll n)
#define IRPLAN_SHARED(type, name)                                \
  extern __shared__ __align__(16) unsigned char irplan_shared[]; \
  type* name = reinterpret_cast<type*>(irplan_shared)
#endif

namespace irplan::IRPLAN_GPU {

// The second number of __launch_bounds__ is how many blocks a multiprocessor is to hold: what bounds a
// thread's registers. Where it is left out, ptxas takes as few as it likes, and spills. For sm_100 and later
// it needs more of them for the same code.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
constexpr bool kManyRegisters = true;
#else
constexpr bool kManyRegisters = false;
#endif
constexpr int blocks_at_once(int blocks, int fewer) { return kManyRegisters ? fewer : blocks; }

// ------------------------------------------------------------------------------------------------ launch

constexpr size_t kSharedBytes = 48 * 1024;  // of dynamic shared memory that a kernel has without asking

#ifdef IRPLAN_SIMT
inline int64_t most_in_y() { return shim::Machine::own().most_in_y(); }
template <class... Parameters, class... Arguments>
int launch(Stream, dim3 grid, dim3 block, size_t shared_bytes, void (*kernel)(Parameters...),
           Arguments... arguments) {
  auto& machine = shim::Machine::own();
  if (shared_bytes > kSharedBytes) machine.allow_shared(shared_bytes);
  return machine.run(grid, block, shared_bytes, [=] { kernel(arguments...); }) ? 0 : 1;
}
#else
constexpr int64_t most_in_y() { return 65535; }  // blocks of a grid, and in z
template <class... Parameters, class... Arguments>
int launch(Stream stream, dim3 grid, dim3 block, size_t shared_bytes, void (*kernel)(Parameters...),
           Arguments... arguments) {
  if (shared_bytes > kSharedBytes) {
    const cudaError_t error =
        cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                             cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
    if (error != cudaSuccess) return static_cast<int>(error);
  }
  kernel<<<grid, block, shared_bytes, static_cast<cudaStream_t>(stream)>>>(arguments...);
  return static_cast<int>(cudaGetLastError());
}
#endif

constexpr unsigned kAllLanes = 0xffffffffu;
constexpr int64_t kMaxBlocks = 1 << 20;  // of a grid-stride loop

inline unsigned blocks_for(int64_t items, int64_t per_block) {
  const int64_t n = (items + per_block - 1) / per_block;
  return static_cast<unsigned>(n < 1 ? 1 : n > kMaxBlocks ? kMaxBlocks : n);
}

// ------------------------------------------------------------------------------------------------ stored
// numbers

struct F16 {
  uint16_t bits;
};
struct BF16 {
  uint16_t bits;
};

#ifdef IRPLAN_SIMT
inline float as_float(float x) { return x; }
inline float as_float(F16 x) { return from_f16(x.bits); }
inline float as_float(BF16 x) { return from_bf16(x.bits); }
inline void assign(float& to, float x) { to = x; }
inline void assign(F16& to, float x) { to.bits = to_f16(x); }
inline void assign(BF16& to, float x) { to.bits = to_bf16(x); }
inline float from_f8(DType dtype, uint8_t bits) {
  return from_small(dtype == DType::F8E4M3 ? kF8E4M3 : kF8E5M2, bits);
}
inline uint8_t to_f8(DType dtype, float x) {
  return static_cast<uint8_t>(to_small(dtype == DType::F8E4M3 ? kF8E4M3 : kF8E5M2, x));
}
inline float power_of_two(int exponent) { return std::ldexp(1.0f, exponent); }
#else
__device__ __forceinline__ float as_float(float x) { return x; }
__device__ __forceinline__ float as_float(F16 x) { return __half2float(__ushort_as_half(x.bits)); }
__device__ __forceinline__ float as_float(BF16 x) {
  return __uint_as_float(static_cast<unsigned>(x.bits) << 16);
}
__device__ __forceinline__ void assign(float& to, float x) { to = x; }
__device__ __forceinline__ void assign(F16& to, float x) { to.bits = __half_as_ushort(__float2half_rn(x)); }
__device__ __forceinline__ void assign(BF16& to, float x) {
  to.bits = __bfloat16_as_ushort(__float2bfloat16_rn(x));
}
__device__ __forceinline__ float from_f8(DType dtype, uint8_t bits) {
  const __half_raw half = __nv_cvt_fp8_to_halfraw(bits, dtype == DType::F8E4M3 ? __NV_E4M3 : __NV_E5M2);
  return __half2float(__half(half));
}
__device__ __forceinline__ uint8_t to_f8(DType dtype, float x) {
  // f8e4m3 has no infinity and stays at its largest; f8e5m2 goes to infinity.
  return dtype == DType::F8E4M3 ? __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3)
                                : __nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E5M2);
}
// Of -127 to 128, by its bits.
__device__ __forceinline__ float power_of_two(int exponent) {
  return __uint_as_float(exponent > -127 ? static_cast<unsigned>(exponent + 127) << 23 : 0x00400000u);
}
#endif

// Numbers in one block, and its bytes (the table of irplan/dtype.h, which is host code).
__device__ __forceinline__ int block_elements(DType dtype) {
  if (dtype < DType::Q8_0) return 1;
  return dtype == DType::I4G128 ? 128 : 32;
}
__device__ __forceinline__ int block_bytes(DType dtype) {
  switch (dtype) {
    case DType::Q8_0: return 34;
    case DType::Q4_0: return 18;
    case DType::I4G128: return 66;
    default: return 17;
  }
}

// Number i of a block; layouts in core/src/reference/blocks.h.
__device__ __forceinline__ float block_number(DType dtype, const uint8_t* block, int i) {
  if (dtype == DType::MXFP4) {
    const int pair = block[1 + i / 2], q = i & 1 ? pair >> 4 : pair & 15;
    const int exponent = q >> 1 & 3, mantissa = q & 1;
    const float magnitude = exponent == 0 ? 0.5f * static_cast<float>(mantissa)
                                          : (1.0f + 0.5f * static_cast<float>(mantissa)) *
                                                static_cast<float>(1 << (exponent - 1));
    return (q & 8 ? -magnitude : magnitude) * power_of_two(static_cast<int>(block[0]) - 127);
  }
  const F16 stored{static_cast<uint16_t>(block[0] | block[1] << 8)};  // blocks lie at any byte
  const float d = as_float(stored);
  if (dtype == DType::Q8_0) return d * static_cast<float>(static_cast<int8_t>(block[2 + i]));
  const bool halves = dtype == DType::Q4_0;
  const int pair = block[2 + (halves ? i & 15 : i / 2)];
  const bool high = halves ? i >= 16 : (i & 1) != 0;
  return d * static_cast<float>((high ? pair >> 4 : pair & 15) - 8);
}

__device__ __forceinline__ float load_number(DType dtype, const void* base, int64_t element) {
  switch (dtype) {
    case DType::F32: return static_cast<const float*>(base)[element];
    case DType::F16: return as_float(static_cast<const F16*>(base)[element]);
    case DType::BF16: return as_float(static_cast<const BF16*>(base)[element]);
    case DType::F8E4M3:
    case DType::F8E5M2: return from_f8(dtype, static_cast<const uint8_t*>(base)[element]);
    default: break;
  }
  const int shift = dtype == DType::I4G128 ? 7 : 5;  // a block's numbers are a power of two
  const int64_t block = element >> shift;
  return block_number(dtype, static_cast<const uint8_t*>(base) + block * block_bytes(dtype),
                      static_cast<int>(element - (block << shift)));
}

__device__ inline void store_number(DType dtype, void* base, int64_t element, float x) {
  switch (dtype) {
    case DType::F32: static_cast<float*>(base)[element] = x; return;
    case DType::F16: assign(static_cast<F16*>(base)[element], x); return;
    case DType::BF16: assign(static_cast<BF16*>(base)[element], x); return;
    default: static_cast<uint8_t*>(base)[element] = to_f8(dtype, x); return;
  }
}

__device__ inline int64_t load_integer(DType dtype, const void* base, int64_t element) {
  switch (dtype) {
    case DType::I32: return static_cast<const int32_t*>(base)[element];
    case DType::I64: return static_cast<const int64_t*>(base)[element];
    case DType::I8: return static_cast<const int8_t*>(base)[element];
    default: return static_cast<const uint8_t*>(base)[element];
  }
}

__device__ inline void store_integer(DType dtype, void* base, int64_t element, int64_t x) {
  switch (dtype) {
    case DType::I32: static_cast<int32_t*>(base)[element] = static_cast<int32_t>(x); return;
    case DType::I64: static_cast<int64_t*>(base)[element] = x; return;
    case DType::I8: static_cast<int8_t*>(base)[element] = static_cast<int8_t>(x); return;
    default: static_cast<uint8_t*>(base)[element] = x != 0; return;
  }
}

__device__ __forceinline__ bool holds_floats(DType dtype) {
  return !(dtype == DType::I32 || dtype == DType::I64 || dtype == DType::I8 || dtype == DType::Bool);
}

__device__ __forceinline__ float load_number(const Tensor& t, int64_t element) {
  return load_number(t.dtype, t.data, element);
}
__device__ __forceinline__ void store_number(const Tensor& t, int64_t element, float x) {
  store_number(t.dtype, t.data, element, x);
}

// x as `dtype` stores it.
__device__ inline float rounded(DType dtype, float x) {
  switch (dtype) {
    case DType::F16: {
      F16 y;
      assign(y, x);
      return as_float(y);
    }
    case DType::BF16: {
      BF16 y;
      assign(y, x);
      return as_float(y);
    }
    case DType::F8E4M3:
    case DType::F8E5M2: return from_f8(dtype, to_f8(dtype, x));
    default: return x;
  }
}

// As many numbers as 16 bytes hold, moved at once.
template <class T>
struct alignas(16) Pack {
  static constexpr int kCount = 16 / sizeof(T);
  T at[kCount];
};
template <class T>
__device__ __forceinline__ Pack<T> load_pack(const T* p) {
  return *reinterpret_cast<const Pack<T>*>(p);
}
// One store of 16 bytes. Spelled out: nvcc splits the plain assignment into as many as the pack has numbers
// where they were computed one by one (tests/native/ptxas_test.py).
template <class T>
__device__ __forceinline__ void store_pack(T* p, const Pack<T>& pack) {
#ifdef IRPLAN_SIMT
  *reinterpret_cast<Pack<T>*>(p) = pack;
#else
  uint4 bits;
  std::memcpy(&bits, &pack, sizeof bits);
  asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(p), "r"(bits.x), "r"(bits.y), "r"(bits.z),
               "r"(bits.w));
#endif
}

// Two numbers as they are stored, in 32 bits.
#ifndef IRPLAN_SIMT
__device__ __forceinline__ unsigned pair_bits(F16, float a, float b) {
  const __half2 pair = __floats2half2_rn(a, b);
  unsigned bits;
  std::memcpy(&bits, &pair, sizeof bits);
  return bits;
}
__device__ __forceinline__ unsigned pair_bits(BF16, float a, float b) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(a, b);
  unsigned bits;
  std::memcpy(&bits, &pair, sizeof bits);
  return bits;
}
#endif
// The numbers that a pack holds, rounded.
template <class T>
__device__ __forceinline__ Pack<T> rounded_pack(const float (&x)[Pack<T>::kCount]) {
  Pack<T> out;
#ifdef IRPLAN_SIMT
  for (int k = 0; k < Pack<T>::kCount; ++k) assign(out.at[k], x[k]);
#else
  unsigned bits[4];
  IRPLAN_UNROLL
  for (int k = 0; k < 4; ++k) {
    if constexpr (sizeof(T) == 4) {
      bits[k] = __float_as_uint(x[k]);
    } else {
      bits[k] = pair_bits(T{}, x[2 * k], x[2 * k + 1]);
    }
  }
  std::memcpy(&out, bits, sizeof out);
#endif
  return out;
}

// ------------------------------------------------------------------------------------------------ places

// Where element `n` of a tensor lies, n counted row-major over `shape`; with the tensor's own strides. Rows
// and tokens are counted in 32 bits: division of 64 bits is a long subroutine.
__device__ inline int64_t place_of(unsigned n, int rank, const int64_t* shape, const int64_t* stride) {
  int64_t at = 0;
  for (int axis = rank - 1; axis >= 0; --axis) {
    const auto extent = static_cast<unsigned>(shape[axis]);
    const unsigned next = n / extent;
    at += (n - next * extent) * stride[axis];
    n = next;
  }
  return at;
}
__device__ inline int64_t place_of(int64_t n, int rank, const int64_t* shape, const int64_t* stride) {
  if (n <= 0xffffffffll) return place_of(static_cast<unsigned>(n), rank, shape, stride);
  int64_t at = 0;
  for (int axis = rank - 1; axis >= 0; --axis) {
    const int64_t next = n / shape[axis];
    at += (n - next * shape[axis]) * stride[axis];
    n = next;
  }
  return at;
}
__device__ inline int64_t place_of(int64_t n, const Tensor& t) {
  return place_of(n, t.rank, t.shape, t.stride);
}
// Where row `n` starts, rows counted over all axes but the last `inner`.
__device__ inline int64_t row_of(int64_t n, const Tensor& t, int inner) {
  return place_of(static_cast<unsigned>(n), t.rank - inner, t.shape, t.stride);
}

// ------------------------------------------------------------------------------------------------ sums

__device__ __forceinline__ float warp_sum(float x) {
  for (int m = 16; m > 0; m >>= 1) x += __shfl_xor_sync(kAllLanes, x, m);
  return x;
}
__device__ __forceinline__ float warp_max(float x) {
  for (int m = 16; m > 0; m >>= 1) x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, m));
  return x;
}

// The sum over the block, in every thread. `scratch` has 32 floats; blocks are whole warps in one dimension.
__device__ inline float block_sum(float x, float* scratch) {
  const int warp = static_cast<int>(threadIdx.x) >> 5, lane = static_cast<int>(threadIdx.x) & 31;
  const int warps = static_cast<int>(blockDim.x) >> 5;
  x = warp_sum(x);
  if (lane == 0) scratch[warp] = x;
#ifndef DROP_BARRIER
  __syncthreads();
#endif
  float total = 0;
  for (int i = 0; i < warps; ++i) total += scratch[i];
  __syncthreads();  // scratch may be used again
  return total;
}
__device__ inline float block_max(float x, float* scratch) {
  const int warp = static_cast<int>(threadIdx.x) >> 5, lane = static_cast<int>(threadIdx.x) & 31;
  const int warps = static_cast<int>(blockDim.x) >> 5;
  x = warp_max(x);
  if (lane == 0) scratch[warp] = x;
  __syncthreads();
  float most = scratch[0];
  for (int i = 1; i < warps; ++i) most = fmaxf(most, scratch[i]);
  __syncthreads();
  return most;
}

// Notes the first element that names something that is not there.
__device__ inline void note_fault(DataFault* fault, int op, int operand, int64_t place, int64_t found,
                                  int64_t limit) {
  if (atomicCAS(&fault->op, 0, op + 1) != 0) return;
  fault->operand = operand;
  fault->place = place;
  fault->found = found;
  fault->limit = limit;
}

}  // namespace irplan::IRPLAN_GPU
