// attention: softmax(scale q kᵀ + mask) v, with grouped heads, a window, a softcap and sinks.
//
// The mask is aligned at the bottom right, with S queries and N keys:
//
//            keys 0 … N-1
//     i = 0    1 1 1 0 0      key j is visible to query i iff  j <= i + N - S            (causal)
//     i = 1    1 1 1 1 0                                  and  j >  i + N - S - window   (where there is one)
//     i = 2    1 1 1 1 1
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/rows.h"
#include "ops/rules.h"
#include "ops/scales.h"
#include "ops/semantics.h"

namespace irplan {
namespace {

using namespace rules;

bool operands_agree(OpCall& call) {
  for (size_t i = 0; i < 3; ++i) {
    if (!rank_is(call, i, 4)) return false;
  }
  return agree(call, Code::OperandsDisagree, 1, 0, 0, 0, "dim(k, 0) = dim(q, 0)") &&
         agree(call, Code::OperandsDisagree, 2, 0, 0, 0, "dim(v, 0) = dim(q, 0)") &&
         agree(call, Code::OperandsDisagree, 2, 1, 1, 1, "dim(v, 1) = dim(k, 1), the keys") &&
         agree(call, Code::OperandsDisagree, 2, 2, 1, 2, "dim(v, 2) = dim(k, 2), the key heads") &&
         agree(call, Code::InnerSizesDiffer, 1, -1, 0, -1, "dim(k, -1) = dim(q, -1)");
}

bool attention_shape(OpCall& call) {
  if (!floats(call, bit(1) | bit(2)) || !operands_agree(call)) return false;
  const Expr heads = call.extent(0, 2), key_heads = call.extent(1, 2);
  const bool divides = call.at_most(call.dims.constant(1), key_heads) &&
                       call.same(call.dims.mod(heads, key_heads), call.dims.constant(0));
  if (!divides) {
    Fault f = fault(call, Code::HeadsNoMultiple);
    f.operand = 0;
    f.found = text(call.operand(0)) + ": " + heads.text() + " heads";
    f.other = 1;
    f.expected = text(call.operand(1)) + ": " + key_heads.text() + " key heads";
    f.rule = "attention: dim(q, 2) % dim(k, 2) = 0";
    f.help =
        "each key head serves as many heads; swapped sequence and heads would show here: the layout is [B, "
        "S, H, K]";
    return call.fail(std::move(f));
  }
  if (call.has(3)) {
    if (!rank_is(call, 3, 1) || !agree(call, Code::OperandExtent, 3, 0, 0, 2, "dim(sinks, 0) = dim(q, 2)"))
      return false;
  }
  const Expr window = call.attrs["window"].expr();
  if (window && !call.at_most(call.dims.constant(1), window))
    return attribute_fault(call, "window", "at least 1");
  if (!positive(call, "softcap")) return false;
  const Expr width = call.extent(0, -1);
  if (call.attrs["scale"].is_none() && width.is_constant() && width.constant() > 0) {
    call.attrs.set("scale", Attr(1.0 / std::sqrt(static_cast<double>(width.constant()))));
  }
  Shape shape = call.operand(0).shape;
  shape[3] = call.extent(2, -1);
  call.result(call.operand(0).dtype, std::move(shape));
  return true;
}

Expr attention_flops(const OpCall& call) {
  const Expr pairs = call.extent(0, 0) * call.extent(0, 1) * call.extent(0, 2) * call.extent(1, 1);
  const bool half = call.attrs["causal"].boolean() && call.extent(0, 1) == call.extent(1, 1);
  return pairs * (call.extent(0, 3) + call.extent(2, 3)) * (half ? 1 : 2);
}

Expr attention_bytes(const OpCall& call) {
  return call.bytes(call.operand(0)) + call.bytes(call.operand(1)) + call.bytes(call.operand(2)) +
         call.bytes(call.out[0]);
}

// One query of one head: its scores against the keys [first, last), and the weighted sum of their values.
struct Head {
  const float* q;
  const float* k;
  const float* v;
  int64_t key_step, value_step;  // elements between keys, and between values
  int64_t width, value_width;
  float scale, softcap;
  std::optional<float> sink;

