// Rows of core/src/kernels and their implementations; what kernels need of memory, in plans and when they
// run.
#include <algorithm>

#include "cuda/simt_backend.h"
#include "kernels/kernel.h"
#include "native/plan_run.h"

using namespace irplan;
using namespace irplan::test;

TEST_CASE("kernels: every row has an implementation, and every implementation a row") {
  CHECK(sorted(make_cpu_backend()->kernels()) == sorted(rows_of("cpu")));
  CHECK(sorted(make_simt_backend()->kernels()) == sorted(rows_of("cuda")));
  for (const auto& backend : {make_cpu_backend(), make_simt_backend()}) {
    for (const KernelRow& row : kernels_of(backend->target())) {
      INFO(row.name());
      CHECK(backend->has(row));
      CHECK(find_op(row.op));
      CHECK(std::string(row.sentence).size() > 0);
      CHECK((row.admits != nullptr) == (*row.admits_text != 0));
      CHECK((row.scratch != nullptr) == (*row.scratch_text != 0));
      CHECK((row.packed >= 0) == (row.weight_layout() != nullptr));
      CHECK(kernel_version(row.name(), row.target, *find_op(row.op)) == row.version);
    }
  }
}

TEST_CASE("kernels: an operator has one of every target that needs no bytes of its own") {
  for (const char* target : {"cpu", "cuda"}) {
    for (const OpRow& op : op_table()) {
      if (std::string_view(op.name) == "output") continue;
      INFO(target << " " << op.name);
      CHECK(newest_plain_kernel(target, op));
    }
  }
}

TEST_CASE("kernels: split-KV attention has its scratch in the plan, and runs in it") {
  const auto plan = plan_of(compiled(file_text("examples/models/llama.irplan"), "cuda", llama_config(true)));
  const Plan::Op* op = op_named(*plan, "cuda_attention_v2");
  REQUIRE(op);
  CHECK(op->phase == "decode");
  REQUIRE(op->scratch.size() == 1);
  const Plan::Buffer& scratch = plan->buffers[op->scratch[0]];
  CHECK(scratch.id == op->id + ".scratch");
  CHECK(scratch.segment == Plan::Segment::Arena);
  CHECK(scratch.bytes.text() == "2560*B");  // 16 runs x 4 heads x (8 + 2) numbers of 4 bytes
  CHECK(op_named(*plan, "cuda_attention_v1")->phase == "prefill");
  // The checker holds it against the kernel's row.
  Plan changed = *plan;
  changed.buffers[op->scratch[0]].bytes = plan->pool->constant(8);
  const auto small = validate_plan(changed);
  REQUIRE_FALSE(small.empty());
  CHECK(small[0].find("bytes of scratch; cuda_attention_v2 takes 2560*B") != std::string::npos);
  changed = *plan;
  changed.ops[static_cast<size_t>(op - plan->ops.data())].scratch.clear();
  CHECK_FALSE(validate_plan(changed).empty());
  // And the memory plan counts it.
  const auto cpu = plan_of(compiled(file_text("examples/models/llama.irplan"), "cpu", llama_config(true)));
  CHECK(plan->memory.no_reuse_bytes >= cpu->memory.no_reuse_bytes);

  const Text text(*plan, 37, 2);
  const auto want = run(*plan, *make_reference_backend(), text.steps, text.tokens, "logits");
  const auto got = run(*plan, *make_simt_backend(), text.steps, text.tokens, "logits");
  CHECK(largest_difference(want, got) < 2e-5f);
}

