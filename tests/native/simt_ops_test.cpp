// Every CUDA kernel against the reference, over random shapes, strides and dtypes.
#include "native/op_trial.h"

using namespace irplan;
using irplan::test::OpTrial;

namespace {

// Runs a trial for many seeds; each seed is also an order of the device's threads.
template <class Build>
void try_seeds(uint32_t count, const Build& build) {
  for (uint32_t seed = 1; seed <= count; ++seed) {
    OpTrial t(seed * 7919);
    reseed_simt(seed);
    build(t);
    INFO("seed " << seed << ", ops " << t.plan.ops.back().row->name);
    CHECK(t.compare() == "");
  }
}

Attr ints(std::initializer_list<int64_t> numbers) {
  AttrList list;
  for (const int64_t x : numbers) list.emplace_back(x);
  return Attr::of(std::move(list));
}

std::vector<Expr> shape(OpTrial& t, std::initializer_list<int64_t> extents) {
  std::vector<Expr> out;
  for (const int64_t n : extents) out.push_back(t.n(n));
  return out;
}

// A width that vectors fit, or any.
int64_t any_width(OpTrial& t, int64_t most) { return t.coin() ? 8 * t.any(1, most / 8) : t.any(1, most); }

}  // namespace

TEST_CASE("kernels: functions of one element") {
  for (const char* name :
       {"silu", "gelu", "gelu_tanh", "sigmoid", "relu", "tanh", "exp", "neg", "softcap", "clamp"}) {
    try_seeds(4, [&](OpTrial& t) {
      std::vector<std::pair<std::string, Attr>> attrs;
      if (std::string(name) == "softcap") attrs = {{"cap", Attr(2.5)}};
      if (std::string(name) == "clamp") attrs = {{t.coin() ? "lo" : "hi", Attr(0.25)}};
      const bool loose = t.coin();
      const uint32_t x =
          t.numbers(t.any_float(), shape(t, {t.any(1, 3), t.any(1, 5), any_width(t, 200)}), loose, 3);
      t.slack = 8;  // the device's own functions are a few units in the last place from the host's
      t.op(name, {x}, attrs, t.coin() ? 0 : -1, t.coin());
    });
  }
}

TEST_CASE("kernels: sqrt, and integers") {
  try_seeds(3, [&](OpTrial& t) {
    const uint32_t x = t.numbers(DType::F32, shape(t, {3, 9}));
    t.op("mul", {x, x});
    t.op("sqrt", {t.last()});
  });
  try_seeds(4, [&](OpTrial& t) {
    const uint32_t x =
        t.numbers(t.coin() ? DType::I32 : DType::I64, shape(t, {3, t.any(1, 40)}), t.coin(), 1, -50, 50);
    t.op(t.coin() ? "neg" : "clamp", {x}, {});
  });
}

TEST_CASE("kernels: cast") {
  const DType from[] = {DType::F32,    DType::F16,  DType::BF16, DType::I32,
                        DType::F8E4M3, DType::Q8_0, DType::MXFP4};
  const DType to[] = {DType::F32,    DType::F16, DType::BF16, DType::F8E4M3,
                      DType::F8E5M2, DType::I32, DType::I8,   DType::Bool};
  for (const DType x : from) {
    for (const DType y : to) {
      INFO(name(x) << " to " << name(y));
      try_seeds(1, [&](OpTrial& t) {
        const uint32_t v = t.numbers(x, shape(t, {2, 64}), false, 20, -3, 90);
        t.op(is_block(x) ? "dequant" : "cast", {v},
             {{"to", Attr(is_block(x) && !is_float(y) ? DType::F32 : y)}});
      });
    }
  }
}

