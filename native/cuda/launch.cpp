#include "cuda/launch.h"

#include <algorithm>

namespace irplan::IRPLAN_GPU {
namespace {

struct Held {
  const char* op;
  int versions;           // 1 to so many
  const char* functions;  // that it launches, one or the other
};
constexpr const char *kProducts = "product_tiles product_few product_few_dense",
                     *kNorms = "norm_dense norm_strided", *kUnary = "unary_dense unary_strided",
                     *kBinary = "binary_dense binary_strided",
                     *kMoves = "copy_bytes copy_strided quantise_strided",
                     *kGated = "gated_rows gated_strided";
// In the order of core/src/kernels/cuda.cpp.
constexpr Held kHeld[] = {
    {"embed", 1, "embed_rows"},
    {"positions", 1, "positions_kernel"},
    {"linear", 1, kProducts},
    {"dequant", 1, "dequant_strided"},
    {"matmul", 1, kProducts},
    {"rmsnorm", 1, kNorms},
    {"layernorm", 1, kNorms},
    {"rope", 1, "rope_rows"},
    {"append", 1, "append_rows"},
    {"attention", 2, "attention_queries attention_join"},
    {"route", 1, "route_rows"},
    {"expert", 1, "expert_rows"},
    {"silu", 1, kUnary},
    {"gelu", 1, kUnary},
    {"gelu_tanh", 1, kUnary},
    {"sigmoid", 1, kUnary},
    {"relu", 1, kUnary},
    {"tanh", 1, kUnary},
    {"exp", 1, kUnary},
    {"sqrt", 1, kUnary},
    {"neg", 1, kUnary},
    {"softcap", 1, kUnary},
    {"clamp", 1, kUnary},
    {"cast", 1, kUnary},
    {"add", 1, kBinary},
    {"sub", 1, kBinary},
    {"mul", 1, kBinary},
    {"div", 1, kBinary},
    {"softmax", 1, "softmax_lines"},
    {"sum", 1, "sum_lines"},
    {"max", 2, "best_lines best_parts best_join"},
    {"argmax", 2, "best_lines best_parts best_join"},
    {"topk", 1, "topk_lines"},
    {"view", 1, kMoves},
    {"transpose", 1, kMoves},
    {"slice", 1, kMoves},
    {"split", 1, kMoves},
    {"concat", 1, kMoves},
    {"copy", 1, kMoves},
    {"pack", 1, "copy_bytes copy_strided"},
    {"swiglu", 1, kGated},
    {"geglu", 1, kGated},
    {"add_rmsnorm", 1, kNorms},
    {"add_layernorm", 1, kNorms},
};

// One kernel a kind of call; versions of one differ in what the call holds.
struct Launch {
  Stream s;
  int operator()(const UnaryCall& c) const { return unary(s, c); }
  int operator()(const BinaryCall& c) const { return binary(s, c); }
  int operator()(const GatedCall& c) const { return gated(s, c); }
  int operator()(const CopyCall& c) const { return c.blocks ? quantise(s, c.x, c.y) : copy(s, c.x, c.y); }
  int operator()(const PackCall& c) const { return copy(s, c.x, c.y); }
  int operator()(const DequantCall& c) const { return dequant(s, c.weight, c.y); }
  int operator()(const NormCall& c) const { return norm(s, c); }
  int operator()(const RopeCall& c) const { return rope(s, c); }
  int operator()(const SoftmaxCall& c) const { return softmax(s, c.x, c.y, c.axis); }
  int operator()(const ReduceCall& c) const { return reduce(s, c); }
  int operator()(const TopkCall& c) const { return topk(s, c.x, c.values, c.ids); }
  int operator()(const RouteCall& c) const { return route(s, c); }
  int operator()(const EmbedCall& c) const { return embed(s, c); }
  int operator()(const PositionsCall& c) const { return positions(s, c.y, c.at.data); }
  int operator()(const AppendCall& c) const { return append(s, c); }
  int operator()(const AttentionCall& c) const { return attention(s, c); }
  int operator()(const LinearCall& c) const { return linear(s, c); }
  int operator()(const MatmulCall& c) const { return matmul(s, c); }
  int operator()(const ExpertCall& c) const { return expert(s, c); }
};

}  // namespace

bool has_kernel(const KernelRow& row) {
  return std::any_of(std::begin(kHeld), std::end(kHeld), [&](const Held& held) {
    return std::string_view(row.target) == "cuda" && std::string_view(held.op) == row.op &&
           row.version >= 1 && row.version <= held.versions;
  });
}

std::vector<std::string> kernels() {
  std::vector<std::string> names;
  for (const Held& held : kHeld) {
    for (int version = 1; version <= held.versions; ++version)
      names.push_back(std::string("cuda_") + held.op + "_v" + std::to_string(version));
  }
  return names;
}

std::string_view functions_of(const KernelRow& row) {
  const auto found = std::find_if(std::begin(kHeld), std::end(kHeld),
                                  [&](const Held& held) { return std::string_view(held.op) == row.op; });
  return found == std::end(kHeld) ? "" : found->functions;
}

int launch(Stream stream, const Call& call) { return std::visit(Launch{stream}, call); }

}  // namespace irplan::IRPLAN_GPU