TEST_CASE("kernels: the best of a long line is looked for in parts") {
  const auto plan =
      plan_of(compiled("dim B in 1..3\ninput x: f32[B, 8200]\nbest = output(argmax(x, axis=-1))\n"
                       "most = output(max(x, axis=1, keep=true))\n",
                       "cuda"));
  const Plan::Op* op = op_named(*plan, "cuda_argmax_v2");
  REQUIRE(op);
  REQUIRE(op->scratch.size() == 1);
  CHECK(plan->buffers[op->scratch[0]].bytes.text() == "1024*B");  // 64 parts of 16 bytes
  const std::vector<Step> steps = {step_of(*plan, "main", {{"B", 3}})};
  HostArray x = floats({3, 8200});
  // Equal ones in several parts: the lowest place is the answer; and above all of them a NaN in the last
  // part.
  for (const size_t at : {8200 + 70, 8200 + 71, 8200 + 5000}) x.f[at] = 2;
  x.f[2 * 8200 + 8199] = std::nanf("");
  const auto best = run(*plan, *make_simt_backend(), steps, {x}, "best");
  CHECK(best[0].i == run(*plan, *make_reference_backend(), steps, {x}, "best")[0].i);
  CHECK(std::vector<int64_t>(best[0].i.begin() + 1, best[0].i.end()) == std::vector<int64_t>{70, 8199});
  const auto most = run(*plan, *make_simt_backend(), steps, {x}, "most")[0].f;
  CHECK(most[1] == 2.0f);
  CHECK(std::isnan(most[2]));
  // Short lines, and many, are a block each.
  for (const char* input : {"f32[4, 8191]", "f32[300, 8200]"})
    CHECK_FALSE(
        op_named(*plan_of(compiled(std::string("input x: ") + input + "\nbest = output(argmax(x, axis=-1))\n",
                                   "cuda")),
                 "cuda_argmax_v2"));
}

TEST_CASE("kernels: products are packed in panels, and the rows let go of") {
  for (const char* dtype : {"f32", "f16", "bf16"}) {
    for (const char* n : {"16", "40", "7"}) {
      INFO(dtype << " " << n);
      const std::string type(dtype), rows(n);
      const auto plan = plan_of(compiled("dim S in 1..8\ninput x: f32[S, 24]\nw = param " + type + "[" +
                                             rows + ", 24] from \"w\"\nb = param f32[" + rows +
                                             "] from \"b\"\nout = output(linear(x, w, b))\n",
                                         "cpu"));
      REQUIRE(plan->ops.size() == 2);
      CHECK(plan->ops[0].kernel == "cpu_pack_v1");
      CHECK(plan->ops[0].phase == "load");
      CHECK(plan->ops[1].kernel == "cpu_linear_v2");
      const Plan::Value& packed = plan->values[plan->ops[1].in[1]];
      CHECK(packed.id == "w.packed");
      REQUIRE(packed.packed());
      CHECK(std::string(packed.packed()->name) == "panels16");
      const int64_t item = type == "f32" ? 4 : 2, count = std::stoll(rows), padded = (count + 15) / 16 * 16;
      CHECK(plan->buffers[packed.buffer].bytes.is(padded * 24 * item));
      // Counted: the panels and the bias; not the rows, which nothing reads once they are packed.
      const auto aligned = [](int64_t bytes) { return (bytes + 63) / 64 * 64; };
      CHECK(plan->memory.segments.weights == aligned(padded * 24 * item) + aligned(count * 4));
      const std::vector<Step> steps{step_of(*plan, "main", {{"S", 5}}), step_of(*plan, "main", {{"S", 1}})};
      const std::vector<HostArray> inputs{floats({5, 24}), floats({1, 24})};
      const auto want = run(*plan, *make_reference_backend(), steps, inputs, "out");
      CHECK(largest_difference(want, run(*plan, *make_cpu_backend(), steps, inputs, "out")) < 2e-6f);
      // Another target keeps the rows in the same bytes.
      CHECK(largest_difference(want, run(*plan, *make_simt_backend(), steps, inputs, "out")) < 2e-6f);
    }
  }
}

TEST_CASE("kernels: weights of blocks and of f8 are packed too, and mean the same") {
  for (const char* dtype : {"q8_0", "q4_0", "i4g128", "mxfp4", "f8e4m3", "f8e5m2"}) {
    for (const char* n : {"16", "40", "7"}) {
      INFO(dtype << " " << n);
      const std::string type(dtype), rows(n);
      const auto plan = plan_of(compiled("dim S in 1..9\ninput x: f32[S, 384]\nw = param " + type + "[" +
                                             rows + ", 384] from \"w\"\nout = output(linear(x, w))\n",
                                         "cpu"));
      REQUIRE(plan->ops.size() == 2);
      CHECK(plan->ops[1].kernel == "cpu_linear_v3");
      const Plan::Value& packed = plan->values[plan->ops[1].in[1]];
      REQUIRE(packed.packed());
      CHECK(std::string(packed.packed()->name) == "panels16_blocks");
      const DTypeInfo& block = info(packed.dtype);
      const int64_t padded = (std::stoll(rows) + 15) / 16 * 16;
      CHECK(plan->buffers[packed.buffer].bytes.is(padded * 384 / block.elements * block.bytes));
      CHECK(validate_plan(*plan).empty());
      const std::vector<Step> steps{step_of(*plan, "main", {{"S", 9}}), step_of(*plan, "main", {{"S", 1}})};
      const std::vector<HostArray> inputs{floats({9, 384}), floats({1, 384})};
      const auto want = run(*plan, *make_reference_backend(), steps, inputs, "out");
      CHECK(largest_difference(want, run(*plan, *make_cpu_backend(), steps, inputs, "out")) < 5e-6f);
      CHECK(largest_difference(want, run(*plan, *make_simt_backend(), steps, inputs, "out")) < 5e-6f);
    }
  }
}