TEST_CASE("kernels: add, sub, mul, div") {
  for (const char* name : {"add", "sub", "mul", "div"}) {
    try_seeds(6, [&](OpTrial& t) {
      const int64_t b = t.any(1, 3), s = t.any(1, 4), d = any_width(t, 100);
      const DType dtype = t.any_float();
      const uint32_t x = t.numbers(dtype, shape(t, {b, s, d}), t.coin());
      const int kind = static_cast<int>(t.any(0, 4));
      if (kind == 0) {
        t.op(name, {x}, {{"scalar", Attr(1.5)}, {"scalar_first", Attr(t.coin())}});
        return;
      }
      const uint32_t y = kind == 1   ? t.numbers(dtype, shape(t, {b, s, d}))
                         : kind == 2 ? t.numbers(t.any_float(), shape(t, {s, 1}), t.coin())
                         : kind == 3 ? t.numbers(t.any_float(), shape(t, {d}))
                                     : t.numbers(dtype, shape(t, {b, 1, d}), t.coin());
      t.op(name, {x, y}, {}, t.coin() ? 0 : -1, t.coin());
    });
    try_seeds(2, [&](OpTrial& t) {
      const uint32_t x = t.numbers(DType::I32, shape(t, {3, 7}), false, 1, -40, 40);
      t.op(name, {x, t.numbers(DType::I32, shape(t, {3, 1}), false, 1, -3, 3)});
    });
  }
}

TEST_CASE("kernels: swiglu and geglu") {
  for (const char* name : {"swiglu", "geglu"}) {
    try_seeds(5, [&](OpTrial& t) {
      const DType dtype = t.any_float();
      const auto extents = shape(t, {t.any(1, 3), t.any(1, 3), any_width(t, 300)});
      const uint32_t g = t.numbers(dtype, extents, t.coin()), u = t.numbers(dtype, extents, t.coin());
      t.slack = 4;
      t.op(name, {g, u}, {}, static_cast<int>(t.any(-1, 1)));
    });
  }
}

TEST_CASE("kernels: rmsnorm and layernorm") {
  try_seeds(14, [&](OpTrial& t) {
    const DType dtype = t.any_float();
    const int64_t d = any_width(t, 700);
    const uint32_t x = t.numbers(dtype, shape(t, {t.any(1, 2), t.any(1, 3), d}), t.coin(), 2);
    const uint32_t w = t.coin() ? t.numbers(t.coin() ? dtype : t.any_float(), shape(t, {d})) : kAbsent;
    const int place = t.coin() ? 0 : -1;
    if (t.coin()) {
      t.op("rmsnorm", {x, w}, {{"eps", Attr(1e-5)}, {"offset", Attr(static_cast<double>(t.any(0, 1)))}},
           place);
    } else {
      t.op("layernorm", {x, w, t.coin() ? t.numbers(dtype, shape(t, {d})) : kAbsent}, {{"eps", Attr(1e-5)}},
           place);
    }
  });
}

TEST_CASE("kernels: norms of wide rows") {
  for (const DType dtype : {DType::F32, DType::BF16}) {
    try_seeds(1, [&](OpTrial& t) {
      const uint32_t x = t.numbers(dtype, shape(t, {2, 20000}));
      t.op("rmsnorm", {x, t.numbers(dtype, shape(t, {20000}))}, {{"eps", Attr(1e-5)}});
    });
  }
}

TEST_CASE("kernels: the norm of a sum that is stored") {
  try_seeds(10, [&](OpTrial& t) {
    const DType dtype = t.any_float();
    const int64_t d = any_width(t, 500);
    const auto extents = shape(t, {t.any(1, 3), d});
    const uint32_t a = t.numbers(dtype, extents, t.coin()), b = t.numbers(dtype, extents, t.coin());
    const uint32_t w = t.coin() ? t.numbers(dtype, shape(t, {d})) : kAbsent;
    const int place = static_cast<int>(t.any(-1, 1));
    t.slack = 2;
    if (t.coin()) {
      t.op("add_rmsnorm", {a, b, w}, {{"eps", Attr(1e-6)}}, place);
    } else {
      t.op("add_layernorm", {a, b, w, t.numbers(dtype, shape(t, {d}))}, {{"eps", Attr(1e-6)}}, place);
    }
  });
}

TEST_CASE("kernels: rope") {
  try_seeds(10, [&](OpTrial& t) {
    const int64_t width = 2 * t.any(1, 40), dim = 2 * t.any(1, width / 2);
    const bool ragged = t.coin();
    const int64_t batch = t.any(1, 3), steps = t.any(1, 4);
    Expr at = t.n(t.any(0, 30000));
    if (ragged) {
      std::vector<int64_t> rows;
      for (int64_t b = 0; b < batch; ++b) rows.push_back(t.any(0, 500));
      t.ragged(rows);
      at = t.plan.pool->dim("P");
    }
    const uint32_t x = t.coin()
                           ? t.numbers(t.any_float(), shape(t, {batch, steps, t.any(1, 5), width}), t.coin())
                           : t.numbers(t.any_float(), shape(t, {batch, steps, width}), t.coin());
    t.slack = 8;
    t.op("rope", {x},
         {{"base", Attr(10000.0)}, {"at", Attr(at)}, {"dim", Attr(t.n(dim))}, {"interleave", Attr(t.coin())}},
         t.coin() ? 0 : -1);
  });
}