  void run(int64_t first, int64_t last, std::vector<float>& scores, float* y) const {
    std::fill_n(y, value_width, 0.0f);
    if (first >= last) return;  // a query that sees no key has no value
    float most = sink ? *sink : -std::numeric_limits<float>::infinity();
    scores.resize(static_cast<size_t>(last - first));
    for (int64_t j = first; j < last; ++j) {
      float z = static_cast<float>(dot(q, k + j * key_step, width)) * scale;
      if (softcap > 0) z = softcap * std::tanh(z / softcap);
      scores[static_cast<size_t>(j - first)] = z;
      most = std::max(most, z);
    }
    double total = sink ? std::exp(static_cast<double>(*sink) - most) : 0.0;
    for (float& z : scores) {
      z = std::exp(z - most);
      total += z;
    }
    for (int64_t j = first; j < last; ++j) {
      const float weight = static_cast<float>(scores[static_cast<size_t>(j - first)] / total);
      const float* row = v + j * value_step;
      for (int64_t u = 0; u < value_width; ++u) y[u] += weight * row[u];
    }
  }
};

void attention(HostCall& call) {
  const HostArray& q = *call.in[0];
  const HostArray& k = *call.in[1];
  const HostArray& v = *call.in[2];
  const HostArray* sinks = call.in.size() > 3 ? call.in[3] : nullptr;
  const int64_t batch = q.shape[0], steps = q.shape[1], heads = q.shape[2], width = q.shape[3];
  const int64_t keys = k.shape[1], key_heads = k.shape[2], value_width = v.shape[3];
  const Attr& scale = call.attrs["scale"];
  const Attr& softcap = call.attrs["softcap"];
  const bool causal = call.attrs["causal"].boolean();
  Head head{};
  head.key_step = key_heads * width;
  head.value_step = key_heads * value_width;
  head.width = width;
  head.value_width = value_width;
  head.scale =
      static_cast<float>(scale.is_none() ? 1.0 / std::sqrt(static_cast<double>(width)) : scale.number());
  head.softcap = static_cast<float>(softcap.number());
  std::vector<float> scores;
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t own_steps = semantics::own_extent(call, 0, 1, b),
                  own_keys = semantics::own_extent(call, 1, 1, b);
    const Expr window = call.attrs["window"].expr();
    const int64_t reach = window ? call.value(window, b) : std::numeric_limits<int64_t>::max() / 2;
    for (int64_t i = 0; i < own_steps; ++i) {
      const int64_t diagonal = i + own_keys - own_steps;
      const int64_t last = causal ? std::min(own_keys, diagonal + 1) : own_keys;
      const int64_t first = std::max<int64_t>(0, diagonal - reach + 1);
      for (int64_t h = 0; h < heads; ++h) {
        const int64_t g = h / (heads / key_heads);
        head.q = q.f.data() + ((b * steps + i) * heads + h) * width;
        head.k = k.f.data() + (b * keys * key_heads + g) * width;
        head.v = v.f.data() + (b * keys * key_heads + g) * value_width;
        head.sink = sinks ? std::optional<float>(sinks->f[static_cast<size_t>(h)]) : std::nullopt;
        head.run(first, last, scores, call.out[0].f.data() + ((b * steps + i) * heads + h) * value_width);
      }
    }
  }
}

}  // namespace

OpRow attention_row() {
  return {
      .name = "attention",
      .operands = {{"q", false, true},
                   {.name = "k", .dense = true, .as_rows = Reading::Free, .as_blocks = true},
                   {.name = "v", .dense = true, .as_rows = Reading::Free, .as_blocks = true},
                   {"sinks", true, true}},
      .attributes = {{"causal", AttrKind::Bool, "true"},
                     {"window", AttrKind::Extent, "none"},
                     {"scale", AttrKind::Number, "none"},
                     {"softcap", AttrKind::Number, "none"}},
      .shape = checked<attention_shape>,
      .flops = attention_flops,
      .bytes = attention_bytes,
      .evaluate = attention,
      .operand_text = "q[B,S,H,K], k[B,N,G,K], v[B,N,G,U], sinks?[H] → y",
      .shape_text = "[B,S,H,U], H % G == 0; N in each row its own",
      .doc = "key j is visible to query i iff j <= i+N-S and j > i+N-S-window; scale is K^-0.5 by default",
      .family = Family::Attention};
}

}  // namespace irplan
