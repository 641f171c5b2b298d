// The CUDA kernels; their sources are in native/cuda/kernels, a file an operator.
#include "kernels/rows.h"
#include "ops/semantics.h"

namespace irplan {
namespace {

// attention, version 2: the keys of a query in kSplits runs, each a block of its own, put together at the
// end.
constexpr int64_t kSplits = 16;
constexpr int64_t kMostQueries = 8;   // of a sequence and step: above it there are blocks enough
constexpr int64_t kLeastKeys = 512;   // that may be held: below it a run is too short to be worth a launch
constexpr int64_t kWidestHead = 256;  // elements that a warp's registers hold

bool few_queries_many_keys(const KernelSite& site) {
  const OpCall& call = site.call;
  const auto at_most = [&](Expr e, int64_t most) { return bounds(e, call.ranges).hi <= most; };
  const auto plain_float = [&](size_t i) {
    return is_float(call.operand(i).dtype) && !is_block(call.operand(i).dtype);
  };
  return at_most(call.extent(0, 1), kMostQueries) &&
         bounds(call.extent(1, 1), call.ranges).hi >= kLeastKeys && at_most(call.extent(0, 3), kWidestHead) &&
         at_most(call.extent(2, 3), kWidestHead) && plain_float(1) && plain_float(2);
}

// Of each run a maximum, a sum and a head's weighted values, in f32.
Expr partial_answers(const OpCall& call) {
  return call.extent(0, 0) * call.extent(0, 1) * call.extent(0, 2) * (call.extent(2, 3) + 2) * (kSplits * 4);
}

// max and argmax, version 2: a line in kParts parts, a block each, and a second launch that takes the best.
constexpr int64_t kParts = 64;
constexpr int64_t kFound = 16;         // bytes of a part's best: its key and its place
constexpr int64_t kLeastWidth = 8192;  // below it a block by itself is as fast
constexpr int64_t kMostLines = 256;    // above it there are blocks enough

// Lines of an op that looks along one axis.
Expr lines_of(const OpCall& call) {
  const Shape& shape = call.operand(0).shape;
  const size_t axis = semantics::axis_from_end(call.attrs["axis"].integer(), shape.size());
  Expr lines = call.dims.constant(1);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i != axis) lines = lines * shape[i];
  }
  return lines;
}

bool few_long_lines(const KernelSite& site) {
  const OpCall& call = site.call;
  const Expr width = call.extent(0, static_cast<int>(call.attrs["axis"].integer()));
  return bounds(width, call.ranges).lo >= kLeastWidth && bounds(lines_of(call), call.ranges).hi <= kMostLines;
}

Expr best_of_parts(const OpCall& call) { return lines_of(call) * (kParts * kFound); }

KernelRow first_version(const char* op, const char* sentence) {
  return {.target = "cuda", .op = op, .version = 1, .sentence = sentence};
}

KernelRow in_parts(const char* op) {
  return {.target = "cuda",
          .op = op,
          .version = 2,
          .sentence = "a line in 64 parts, a block each, and a second launch that takes the best of them",
          .admits_text = "lines of 8192 and more, at most 256 of them",
          .admits = few_long_lines,
          .scratch_text = "1024*lines",
          .scratch = best_of_parts};
}

}  // namespace

std::vector<KernelRow> cuda_kernel_rows() {
  constexpr const char* kPacks = "16 bytes a thread where rows are dense";
  constexpr const char* kLine = "a block a line, its threads by turns";
  constexpr const char* kMove = "an element a thread; nothing where the bytes lie there already";
  constexpr const char* kNorm = "a block a row, read once, kept in registers";
  std::vector<KernelRow> rows = {
      first_version("embed", "an element of a first_version a thread; ids are looked at on the device"),
      first_version("positions", "an element a thread"),
      first_version(
          "linear",
          "a warp an output, its weight read once for up to eight rows; of 16 and more tiles of 64 x 64, in "
          "f32"),
      first_version("dequant", "an element a thread"),
      first_version("matmul", "tiles of 64 x 64 in f32"),
      first_version("rmsnorm", kNorm),
      first_version("layernorm", kNorm),
      first_version("rope", "a pair a thread, sine and cosine of its own"),
      first_version("append", "an element a thread, into the first_version of its position"),
      first_version("attention", "a block a query and head, its warps by turns through the keys, one pass"),
      {.target = "cuda",
       .op = "attention",
       .version = 2,
       .sentence =
           "the keys of a query in 16 runs, a block each, and a second launch that joins them: a step of "
           "one token fills the device",
       .admits_text =
           "at most 8 queries of a sequence, 512 keys or more, heads of at most 256, no block dtypes",
       .admits = few_queries_many_keys,
       .scratch_text = "64*B*S*H*(U + 2)",
       .scratch = partial_answers},
      first_version("route", "a warp a first_version, its scores in shared memory"),
      first_version("expert", "a warp an output of a choice"),
      first_version("silu", kPacks),
      first_version("gelu", kPacks),
      first_version("gelu_tanh", kPacks),
      first_version("sigmoid", kPacks),
      first_version("relu", kPacks),
      first_version("tanh", kPacks),
      first_version("exp", kPacks),
      first_version("sqrt", kPacks),
      first_version("neg", kPacks),
      first_version("softcap", kPacks),
      first_version("clamp", kPacks),
      first_version("cast", kPacks),
      first_version("add", kPacks),
      first_version("sub", kPacks),
      first_version("mul", kPacks),
      first_version("div", kPacks),
      first_version("softmax", kLine),
      first_version("sum", kLine),
      first_version("max", kLine),
      in_parts("max"),
      first_version("argmax", kLine),
      in_parts("argmax"),
      first_version("topk", "a block a line, which looks for the largest of the rest k times"),
      first_version("view", kMove),
      first_version("transpose", kMove),
      first_version("slice", kMove),
      first_version("split", kMove),
      first_version("concat", kMove),
      first_version("copy", kMove),
      first_version("pack", kMove),
      first_version("swiglu", kPacks),
      first_version("geglu", kPacks),
      first_version("add_rmsnorm", "the sum stored and normalised in one pass"),
      first_version("add_layernorm", "the sum stored and normalised in one pass"),
  };
  return rows;
}

}  // namespace irplan