TEST_CASE("kernels: embed and positions") {
  try_seeds(4, [&](OpTrial& t) {
    const int64_t rows = t.any(2, 40), width = t.any(1, 300);
    const uint32_t ids = t.numbers(DType::I32, shape(t, {t.any(1, 3), t.any(1, 5)}), false, 1, 0, rows - 1);
    t.op("embed", {ids, t.numbers(t.any_float(), shape(t, {rows, width}), t.coin())});
  });
  try_seeds(2, [&](OpTrial& t) {
    t.op("positions", {}, {{"at", Attr(t.n(t.any(0, 99)))}, {"shape", Attr::of(shape(t, {2, 5}))}});
  });
}

TEST_CASE("kernels: an id that no row has is an error, and reads nothing") {
  OpTrial t(3);
  const uint32_t ids = t.numbers(DType::I32, shape(t, {1, 4}), false, 1, 7, 7);
  t.op("embed", {ids, t.numbers(DType::F32, shape(t, {5, 8}))});
  t.compare();
  CHECK(t.said.find("id 7 at place ") != std::string::npos);
  CHECK(t.said.find("of v0 is outside of the 5 rows of v1") != std::string::npos);
}

TEST_CASE("kernels: linear") {
  try_seeds(24, [&](OpTrial& t) {
    const DType dtype = t.any_float();
    const int64_t k = any_width(t, 150), n = t.any(1, 90), rows = t.coin() ? t.any(1, 6) : t.any(16, 80);
    const uint32_t x = t.numbers(dtype, shape(t, {1, rows, k}), t.coin());
    const uint32_t w = t.numbers(t.coin() ? dtype : t.any_float(), shape(t, {n, k}), t.coin(), 0.3f);
    const uint32_t bias = t.coin() ? t.numbers(dtype, shape(t, {n})) : kAbsent;
    t.slack = 4;
    if (t.coin()) {
      t.op("linear", {x, w, bias}, {{"to", Attr(t.any_float())}});
    } else {
      t.op("linear", {x, w, bias});
    }
  });
}

TEST_CASE("kernels: linear of one to seventeen rows, dense and not") {
  for (int64_t rows = 1; rows <= 17; ++rows) {
    for (const bool dense : {true, false}) {
      OpTrial t(static_cast<uint32_t>(rows));
      const DType dtype = dense ? DType::BF16 : DType::F32;
      const uint32_t x = t.numbers(dtype, shape(t, {1, rows, 72})),
                     w = t.numbers(DType::BF16, shape(t, {9, 72}), false, 0.3f);
      t.op("linear", {x, w}, {{"to", Attr(DType::F32)}});
      t.slack = 4;
      INFO(rows << (dense ? " rows, dense" : " rows"));
      CHECK(t.compare() == "");
    }
  }
}

TEST_CASE("kernels: linear with a weight for each group, with scales, and with blocks") {
  try_seeds(4, [&](OpTrial& t) {
    const int64_t groups = t.any(1, 3), k = t.any(1, 40), n = t.any(1, 30);
    const uint32_t x = t.numbers(DType::F32, shape(t, {t.any(1, 20), groups, k}));
    t.slack = 4;
    t.op("linear", {x, t.numbers(DType::BF16, shape(t, {groups, n, k})),
                    t.coin() ? t.numbers(DType::F32, shape(t, {n})) : kAbsent});
  });
  try_seeds(4, [&](OpTrial& t) {
    const int64_t k = t.any(1, 300), n = t.any(1, 40);
    const uint32_t x = t.numbers(DType::BF16, shape(t, {t.any(1, 24), k}));
    const uint32_t scale = t.numbers(DType::F32, shape(t, {(n + 15) / 16, (k + 127) / 128}));
    t.slack = 4;
    t.op("linear", {x, t.numbers(DType::F8E4M3, shape(t, {n, k})), kAbsent, scale},
         {{"block", ints({16, 128})}});
  });
  for (const DType block : {DType::Q8_0, DType::Q4_0, DType::I4G128, DType::MXFP4}) {
    INFO(name(block));
    try_seeds(2, [&](OpTrial& t) {
      const uint32_t x = t.numbers(DType::F32, shape(t, {t.any(1, 20), 256}));
      t.slack = 4;
      t.op("linear", {x, t.numbers(block, shape(t, {t.any(1, 20), 256}))});
    });
  }
}

