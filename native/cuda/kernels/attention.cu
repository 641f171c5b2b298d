// Launch of attention.
#include "cuda/kernels/attention.cuh"

namespace irplan::IRPLAN_GPU {

int attention(Stream stream, const AttentionCall& call) {
  const int64_t queries = call.q.shape[0] * call.q.shape[1], heads = call.q.shape[2];
  if (queries == 0 || heads == 0) return 0;
  const int64_t widest = call.q.shape[3] > call.v.shape[3] ? call.q.shape[3] : call.v.shape[3];
  const DType dtype = call.k.dtype == call.v.dtype ? call.k.dtype : DType::I8;
  auto* kernel = attention_queries<AnyType, 0>;
  if (widest <= 128) {
    if (dtype == DType::F32) kernel = attention_queries<float, 4>;
    if (dtype == DType::F16) kernel = attention_queries<F16, 4>;
    if (dtype == DType::BF16) kernel = attention_queries<BF16, 4>;
  } else if (widest <= 256) {
    if (dtype == DType::F16) kernel = attention_queries<F16, 8>;
    if (dtype == DType::BF16) kernel = attention_queries<BF16, 8>;
  }
  const size_t shared =
      static_cast<size_t>(kAttentionWarps * (call.v.shape[3] + 2) + call.q.shape[3]) * sizeof(float);
  const auto blocks = static_cast<unsigned>(queries), columns = static_cast<unsigned>(heads);
  const int error = launch(stream, dim3(blocks, columns, call.partial.data ? kAttentionRuns : 1),
                           dim3(32 * kAttentionWarps), shared, kernel, call);
  if (error || !call.partial.data) return error;
  return launch(stream, dim3(blocks, columns), dim3(64), 0, attention_join<>, call);
}

}  // namespace irplan::IRPLAN_GPU
