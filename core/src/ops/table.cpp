// THE table: operators in the order of the language reference, then those that only lowering makes.
#include "ops/rows.h"

namespace irplan {

std::vector<OpRow> all_rows() {
  return {
      embed_row(),
      positions_row(),
      linear_row(),
      dequant_row(),
      matmul_row(),
      rmsnorm_row(),
      layernorm_row(),
      rope_row(),
      append_row(),
      attention_row(),
      route_row(),
      expert_row(),
      add_row(),
      sub_row(),
      mul_row(),
      div_row(),
      silu_row(),
      gelu_row(),
      gelu_tanh_row(),
      sigmoid_row(),
      relu_row(),
      tanh_row(),
      exp_row(),
      sqrt_row(),
      neg_row(),
      softcap_row(),
      clamp_row(),
      cast_row(),
      softmax_row(),
      sum_row(),
      max_row(),
      argmax_row(),
      topk_row(),
      view_row(),
      transpose_row(),
      slice_row(),
      split_row(),
      concat_row(),
      output_row(),
      // made by the fuse and memory passes
      copy_row(),
      pack_row(),
      swiglu_row(),
      geglu_row(),
      add_rmsnorm_row(),
      add_layernorm_row(),
  };
}

}  // namespace irplan
