// The kernels of the host's processor; their sources are in native/cpu.
#include "kernels/rows.h"

namespace irplan {
namespace {

constexpr unsigned kWeight = 1;  // operand of linear and of embed

bool one_whole_weight(const KernelSite& site) {
  const OpCall& call = site.call;
  const DType dtype = call.operand(kWeight).dtype;
  const bool wide = dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16;
  return wide && (site.weights >> kWeight & 1) && !call.has(3) &&
         find_weight_layout("panels16")->holds(call.operand(kWeight));
}

bool one_whole_weight_of_blocks(const KernelSite& site) {
  return (site.weights >> kWeight & 1) && !site.call.has(3) &&
         find_weight_layout("panels16_blocks")->holds(site.call.operand(kWeight));
}

bool whole_numbers(const KernelSite& site) {
  return !site.call.attrs["rows"].is_none() && is_block(site.call.operand(kWeight).dtype) &&
         one_whole_weight_of_blocks(site);
}

KernelRow row(const char* op, const char* sentence) {
  return {.target = "cpu", .op = op, .version = 1, .sentence = sentence};
}

}  // namespace

std::vector<KernelRow> cpu_kernel_rows() {
  constexpr const char* kReference = "the reference's loop, in f32";
  std::vector<KernelRow> rows = {
      row("embed", "a row an id, converted where it lies"),
      {.target = "cpu",
       .op = "embed",
       .version = 2,
       .sentence = "a row an id, gathered from the panels that a product reads: a table that both share is "
                   "packed once",
       .admits_text = "w[V,D] is f32, f16 or bf16, known when weights load, and packed for a product",
       .admits = one_whole_weight,
       .packed = kWeight,
       .layout = "panels16"},
      {.target = "cpu",
       .op = "embed",
       .version = 3,
       .sentence = "as version 2, of blocks and f8",
       .admits_text = "w[V,D] is q8_0, q4_0, i4g128, mxfp4 or f8, known when weights load, and packed for a "
                      "product",
       .admits = one_whole_weight_of_blocks,
       .packed = kWeight,
       .layout = "panels16_blocks"},
      row("linear", "a row of the weight at a time, converted to f32, by four rows of x"),
      {.target = "cpu",
       .op = "linear",
       .version = 2,
       .sentence =
           "the weight packed in panels of 16 rows, read once in the order in which it lies: 16 sums a "
           "load, converted in registers",
       .admits_text = "w[N,K] is f32, f16 or bf16, known when weights load, without scales, and read by "
                      "products and embed alone",
       .admits = one_whole_weight,
       .packed = kWeight,
       .layout = "panels16"},
      {.target = "cpu",
       .op = "linear",
       .version = 3,
       .sentence =
           "as version 2, of blocks: whole numbers times x are added up in f32, each block's sum times "
           "its scale",
       .admits_text =
           "w[N,K] is q8_0, q4_0, i4g128, mxfp4 or f8, known when weights load, without scales, and "
           "read by products and embed alone",
       .admits = one_whole_weight_of_blocks,
       .packed = kWeight,
       .layout = "panels16_blocks"},
      {.target = "cpu",
       .op = "linear",
       .version = 4,
       .sentence =
           "as version 3, of activations that are quantised: 32 columns are added up in whole numbers, "
           "exactly, and then scaled",
       .admits_text = "as version 3, blocks alone, with rows=q8_0",
       .admits = whole_numbers,
       .packed = kWeight,
       .layout = "panels16_blocks"},
      row("matmul", "256 columns of the weight at a time, converted to f32"),
      row("attention", "a head at a time, keys and values as f32"),
      row("expert", "the tokens of an expert together, so that its weight is read once"),
      row("pack", "panels in parallel"),
  };
  for (const OpRow& op : op_table()) {
    const auto known = [&](const KernelRow& r) { return std::string_view(r.op) == op.name; };
    bool has = false;
    for (const KernelRow& r : rows) has = has || known(r);
    if (!has && std::string_view(op.name) != "output") rows.push_back(row(op.name, kReference));
  }
  return rows;
}

}  // namespace irplan
