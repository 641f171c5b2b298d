#include "ops/alias.h"

namespace irplan {
namespace {

constexpr const char* kHeads = "axes are B, S, H, K; the mask is causal by default";
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
    {"identity", nullptr, "y = x gives a value a second name"},
    {"indexselect", "embed", "rows of a table"},
    {"layernormalization", "layernorm", nullptr},
    {"logistic", "sigmoid", nullptr},
    {"maskedfill", nullptr, "attention(…, causal=true, window=…); there is no mask operand"},
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

struct DTypeAlias {
  const char* name;  // lower case, no underscores
  DType dtype;
};
constexpr DTypeAlias kDTypeAliases[] = {{"float32", DType::F32},
                                        {"float", DType::F32},
                                        {"fp32", DType::F32},
                                        {"single", DType::F32},
                                        {"float16", DType::F16},
                                        {"fp16", DType::F16},
                                        {"half", DType::F16},
                                        {"bfloat16", DType::BF16},
                                        {"bfloat", DType::BF16},
                                        {"brainfloat16", DType::BF16},
                                        {"fp8", DType::F8E4M3},
                                        {"f8", DType::F8E4M3},
                                        {"float8", DType::F8E4M3},
                                        {"fp8e4m3", DType::F8E4M3},
                                        {"float8e4m3", DType::F8E4M3},
                                        {"float8e4m3fn", DType::F8E4M3},
                                        {"e4m3", DType::F8E4M3},
                                        {"f8e4m3fn", DType::F8E4M3},
                                        {"fp8e5m2", DType::F8E5M2},
                                        {"float8e5m2", DType::F8E5M2},
                                        {"e5m2", DType::F8E5M2},
                                        {"int", DType::I32},
                                        {"int32", DType::I32},
                                        {"s32", DType::I32},
                                        {"long", DType::I64},
                                        {"int64", DType::I64},
                                        {"s64", DType::I64},
                                        {"int8", DType::I8},
                                        {"s8", DType::I8},
                                        {"uint8", DType::I8},
                                        {"u8", DType::I8},
                                        {"char", DType::I8},
                                        {"byte", DType::I8},
                                        {"boolean", DType::Bool},
                                        {"i1", DType::Bool},
                                        {"q8", DType::Q8_0},
                                        {"q80", DType::Q8_0},
                                        {"q4", DType::Q4_0},
                                        {"q40", DType::Q4_0},
                                        {"int4", DType::Q4_0},
                                        {"i4", DType::Q4_0},
                                        {"uint4", DType::Q4_0},
                                        {"nf4", DType::Q4_0},
                                        {"fp4", DType::MXFP4},
                                        {"mxfp4e2m1", DType::MXFP4}};

struct AttributeAlias {
  const char *name, *ours;
};
constexpr AttributeAlias kAttributeAliases[] = {{"dim", "axis"},
                                                {"dims", "axis"},
                                                {"dims", "perm"},
                                                {"axes", "axis"},
                                                {"axes", "perm"},
                                                {"permutation", "perm"},
                                                {"keepdim", "keep"},
                                                {"keepdims", "keep"},
                                                {"epsilon", "eps"},
                                                {"varianceepsilon", "eps"},
                                                {"layernormepsilon", "eps"},
                                                {"dtype", "to"},
                                                {"theta", "base"},
                                                {"ropetheta", "base"},
                                                {"freqbase", "base"},
                                                {"pos", "at"},
                                                {"position", "at"},
                                                {"positions", "at"},
                                                {"positionids", "at"},
                                                {"startpos", "at"},
                                                {"cacheposition", "at"},
                                                {"index", "at"},
                                                {"offset", "at"},
                                                {"ropescaling", "scaling"},
                                                {"rotarydim", "dim"},
                                                {"interleaved", "interleave"},
                                                {"iscausal", "causal"},
                                                {"smscale", "scale"},
                                                {"softmaxscale", "scale"},
                                                {"scaling", "scale"},
                                                {"slidingwindow", "window"},
                                                {"windowsize", "window"},
                                                {"logitssoftcap", "softcap"},
                                                {"logitcap", "softcap"},
                                                {"softcapping", "softcap"},
                                                {"min", "lo"},
                                                {"low", "lo"},
                                                {"max", "hi"},
                                                {"high", "hi"},
                                                {"length", "len"},
                                                {"size", "shape"},
                                                {"size", "len"},
                                                {"newshape", "shape"},
                                                {"splitsizes", "sizes"},
                                                {"topk", "k"},
                                                {"numexpertspertok", "k"},
                                                {"renormalize", "norm"},
                                                {"normtopkprob", "norm"},
                                                {"numgroups", "groups"},
                                                {"topkgroups", "group_k"},
                                                {"begin", "start"},
                                                {"weight", "w"},
                                                {"input", "x"},
                                                {"blocksize", "block"}};

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

std::optional<DType> dtype_alias(std::string_view name) {
  std::string_view word = name;
  constexpr std::string_view kTorch = "torch.";
  if (word.substr(0, kTorch.size()) == kTorch) word.remove_prefix(kTorch.size());
  const std::string wanted = plain(word);
  for (const DTypeAlias& row : kDTypeAliases) {
    if (wanted == row.name) return row.dtype;
  }
  return std::nullopt;
}

std::vector<const char*> attribute_aliases(std::string_view name) {
  const std::string wanted = plain(name);
  std::vector<const char*> ours;
  for (const AttributeAlias& row : kAttributeAliases) {
    if (wanted == row.name) ours.push_back(row.ours);
  }
  return ours;
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
