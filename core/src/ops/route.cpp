// route: which experts serve a token, and with which weights.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/order.h"
#include "ops/rows.h"
#include "ops/rules.h"

namespace irplan {
namespace {

using namespace rules;

bool group_fault(OpCall& call, const char* attribute, std::string rule) {
  Fault f = fault(call, Code::ExpertGroups);
  f.operand = 0;
  f.found = axis_text(call.operand(0), -1);
  f.attribute = attribute;
  f.rule = "route: " + std::move(rule);
  return call.fail(std::move(f));
}

bool groups_fit(OpCall& call, Expr experts, Expr k) {
  const Attr& groups = call.attrs["groups"];
  const Attr& kept = call.attrs["group_k"];
  if (groups.is_none() != kept.is_none()) {
    return group_fault(call, groups.is_none() ? "group_k" : "groups", "groups and group_k come together");
  }
  if (groups.is_none()) return true;
  const int64_t n = groups.integer(), keep = kept.integer();
  if (n < 1 || !call.same(call.dims.mod(experts, call.dims.constant(n)), call.dims.constant(0))) {
    return group_fault(call, "groups", "dim(logits, -1) % groups = 0, and groups is " + std::to_string(n));
  }
  if (keep < 1 || keep > n) {
    return group_fault(
        call, "group_k",
        "1 <= group_k <= groups, and they are " + std::to_string(keep) + " and " + std::to_string(n));
  }
  const Expr reachable = call.dims.floordiv(experts, call.dims.constant(n)) * keep;
  if (!call.at_most(k, reachable)) {
    return group_fault(
        call, "k",
        "k is at most the experts in group_k groups, " + reachable.text() + ", and is " + k.text());
  }
  return true;
}

bool route_shape(OpCall& call) {
  if (!floats(call) || !rank_at_least(call, 0, 1)) return false;
  const Expr experts = call.extent(0, -1), k = call.attrs["k"].expr();
  if (call.has(1)) {
    if (!rank_is(call, 1, 1) ||
        !agree(call, Code::OperandExtent, 1, 0, 0, -1, "dim(bias, 0) = dim(logits, -1)"))
      return false;
  }
  if (!k_fits(call, k)) return false;
  if (!groups_fit(call, experts, k)) return false;
  Shape shape = call.operand(0).shape;
  shape.back() = k;
  call.result(DType::F32, shape);
  call.result(DType::I32, std::move(shape));
  return true;
}

enum class Score : uint8_t { Softmax, TopkSoftmax, Sigmoid };

void softmax_of(std::vector<float>& z) {
  const float most = *std::max_element(z.begin(), z.end());
  double total = 0;
  for (float& x : z) {
    x = std::exp(x - most);
    total += x;
  }
  for (float& x : z) x = static_cast<float>(x / total);
}

// A group counts as the sum of its two best choice scores; experts of all but the best groups cannot be
// chosen.
void mask_groups(std::vector<float>& choice, int64_t groups, int64_t keep) {
  const size_t each = choice.size() / static_cast<size_t>(groups);
  std::vector<float> totals;
  for (size_t g = 0; g < static_cast<size_t>(groups); ++g) {
    const auto best = largest(choice.data() + g * each, static_cast<int64_t>(each), 1,
                              std::min<int64_t>(2, static_cast<int64_t>(each)));
    float total = 0;
    for (const int64_t i : best) total += choice[g * each + static_cast<size_t>(i)];
    totals.push_back(total);
  }
  std::vector<bool> kept(static_cast<size_t>(groups));
  for (const int64_t g : largest(totals.data(), groups, 1, keep)) kept[static_cast<size_t>(g)] = true;
  for (size_t i = 0; i < choice.size(); ++i) {
    if (!kept[i / each]) choice[i] = -std::numeric_limits<float>::infinity();
  }
}

void route(HostCall& call) {
  const HostArray& logits = *call.in[0];
  const HostArray* bias = call.in.size() > 1 ? call.in[1] : nullptr;
  const auto experts = static_cast<size_t>(logits.shape.back());
  const int64_t k = call.out[0].shape.back();
  const std::string word = call.attrs["score"].word();
  const Score score = word == "sigmoid"        ? Score::Sigmoid
                      : word == "topk_softmax" ? Score::TopkSoftmax
                                               : Score::Softmax;
  const bool norm = call.attrs["norm"].boolean();
  const float scale = static_cast<float>(call.attrs["scale"].number());
  const int64_t rows = experts ? logits.count() / static_cast<int64_t>(experts) : 0;
  for (int64_t row = 0; row < rows; ++row) {
    const float* z = logits.f.data() + row * static_cast<int64_t>(experts);
    std::vector<float> scores(z, z + experts);
    if (score == Score::Softmax) softmax_of(scores);
    if (score == Score::Sigmoid) {
      for (float& s : scores) s = 1.0f / (1.0f + std::exp(-s));
    }
    // The bias says who is chosen; the weights are those of the scores without it.
    std::vector<float> choice = scores;
    for (size_t i = 0; bias && i < experts; ++i) choice[i] += bias->f[i];
    if (!call.attrs["groups"].is_none())
      mask_groups(choice, call.attrs["groups"].integer(), call.attrs["group_k"].integer());
    const std::vector<int64_t> chosen = largest(choice.data(), static_cast<int64_t>(experts), 1, k);
    std::vector<float> weights;
    weights.reserve(chosen.size());
    for (const int64_t e : chosen) weights.push_back(scores[static_cast<size_t>(e)]);
    if (score == Score::TopkSoftmax) softmax_of(weights);
    float total = 0;
    for (const float w : weights) total += w;
    const float divisor = norm ? total + 1e-20f : 1.0f;
    for (int64_t j = 0; j < k; ++j) {
      call.out[0].f[static_cast<size_t>(row * k + j)] = weights[static_cast<size_t>(j)] / divisor * scale;
      call.out[1].i[static_cast<size_t>(row * k + j)] = chosen[static_cast<size_t>(j)];
    }
  }
}

}  // namespace

OpRow route_row() {
  return {.name = "route",
          .operands = {{"logits", false, true}, {"bias", true, true}},
          .attributes = {{"k", AttrKind::Extent},
                         {"score", AttrKind::Word, "softmax", "softmax|topk_softmax|sigmoid"},
                         {"norm", AttrKind::Bool, "false"},
                         {"scale", AttrKind::Number, "1"},
                         {"groups", AttrKind::Int, "none"},
                         {"group_k", AttrKind::Int, "none"}},
          .shape = checked<route_shape>,
          .flops = flops_of_input<9>,
          .evaluate = route,
          .operand_text = "logits[…,E], bias?[E] → weights f32[…,k], experts i32[…,k]",
          .shape_text = "[…,k], k <= E",
          .doc = "the k experts of the highest score plus bias, and the weights that their scores give them",
          .results = 2,
          .family = Family::Lookup};
}

}  // namespace irplan