TEST_CASE("kernels: a table that embedding and head share is packed once, and both read panels") {
  for (const char* dtype : {"f32", "f16", "bf16", "f8e4m3", "q8_0", "q4_0", "i4g128", "mxfp4"}) {
    INFO(dtype);
    const std::string table = "dim S in 1..8\ninput ids: i32[S]\nt = param " + std::string(dtype) +
                              "[40, 384] from \"t\"\nh = embed(ids, t, to=f32)\n";
    const auto plan = plan_of(compiled(table + "rows = output(h)\nout = output(linear(h, t))\n", "cpu"));
    REQUIRE(plan->ops.size() == 3);
    const DType type = *find_dtype(dtype);
    const bool plain = !is_block(type) && info(type).bytes > 1;
    CHECK(plan->ops[0].kernel == "cpu_pack_v1");
    CHECK(plan->ops[1].kernel == (plain ? "cpu_embed_v2" : "cpu_embed_v3"));
    CHECK(plan->ops[2].kernel == (plain ? "cpu_linear_v2" : "cpu_linear_v3"));
    CHECK(plan->ops[1].in[1] == plan->ops[2].in[1]);
    const std::vector<Step> steps{step_of(*plan, "main", {{"S", 5}})};
    HostArray ids;
    ids.floats = false;
    ids.shape = {5};
    ids.i = {0, 15, 16, 39, 7};
    for (const char* output : {"rows", "out"}) {
      INFO(output);
      const auto want = run(*plan, *make_reference_backend(), steps, {ids}, output);
      const float most = std::string(output) == "rows" ? 0.0f : 1e-4f;  // rows are the same numbers
      CHECK(largest_difference(want, run(*plan, *make_cpu_backend(), steps, {ids}, output)) <= most);
      CHECK(largest_difference(want, run(*plan, *make_simt_backend(), steps, {ids}, output)) <= most);
    }
    // Alone it is read where it lies.
    const auto alone = plan_of(compiled(table + "rows = output(h)\n", "cpu"));
    CHECK(alone->ops[0].kernel == "cpu_embed_v1");
  }
}

TEST_CASE("kernels: products that quantise their activations say so in the plan, and mean it") {
  for (const char* dtype : {"f32", "bf16", "f8e4m3", "q8_0", "q4_0", "i4g128", "mxfp4"}) {
    INFO(dtype);
    CompileOptions options;
    options.target = "cpu";
    options.retypes = {{"activations", "i8"}};
    const std::string program = "dim S in 1..9\ninput x: f32[S, 384]\nw = param " + std::string(dtype) +
                                "[40, 384] from \"w\"\nout = output(linear(x, w))\n";
    const Compilation done = compile(SourceText("test.irplan", program), options);
    REQUIRE(done.ok);
    const auto plan = plan_of(done.plan_json);
    const Plan::Op& product = plan->ops.back();
    CHECK(product.attrs["rows"] == Attr(DType::Q8_0));
    CHECK(product.kernel == (is_block(*find_dtype(dtype))          ? "cpu_linear_v4"
                             : *find_dtype(dtype) == DType::F8E4M3 ? "cpu_linear_v3"
                                                                   : "cpu_linear_v2"));
    const std::vector<Step> steps{step_of(*plan, "main", {{"S", 9}}), step_of(*plan, "main", {{"S", 3}}),
                                  step_of(*plan, "main", {{"S", 1}})};
    const std::vector<HostArray> inputs{floats({9, 384}), floats({3, 384}), floats({1, 384})};
    const auto want = run(*plan, *make_reference_backend(), steps, inputs, "out");
    CHECK(largest_difference(want, run(*plan, *make_cpu_backend(), steps, inputs, "out")) < 5e-6f);
    // It is another number than without, and not far from it.
    const auto plain = plan_of(compiled(program, "cpu"));
    const auto exact = run(*plain, *make_cpu_backend(), steps, inputs, "out");
    const float cost = largest_difference(exact, want);
    CHECK(cost > 1e-4f);
    CHECK(cost < 2e-2f);
    // A backend that has no such kernel says so.
    const auto simt = make_simt_backend();
    Session session(*plan, *simt);
    WeightSource weights;
    weights.seed = 7;
    const Failure refused = session.prepare(steps, weights);
    REQUIRE(refused);
    CHECK(refused->find("quantises its activations") != std::string::npos);
  }
}

