#include "ops/alias.h"

namespace irplan {
namespace {

constexpr const char* kHeads = "axes are B, S, H, K; the mask is causal unless told";
constexpr const char* kOutputsFirst = "w is [N, K], outputs first";
constexpr const char* kFewer = "attention takes fewer key heads than heads as they are";

// Kept sorted.
constexpr AliasRow kRows[] = {
    // theirs, ours, how
    {"addlayernorm", nullptr, "s = a + b, then layernorm(s, w, b, eps=…); the compiler fuses them"},
    {"addmm", "linear", kOutputsFirst},
    {"addrmsnorm", nullptr, "s = a + b, then rmsnorm(s, w, eps=…); the compiler fuses them"},
    {"amax", "max", nullptr},
    {"arange", "positions", nullptr},
    {"argtopk", "topk", "its second result is the ids"},
    {"astype", "cast", nullptr},
    {"bmm", "matmul", nullptr},
    {"cat", "concat", nullptr},
    {"chunk", "split", "sizes name each part"},
    {"clip", "clamp", nullptr},
    {"contiguous", nullptr, "x as it is; the compiler copies where a kernel needs it"},
    {"dense", "linear", kOutputsFirst},
    {"dequantize", "dequant", nullptr},
    {"dequantizelinear", "dequant", nullptr},
    {"divide", "div", "or a / b"},
    {"einsum", nullptr, "matmul, linear and transpose, whichever fit"},
    {"embedding", "embed", nullptr},
    {"expand", nullptr, "x as it is; add, sub, mul and div broadcast"},
    {"fc", "linear", kOutputsFirst},
    {"flatten", "view", "one extent may be -1"},
    {"gather", "embed", "rows of a table"},
    {"geglu", nullptr, "gelu_tanh(g) * u; the compiler fuses them"},
    {"gelufast", "gelu_tanh", nullptr},
    {"gelunew", "gelu_tanh", nullptr},
    {"gelupytorchtanh", "gelu_tanh", nullptr},
    {"gemm", "linear", kOutputsFirst},
    {"groupqueryattention", "attention", kHeads},
    {"identity", nullptr, "y = x; a name may stand for another"},
    {"indexselect", "embed", "rows of a table"},
    {"layernormalization", "layernorm", nullptr},
    {"logistic", "sigmoid", nullptr},
    {"maskedfill", nullptr, "attention(…, causal=true, window=…); masks are no tensors"},
    {"mean", nullptr, "sum(x, axis=-1) / n"},
    {"mm", "matmul", nullptr},
    {"multiheadattention", "attention", kHeads},
    {"multiply", "mul", "or a * b"},
    {"narrow", "slice", nullptr},
    {"negative", "neg", "or -x"},
    {"permute", "transpose", nullptr},
    {"plus", "add", "or a + b"},
    {"pow", nullptr, "x * x for a square, sqrt(x) for a root"},
    {"quickgelu", nullptr, "x * sigmoid(1.702 * x)"},
    {"reducemax", "max", nullptr},
    {"reducemean", nullptr, "sum(x, axis=-1) / n"},
    {"reducesum", "sum", nullptr},
    {"repeatinterleave", nullptr, kFewer},
    {"repeatkv", nullptr, kFewer},
    {"reshape", "view", "one extent may be -1"},
    {"rmsnormalization", "rmsnorm", nullptr},
    {"rotary", "rope", nullptr},
    {"rotaryembedding", "rope", nullptr},
    {"router", "route", nullptr},
    {"rsqrt", nullptr, "1 / sqrt(x)"},
    {"scaleddotproductattention", "attention", kHeads},
    {"sdpa", "attention", kHeads},
    {"square", nullptr, "x * x"},
    {"squeeze", "view", nullptr},
    {"stack", "concat", "view the parts with an axis of 1 first"},
    {"subtract", "sub", "or a - b"},
    {"swapaxes", "transpose", nullptr},
    {"swiglu", nullptr, "silu(g) * u; the compiler fuses them"},
    {"swish", "silu", nullptr},
    {"tensorsplit", "split", "sizes name each part"},
    {"to", "cast", nullptr},
    {"unsqueeze", "view", nullptr},
    {"updatecache", "append", nullptr},
};

std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '_') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

const OpRow* callable(std::string_view name) {
  for (const OpRow& row : op_table()) {
    if (!row.fused && plain(row.name) == name) return &row;
  }
  return nullptr;
}

}  // namespace

std::span<const AliasRow> alias_table() { return kRows; }

std::optional<Alias> find_alias(std::string_view name) {
  const std::string word = plain(name);
  if (const OpRow* row = callable(word)) return Alias{row, nullptr};
  for (const AliasRow& row : kRows) {
    if (word == row.name) return Alias{row.ours ? find_op(row.ours) : nullptr, row.how};
  }
  return std::nullopt;
}

std::string signature(const OpRow& row) {
  std::string out;
  const auto add = [&](const std::string& word) { out += (out.empty() ? "" : ", ") + word; };
  for (const OperandSpec& operand : row.operands)
    add(std::string(operand.name) + (operand.optional ? "?" : ""));
  if (row.variadic) add("…");
  for (const AttrSpec& attribute : row.attributes) {
    if (!attribute.implicit)
      add(std::string(attribute.name) + "=" + (attribute.fallback ? attribute.fallback : "…"));
  }
  return std::string(row.name) + "(" + out + ")";
}

std::string alias_help(std::string_view name, const Alias& alias) {
  if (!alias.row) return "write " + std::string(alias.how);
  return "`" + std::string(name) + "` is `" + alias.row->name + "` here: " + signature(*alias.row) +
         (alias.how ? std::string("; ") + alias.how : "");
}

}  // namespace irplan