TEST_CASE("kernels: dequant with scales") {
  try_seeds(4, [&](OpTrial& t) {
    const int64_t e = t.any(1, 3), n = t.any(1, 40), k = t.any(1, 40);
    const uint32_t scale = t.numbers(DType::F32, shape(t, {e, (n + 7) / 8, (k + 15) / 16}));
    t.op("dequant", {t.numbers(DType::F8E4M3, shape(t, {e, n, k})), scale},
         {{"to", Attr(DType::F32)}, {"block", ints({8, 16})}});
  });
}

TEST_CASE("kernels: matmul") {
  try_seeds(10, [&](OpTrial& t) {
    const int64_t b = t.any(1, 3), m = t.any(1, 40), k = t.any(1, 40), n = t.any(1, 40);
    const DType dtype = t.any_float();
    const uint32_t x = t.numbers(dtype, t.coin() ? shape(t, {b, m, k}) : shape(t, {m, k}), t.coin());
    const uint32_t w = t.numbers(dtype, t.coin() ? shape(t, {b, k, n}) : shape(t, {k, n}), t.coin());
    t.slack = 4;
    t.op("matmul", {x, w});
  });
}

TEST_CASE("kernels: expert") {
  try_seeds(6, [&](OpTrial& t) {
    const int64_t tokens = t.any(1, 4), choices = t.any(1, 3), experts = t.any(2, 5), k = t.any(1, 50),
                  n = t.any(1, 20);
    const bool shared = t.coin();
    const uint32_t x =
        t.numbers(DType::F32, shared ? shape(t, {1, tokens, k}) : shape(t, {1, tokens, choices, k}));
    const uint32_t w = t.numbers(t.any_float(), shape(t, {experts, n, k}));
    const uint32_t e = t.numbers(DType::I32, shape(t, {1, tokens, choices}), false, 1, 0, experts - 1);
    t.slack = 4;
    t.op("expert", {x, w, e, t.coin() ? t.numbers(DType::F32, shape(t, {experts, n})) : kAbsent});
  });
}

TEST_CASE("kernels: route") {
  for (const char* score : {"softmax", "topk_softmax", "sigmoid"}) {
    try_seeds(5, [&](OpTrial& t) {
      const int64_t experts = 8 * t.any(1, 8), k = t.any(1, 4);
      const uint32_t logits = t.numbers(t.any_float(), shape(t, {1, t.any(1, 5), experts}));
      const uint32_t bias = t.coin() ? t.numbers(DType::F32, shape(t, {experts})) : kAbsent;
      std::vector<std::pair<std::string, Attr>> attrs = {{"k", Attr(t.n(k))},
                                                         {"score", Attr(std::string(score))},
                                                         {"norm", Attr(t.coin())},
                                                         {"scale", Attr(2.5)}};
      if (t.coin()) {
        attrs.emplace_back("groups", Attr(int64_t{4}));
        attrs.emplace_back("group_k", Attr(int64_t{2}));
      }
      t.op("route", {logits, bias}, attrs);
    });
  }
}

TEST_CASE("kernels: along an axis") {
  try_seeds(12, [&](OpTrial& t) {
    const auto extents = shape(t, {t.any(1, 3), t.any(1, 80), t.any(1, 6)});
    const Attr axis(t.any(-3, 2));
    const uint32_t x = t.numbers(t.any_float(), extents, t.coin());
    const char* names[] = {"softmax", "sum", "max", "argmax"};
    const char* name = names[t.any(0, 3)];
    t.slack = 4;
    if (std::string(name) == "softmax") {
      t.op(name, {x}, {{"axis", axis}}, t.coin() ? 0 : -1);
    } else {
      t.op(name, {x}, {{"axis", axis}, {"keep", Attr(t.coin())}});
    }
  });
  try_seeds(4, [&](OpTrial& t) {
    const bool ints = t.coin();
    // Few different numbers: ties go to the lowest place.
    const uint32_t x = ints ? t.numbers(DType::I32, shape(t, {2, 150}), false, 1, 0, 20)
                            : t.numbers(DType::F16, shape(t, {2, 150}));
    t.op("topk", {x}, {{"k", Attr(t.n(t.any(1, 9)))}});
  });
  try_seeds(2, [&](OpTrial& t) {
    t.op(t.coin() ? "sum" : "argmax", {t.numbers(DType::I32, shape(t, {3, 40}), false, 1, -9, 9)});
  });
}

