// The operators' rows, each made in the file of its family; table.cpp puts them in order.
#pragma once

#include <vector>

#include "ops/op.h"

namespace irplan {

std::vector<OpRow> all_rows();

OpRow embed_row();
OpRow positions_row();
OpRow linear_row();
OpRow dequant_row();
OpRow matmul_row();
OpRow rmsnorm_row();
OpRow layernorm_row();
OpRow rope_row();
OpRow append_row();
OpRow attention_row();
OpRow route_row();
OpRow expert_row();
OpRow add_row();
OpRow sub_row();
OpRow mul_row();
OpRow div_row();
OpRow silu_row();
OpRow gelu_row();
OpRow gelu_tanh_row();
OpRow sigmoid_row();
OpRow relu_row();
OpRow tanh_row();
OpRow exp_row();
OpRow sqrt_row();
OpRow neg_row();
OpRow softcap_row();
OpRow clamp_row();
OpRow cast_row();
OpRow softmax_row();
OpRow sum_row();
OpRow max_row();
OpRow argmax_row();
OpRow topk_row();
OpRow view_row();
OpRow transpose_row();
OpRow slice_row();
OpRow split_row();
OpRow concat_row();
OpRow output_row();
// What lowering makes; no program calls them.
OpRow copy_row();
OpRow pack_row();
OpRow swiglu_row();
OpRow geglu_row();
OpRow add_rmsnorm_row();
OpRow add_layernorm_row();

}  // namespace irplan
