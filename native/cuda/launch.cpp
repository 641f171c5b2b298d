#include "cuda/launch.h"

#include <algorithm>

namespace irplan::IRPLAN_GPU {
namespace {

struct Held {
  const char* op;
  int versions;  // 1 to so many
};
// In the order of core/src/kernels/cuda.cpp.
constexpr Held kHeld[] = {
    {"embed", 1},   {"positions", 1}, {"linear", 1},      {"dequant", 1},       {"matmul", 1},
    {"rmsnorm", 1}, {"layernorm", 1}, {"rope", 1},        {"append", 1},        {"attention", 2},
    {"route", 1},   {"expert", 1},    {"silu", 1},        {"gelu", 1},          {"gelu_tanh", 1},
    {"sigmoid", 1}, {"relu", 1},      {"tanh", 1},        {"exp", 1},           {"sqrt", 1},
    {"neg", 1},     {"softcap", 1},   {"clamp", 1},       {"cast", 1},          {"add", 1},
    {"sub", 1},     {"mul", 1},       {"div", 1},         {"softmax", 1},       {"sum", 1},
    {"max", 1},     {"argmax", 1},    {"topk", 1},        {"view", 1},          {"transpose", 1},
    {"slice", 1},   {"split", 1},     {"concat", 1},      {"copy", 1},          {"pack", 1},
    {"swiglu", 1},  {"geglu", 1},     {"add_rmsnorm", 1}, {"add_layernorm", 1},
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
  int operator()(const ReduceCall& c) const { return reduce(s, c.what, c.x, c.y, c.axis); }
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

int launch(Stream stream, const Call& call) { return std::visit(Launch{stream}, call); }

}  // namespace irplan::IRPLAN_GPU