TEST_CASE("kernels: copy, transpose, slice, split, concat") {
  for (const DType dtype : {DType::F32, DType::BF16, DType::I64, DType::Q4_0}) {
    try_seeds(3, [&](OpTrial& t) {
      const uint32_t x = t.numbers(dtype, shape(t, {2, 3, 64}), t.coin());
      t.op("copy", {x}, {{"shape", Attr::of(shape(t, {6, 64}))}});
      t.op("transpose", {x}, {{"perm", ints({1, 0, 2})}});
      t.op("slice", {x}, {{"axis", Attr(int64_t{2})}, {"start", Attr(t.n(32))}, {"len", Attr(t.n(32))}});
      t.op("split", {x}, {{"axis", Attr(int64_t{1})}, {"sizes", Attr::of(shape(t, {1, 2}))}});
    });
  }
  try_seeds(4, [&](OpTrial& t) {
    const DType dtype = t.any_float();
    const uint32_t a = t.numbers(dtype, shape(t, {2, 3, 5}), t.coin()),
                   b = t.numbers(dtype, shape(t, {2, 1, 4}));
    t.op("concat", {a, b}, {{"axis", Attr(int64_t{-1})}});
  });
}

namespace {

// A cache of `rows` rows that holds what came before, then an append and attention over it.
void try_cache(OpTrial& t, bool ring, int64_t window) {
  const int64_t batch = t.any(1, 3), steps = t.any(1, 4), width = t.any(1, 40), value_width = t.any(1, 40);
  const int64_t key_heads = t.any(1, 3), heads = key_heads * t.any(1, 3),
                rows = ring ? window - 1 + steps : 24;
  std::vector<int64_t> past;
  for (int64_t b = 0; b < batch; ++b) past.push_back(t.any(0, ring ? 40 : 24 - steps));
  t.ragged(past);
  const Expr b = t.plan.pool->dim("B"), at = t.plan.pool->dim("P");
  const DType dtype = t.any_float();
  std::vector<uint32_t> kept;
  for (const int64_t w : {width, value_width}) {
    const uint32_t state = t.value(dtype, {b, t.n(rows), t.n(key_heads), t.n(w)}, false, Plan::Kind::State);
    t.plan.values[state].layout = ring ? Plan::Layout::Ring : Plan::Layout::Contiguous;
    t.fill(state);
    const uint32_t x = t.numbers(t.any_float(), {b, t.n(steps), t.n(key_heads), t.n(w)}, t.coin());
    t.op("append", {state, x}, {{"at", Attr(at)}});
    kept.push_back(t.last());
  }
  const uint32_t q = t.numbers(t.any_float(), {b, t.n(steps), t.n(heads), t.n(width)}, t.coin());
  const uint32_t sinks = t.coin() ? t.numbers(DType::F32, {t.n(heads)}) : kAbsent;
  std::vector<std::pair<std::string, Attr>> attrs = {{"causal", Attr(true)}};
  if (window) attrs.emplace_back("window", Attr(t.n(window)));
  if (t.coin()) attrs.emplace_back("softcap", Attr(4.0));
  t.slack = 4;
  t.op("attention", {q, kept[0], kept[1], sinks}, attrs);
}

}  // namespace

TEST_CASE("kernels: append and attention over sequences of their own lengths") {
  try_seeds(12, [&](OpTrial& t) { try_cache(t, false, t.coin() ? 0 : t.any(1, 9)); });
}

TEST_CASE("kernels: append and attention over rings") {
  try_seeds(12, [&](OpTrial& t) { try_cache(t, true, t.any(2, 9)); });
}

