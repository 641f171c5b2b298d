// The kernels of the host's processor: one function a kind of call, over resolved tensors (runtime/calls.h).
// None allocates once its thread has worked on a call of that size.
#pragma once

#include "runtime/schedule.h"

namespace irplan::cpu {

void unary(const UnaryCall&);
void binary(const BinaryCall&);
void gated(const GatedCall&);
void copy(const CopyCall&);
void dequant(const DequantCall&);
void norm(const NormCall&);
void rope(const RopeCall&);
void softmax(const SoftmaxCall&);
void reduce(const ReduceCall&);
void topk(const TopkCall&);
void route(const RouteCall&);
void embed(const EmbedCall&);         // version 1
void embed_packed(const EmbedCall&);  // versions 2 and 3: its table in panels
void positions(const PositionsCall&);
void append(const AppendCall&);
void attention(const AttentionCall&);
void linear(const LinearCall&);         // version 1
void linear_packed(const LinearCall&);  // versions 2 and 3: its weight in panels (ops/weight_layout.h)
void linear_whole(const LinearCall&);   // version 4: in whole numbers
void matmul(const MatmulCall&);
void expert(const ExpertCall&);
void pack(const PackCall&);

}  // namespace irplan::cpu
