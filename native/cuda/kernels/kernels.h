// The kernels as host code calls them: one function a kind of call (runtime/calls.h). Each enqueues its
// kernel and gives 0, or the device's error code. Tensors and tables are resolved: their pointers are the
// device's.
#pragma once

#include "cuda/tensor.h"

namespace irplan::IRPLAN_GPU {

using Stream = void*;  // a cudaStream_t

// Launches nothing of worth; the error tells whether the device can run the kernels of this build.
int probe();

// ---- elements
int unary(Stream, const UnaryCall&);
int binary(Stream, const BinaryCall&);
int gated(Stream, const GatedCall&);
int copy(Stream, const Tensor& x, const Tensor& y);
int quantise(Stream, const Tensor& x, const Tensor& y);
int dequant(Stream, const ScaledWeight&, const Tensor& y);

// ---- rows
int norm(Stream, const NormCall&);
int rope(Stream, const RopeCall&);
int softmax(Stream, const Tensor& x, const Tensor& y, int axis);
int reduce(Stream, const ReduceCall&);
int topk(Stream, const Tensor& x, const Tensor& values, const Tensor& ids);
int route(Stream, const RouteCall&);

// ---- sequences
int embed(Stream, const EmbedCall&);
int positions(Stream, const Tensor& y, const int32_t* at);
int append(Stream, const AppendCall&);
int attention(Stream, const AttentionCall&);

// ---- products
int linear(Stream, const LinearCall&);
int matmul(Stream, const MatmulCall&);
int expert(Stream, const ExpertCall&);

}  // namespace irplan::IRPLAN_GPU