TEST_CASE("kernels: attention without a cache, wide heads, no mask") {
  try_seeds(8, [&](OpTrial& t) {
    const int64_t width = t.coin() ? t.any(1, 128) : t.any(129, 600), keys = t.any(1, 20);
    const DType dtype = t.any_float();
    const uint32_t q = t.numbers(dtype, shape(t, {1, t.any(1, 6), 2, width}));
    const uint32_t k = t.numbers(dtype, shape(t, {1, keys, 1, width})),
                   v = t.numbers(dtype, shape(t, {1, keys, 1, t.any(1, 300)}));
    t.slack = 4;
    t.op("attention", {q, k, v}, {{"causal", Attr(t.coin())}, {"scale", Attr(0.1)}});
  });
}

TEST_CASE("kernels: attention whose first scores are -inf, and all of them") {
  for (const int64_t keys : {4, 5, 40}) {
    for (const DType dtype : {DType::F32, DType::BF16}) {
      OpTrial t(3);
      const uint32_t q = t.numbers(dtype, shape(t, {1, 1, 2, 1}));
      const uint32_t k = t.numbers(dtype, shape(t, {1, keys, 1, 1})),
                     v = t.numbers(dtype, shape(t, {1, keys, 1, 3}));
      t.set(q, [](size_t) { return 1.0f; });
      t.set(k, [](size_t i) { return i < 4 ? -INFINITY : 0.25f * static_cast<float>(i); });
      t.op("attention", {q, k, v}, {{"causal", Attr(false)}, {"scale", Attr(1.0)}});
      INFO(keys << " keys, " << name(dtype));
      CHECK(t.compare() == "");
    }
  }
}

TEST_CASE("kernels: outputs and batches beyond what a grid has in y and z take turns") {
  limit_simt_grids(2);
  for (const int64_t rows : {1, 3, 20}) {
    OpTrial batches(1);
    const uint32_t a = batches.numbers(DType::F32, shape(batches, {7, rows, 5})),
                   b = batches.numbers(DType::F32, shape(batches, {7, 5, 3}));
    batches.op("matmul", {a, b});
    CHECK(batches.compare() == "");
  }
  OpTrial outputs(2);
  const uint32_t x = outputs.numbers(DType::BF16, shape(outputs, {1, 70, 16})),
                 w = outputs.numbers(DType::BF16, shape(outputs, {300, 16}));
  outputs.op("linear", {x, w});
  CHECK(outputs.compare() == "");
  OpTrial experts(3);
  const uint32_t tokens = experts.numbers(DType::F32, shape(experts, {1, 2, 16})),
                 e = experts.numbers(DType::I32, shape(experts, {1, 2, 2}), false, 1, 0, 3),
                 weights = experts.numbers(DType::F32, shape(experts, {4, 50, 16}));
  experts.op("expert", {tokens, weights, e});
  CHECK(experts.compare() == "");
  limit_simt_grids(65535);
}

TEST_CASE("kernels: as many experts as a route may have, in shared memory that is asked for") {
  OpTrial t(4);
  const uint32_t logits = t.numbers(DType::F32, shape(t, {1, 1, 4096}));
  t.op("route", {logits},
       {{"k", Attr(t.n(4096))},
        {"score", Attr(std::string("softmax"))},
        {"groups", Attr(int64_t{512})},
        {"group_k", Attr(int64_t{512})}});
  t.slack = 8;
  CHECK(t.compare() == "");
}

TEST_CASE("kernels: a state in blocks") {
  for (const DType block : {DType::Q8_0, DType::Q4_0, DType::MXFP4}) {
    INFO(name(block));
    try_seeds(2, [&](OpTrial& t) {
      const uint32_t state = t.value(block, shape(t, {2, 6, 1, 64}), false, Plan::Kind::State);
      t.fill(state);
      t.op("append", {state, t.numbers(DType::F32, shape(t, {2, 2, 1, 64}))}, {{"at", Attr(t.n(3))}});
    });
  }
}

TEST_CASE("kernels: rows beyond a state are refused before anything runs") {
  OpTrial t(5);
  const uint32_t state = t.value(DType::F32, shape(t, {1, 6, 2}), false, Plan::Kind::State);
  t.fill(state);
  t.op("append", {state, t.numbers(DType::F32, shape(t, {1, 2, 2}))}, {{"at", Attr(t.n(4))}});
  t.plan.ops[0].attrs.set("at", Attr(t.n(5)));
  t.compare();
  CHECK(t.said.find("row 6 of sequence 0 is outside of the 6 rows of v0") != std::string::npos);
}