TEST_CASE("kernels: a large weight is packed some rows at a time, and is what it was") {
  const HostArray stored = floats({4104, 1056});  // 17 MB, and half a panel at the end
  StoredTensor tensor;
  tensor.type = Stored::F32;
  tensor.shape = stored.shape;
  tensor.data = reinterpret_cast<const std::byte*>(stored.f.data());
  tensor.bytes = stored.f.size() * sizeof(float);
  for (const char* type : {"f32", "q8_0"}) {
    const auto plan = plan_of(compiled(std::string("input x: f32[2, 1056]\nw = param ") + type +
                                           "[4104, 1056] from \"w\"\nout = output(linear(x, w))\n",
                                       "cpu"));
    for (const bool random : {false, true}) {
      INFO(type << (random ? ", random" : ", stored"));
      WeightSource weights;
      weights.seed = 7;
      if (!random) weights.checkpoint.emplace("memory", std::vector<NamedTensor>{{"w", tensor}});
      const std::vector<Step> steps = {step_of(*plan, "main", {})};
      const auto want = run(*plan, *make_reference_backend(), steps, {floats({2, 1056})}, "out", weights);
      const auto backend = make_cpu_backend();
      CHECK(largest_difference(want, run(*plan, *backend, steps, {floats({2, 1056})}, "out", weights)) <
            1e-5f);
      Session session(*plan, *backend);
      REQUIRE_FALSE(session.prepare(steps, weights));
      CHECK(session.memory().loading_bytes() <= int64_t{8} << 20);
      REQUIRE(session.weights().quantised.size() == (std::string(type) == "q8_0" && !random ? 1 : 0));
    }
  }
}

TEST_CASE("kernels: an op that does not quantise is not run by the kernel that does") {
  auto plan = plan_of(compiled(
      "input x: f32[2, 64]\nw = param q8_0[16, 64] from \"w\"\nout = output(linear(x, w))\n", "cpu"));
  plan->ops.back().kernel = "cpu_linear_v4";
  const auto backend = make_cpu_backend();
  Session session(*plan, *backend);
  WeightSource weights;
  weights.seed = 7;
  const Failure refused = session.prepare({step_of(*plan, "main", {})}, weights);
  REQUIRE(refused);
  CHECK(refused->find("rows=q8_0") != std::string::npos);
}

TEST_CASE("kernels: what cannot quantise its activations is told when it is compiled") {
  const auto message = [](const std::string& target, const std::string& dtype, const char* width) {
    CompileOptions options;
    options.target = target;
    options.retypes = {{"activations", dtype}};
    const std::string n(width);
    const Compilation done =
        compile(SourceText("test.irplan", "input x: f32[2, " + n + "]\nw = param f32[4, " + n +
                                              "] from \"w\"\nout = output(linear(x, w))\n"),
                options);
    REQUIRE_FALSE(done.ok);
    return render(done.diagnostics, done.source, false);
  };
  CHECK(message("cuda", "i8", "32").find("no kernel of cuda") != std::string::npos);
  CHECK(message("cpu", "q4_0", "32").find("activations=i8") != std::string::npos);
  CHECK(message("cpu", "i8", "24").find("no product can quantise them") != std::string::npos);
}

TEST_CASE("kernels: the checker holds layouts against the kernels that read them") {
  const auto plan = plan_of(compiled(
      "dim S in 1..8\ninput x: f32[S, 24]\nw = param f32[32, 24] from \"w\"\nout = output(linear(x, w))\n",
      "cpu"));
  Plan changed = *plan;
  changed.ops[1].kernel = "cpu_linear_v1";
  auto found = validate_plan(changed);
  REQUIRE_FALSE(found.empty());
  CHECK(found[0] ==
        "ops out: reads w.packed, which lies as panels16; cpu_linear_v1 reads it row by row (rule packed)");
  changed = *plan;
  changed.values[changed.ops[1].in[1]].layout = Plan::Layout::None;
  CHECK_FALSE(validate_plan(changed).empty());
  // Of two kernels that read the same panels, the one that multiplies in whole numbers takes other ops.
  const auto blocks = plan_of(compiled(
      "input x: f32[8, 64]\nw = param q8_0[32, 64] from \"w\"\nout = output(linear(x, w))\n", "cpu"));
  Plan whole = *blocks;
  REQUIRE(whole.ops[1].kernel == "cpu_linear_v3");
  whole.ops[1].kernel = "cpu_linear_v4";
  found = validate_plan(whole);
  REQUIRE(found.size() == 1);
  CHECK(
      found[0] ==
      "ops out: is of cpu_linear_v4, which takes: as version 3, blocks alone, with rows=q8_0 (rule packed)");
  whole.ops[1].attrs.set("rows", Attr(DType::Q8_0));
  CHECK(validate_plan(whole).empty());
  changed = *plan;
  changed.buffers[changed.values[changed.ops[1].in[1]].buffer].bytes = plan->pool->constant(64);
  CHECK_FALSE(validate_plan(changed).empty());
}

TEST_CASE("kernels: a weight that something else reads row by row stays as it is") {
  const auto tied = plan_of(compiled(file_text("examples/models/llama.irplan"), "cpu", llama_config(true)));
  const auto untied =
      plan_of(compiled(file_text("examples/models/llama.irplan"), "cpu", llama_config(false)));
  const auto packs = [](const Plan& plan) {
    return std::count_if(plan.ops.begin(), plan.ops.end(),
                         [](const Plan::Op& op) { return op.kernel == "cpu_pack_v1"; });
  };
  CHECK(packs(*tied) == 8);  // with the table that embedding and head share
  CHECK(packs(*untied) == 8);
  CHECK(op_named(*tied, "cpu_embed_v2"));
  CHECK(op_named(*untied, "cpu_embed_v1"));
  CHECK_FALSE(op_named(*tied, "cpu_linear_v1"));
  const auto rows =
      plan_of(compiled("input x: f32[32, 24]\nw = param f32[32, 24] from \"w\"\nout = output(linear(x, "
                       "w))\ny = output(x * w)\n",
                       "cpu"));
  CHECK(packs(*rows) == 0);
  CHECK(op_named(*rows, "cpu_linear_v1"));
  for (const Plan* plan : {tied.get(), untied.get()}) {
    const Text text(*plan, 9, 3);
    const auto want = run(*plan, *make_reference_backend(), text.steps, text.tokens, "logits");
    CHECK(largest_difference(want, run(*plan, *make_cpu_backend(), text.steps, text.tokens, "logits")) <
          2e-5f);
  }
}

TEST_CASE("kernels: plans of 0.1.0 run with the kernels that they name") {
  for (const char* target : {"cpu", "cuda"}) {
    const auto plan = plan_of(file_text(std::string("tests/data/plans/llama-0.1.0-") + target + ".json"));
    for (const Plan::Op& op : plan->ops) {
      const KernelRow* kernel = kernel_of(*plan, op, target);
      REQUIRE(kernel);
      CHECK(kernel->version == 1);
    }
    const Text text(*plan, 9, 2);
    const auto want = run(*plan, *make_reference_backend(), text.steps, text.tokens, "logits");
    const auto backend = std::string(target) == "cpu" ? make_cpu_backend() : make_simt_backend();
    CHECK(largest_difference(want, run(*plan, *backend, text.steps, text.tokens, "logits")) < 2e-5f);
  }
}

TEST_CASE("kernels: one of a version that no build has is refused by name") {
  auto plan = plan_of(file_text("tests/data/plans/llama-0.1.0-cpu.json"));
  plan->ops.back().kernel = "cpu_linear_v7";
  const Failure failure = make_cpu_backend()->load(*plan);
  REQUIRE(failure);
  CHECK(failure->find("`cpu_linear_v7` is newer than this build's, whose newest is v4") != std::string::npos);
  CHECK_FALSE(make_simt_backend()->load(*plan));  // another target's: run with its own
}
