// What a GPU tells in a few minutes: the ceilings that kernels are held against, the library's kernels at the
// sizes of models, and the variants among which the fast path chooses.
//
//     irplan-gpu-bench (ceilings|kernels|variants) FILE
//
// Every figure is a line of JSON in FILE, written as it is measured; a figure that stands there already is
// not measured again, so that a run that was cut short goes on where it ended. Times are CUDA events' around
// repeated launches after warm-up, the median of several rounds.
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "cuda/kernels/attention.cuh"
#include "cuda/kernels/linear.cuh"

namespace irplan::cuda {
namespace {

constexpr int kRounds = 7;          // of which the median counts
constexpr double kRoundMs = 4;      // that a round takes at least
constexpr int kMostRepeats = 4096;  // in a round
constexpr size_t kMiB = size_t{1} << 20;

[[noreturn]] void stop(const std::string& what) {
  std::fprintf(stderr, "irplan-gpu-bench: %s\n", what.c_str());
  std::exit(1);
}

void must(cudaError_t error, const char* what) {
  if (error != cudaSuccess)
    stop(std::string(what) + ": " + cudaGetErrorName(error) + " (" + cudaGetErrorString(error) + ")");
}
void must(int error, const char* what) { must(static_cast<cudaError_t>(error), what); }

struct Block {
  std::byte* at = nullptr;
  explicit Block(size_t bytes) {
    must(cudaMalloc(reinterpret_cast<void**>(&at), bytes), "allocating");
    must(cudaMemset(at, 0, bytes), "clearing");
  }
  ~Block() { cudaFree(at); }
  Block(const Block&) = delete;
};

// The file of figures.
class Figures {
 public:
  explicit Figures(const char* path) : path_(path) {
    std::ifstream before(path);
    for (std::string line; std::getline(before, line);) {
      const size_t begin = line.find("\"name\":\"");
      if (begin == std::string::npos || line.back() != '}') continue;
      const size_t end = line.find('"', begin + 8);
      known_.insert(line.substr(begin + 8, end - begin - 8));
    }
  }
  bool wanted(const std::string& name) const { return known_.count(name) == 0; }
  void add(const std::string& name, double value, const char* unit, const std::string& more = "") {
    std::FILE* file = std::fopen(path_, "a");
    if (!file) stop(std::string("cannot write ") + path_);
    std::fprintf(file, "{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"%s}\n", name.c_str(), value, unit,
                 more.c_str());
    if (std::fclose(file) != 0) stop(std::string("cannot write ") + path_);
    std::printf("%-56s %10.4g %s\n", name.c_str(), value, unit);
    std::fflush(stdout);
  }

 private:
  const char* path_;
  std::set<std::string> known_;
};

class Clock {
 public:
  Clock() {
    must(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
    must(cudaEventCreate(&begin_), "making an event");
    must(cudaEventCreate(&end_), "making an event");
  }
  cudaStream_t stream() const { return stream_; }
  // Microseconds of one call of `run(i)`, i counting up through all of them.
  double us(const std::function<void(int)>& run) {
    int i = 0;
    for (; i < 3; ++i) run(i);
    const double once = std::max(1e-3, ms(1, i, run));
    const int repeats = std::clamp(static_cast<int>(kRoundMs / once), 1, kMostRepeats);
    std::vector<double> took;
    for (int round = 0; round < kRounds; ++round) took.push_back(ms(repeats, i, run) * 1e3 / repeats);
    std::sort(took.begin(), took.end());
    return took[kRounds / 2];
  }

 private:
  double ms(int repeats, int& i, const std::function<void(int)>& run) {
    must(cudaEventRecord(begin_, stream_), "starting the clock");
    for (int n = 0; n < repeats; ++n) run(i++);
    must(cudaEventRecord(end_, stream_), "stopping the clock");
    must(cudaEventSynchronize(end_), "running");
    float took = 0;
    must(cudaEventElapsedTime(&took, begin_, end_), "reading the clock");
    return took;
  }
  cudaStream_t stream_ = nullptr;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

Tensor tensor(DType dtype, void* data, std::initializer_list<int64_t> shape) {
  Tensor t;
  t.data = static_cast<std::byte*>(data);
  t.dtype = dtype;
  t.segment = MemorySegment::Arena;
  for (const int64_t n : shape) t.shape[t.rank++] = n;
  int64_t span = 1;
  for (int i = t.rank; i-- > 0; span *= t.shape[i]) t.stride[i] = span;
  return t;
}

// ------------------------------------------------------------------------------------------------ ceilings

__global__ void __launch_bounds__(256) read_all(const uint4* x, int64_t count, unsigned* out) {
  unsigned own = 0;
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    const uint4 v = x[i];
    own ^= v.x ^ v.y ^ v.z ^ v.w;
  }
  if (own == 0x12345678u) *out = own;  // never: the memory is zero
}
__global__ void nothing() {}

void ceilings(Figures& out) {
  Clock clock;
  for (const size_t mib : {1, 8, 32, 128, 512, 2048}) {
    const std::string size = std::to_string(mib) + " MiB";
    if (!out.wanted("copy " + size) && !out.wanted("read " + size)) continue;
    const Block from(mib * kMiB), to(mib * kMiB);
    const double bytes = static_cast<double>(mib * kMiB);
    if (out.wanted("copy " + size)) {
      const double us = clock.us([&](int) {
        must(cudaMemcpyAsync(to.at, from.at, mib * kMiB, cudaMemcpyDeviceToDevice, clock.stream()),
             "copying");
      });
      out.add("copy " + size, 2 * bytes / us * 1e-3, "GB/s");
    }
    if (out.wanted("read " + size)) {
      const double us = clock.us([&](int) {
        read_all<<<2048, 256, 0, clock.stream()>>>(reinterpret_cast<const uint4*>(from.at),
                                                   static_cast<int64_t>(mib * kMiB / 16),
                                                   reinterpret_cast<unsigned*>(to.at));
      });
      out.add("read " + size, bytes / us * 1e-3, "GB/s");
    }
  }
  for (const bool pinned : {true, false}) {
    const std::string name = std::string("host to device, ") + (pinned ? "pinned" : "pageable");
    if (!out.wanted(name)) continue;
    constexpr size_t kBytes = 64 * kMiB;
    const Block to(kBytes);
    void* from = nullptr;
    if (pinned) {
      must(cudaMallocHost(&from, kBytes), "allocating pinned memory");
    } else {
      from = std::calloc(1, kBytes);
      if (!from) stop("no memory");
    }
    const double us = clock.us([&](int) {
      must(cudaMemcpyAsync(to.at, from, kBytes, cudaMemcpyHostToDevice, clock.stream()), "copying");
    });
    out.add(name, static_cast<double>(kBytes) / us * 1e-3, "GB/s");
    pinned ? void(cudaFreeHost(from)) : std::free(from);
  }
  // Chains of empty kernels, as long as a decode step of Llama-3.2-1B is today, and fused.
  for (const int length : {83, 260}) {
    const std::string chain = "chain of " + std::to_string(length) + " empty kernels, ";
    const auto enqueue = [&] {
      for (int i = 0; i < length; ++i) nothing<<<1, 32, 0, clock.stream()>>>();
    };
    if (out.wanted(chain + "stream")) out.add(chain + "stream", clock.us([&](int) { enqueue(); }), "us");
    if (out.wanted(chain + "host")) {
      std::vector<double> took;
      for (int i = 0; i < 50; ++i) {
        must(cudaStreamSynchronize(clock.stream()), "waiting");
        const auto begin = std::chrono::steady_clock::now();
        enqueue();
        took.push_back(
            std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
      }
      std::sort(took.begin(), took.end());
      out.add(chain + "host", took[25], "us");
    }
    if (!out.wanted(chain + "graph")) continue;
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t ready = nullptr;
    must(cudaStreamBeginCapture(clock.stream(), cudaStreamCaptureModeThreadLocal), "capturing");
    enqueue();
    must(cudaStreamEndCapture(clock.stream(), &graph), "capturing");
    must(cudaGraphInstantiate(&ready, graph, 0), "making a graph");
    out.add(chain + "graph",
            clock.us([&](int) { must(cudaGraphLaunch(ready, clock.stream()), "launching a graph"); }), "us");
    cudaGraphExecDestroy(ready);
    cudaGraphDestroy(graph);
  }
}

// ------------------------------------------------------------------------------------------------ kernels

struct Shape {
  const char* name;
  int64_t n, k;
};
// Of Llama-3.2-1B and Llama-3.1-8B.
constexpr Shape kShapes[] = {{"1B q", 2048, 2048},     {"1B k", 512, 2048},       {"1B gate", 8192, 2048},
                             {"1B down", 2048, 8192},  {"1B head", 128256, 2048}, {"8B q", 4096, 4096},
                             {"8B gate", 14336, 4096}, {"8B down", 4096, 14336}};

constexpr size_t kColdBytes = 512 * kMiB;  // of weights that take turns, so that none is in the cache

// Weights in turn, and what is moved each time.
class Products {
 public:
  explicit Products(const Shape& s)
      : s_(s),
        bytes_(static_cast<size_t>(s.n * s.k) * 2),
        turns_(static_cast<int64_t>((kColdBytes + bytes_ - 1) / bytes_)),
        weights_(bytes_ * static_cast<size_t>(turns_)),
        x_(static_cast<size_t>(16 * s.k) * 2),
        y_(static_cast<size_t>(16 * s.n) * 2) {}
  LinearCall call(int64_t rows, int turn) const {
    LinearCall c;
    c.x = tensor(DType::BF16, x_.at, {rows, s_.k});
    c.y = tensor(DType::BF16, y_.at, {rows, s_.n});
    c.weight.w = tensor(DType::BF16, weights_.at + bytes_ * static_cast<size_t>(turn % turns_), {s_.n, s_.k});
    return c;
  }
  double gigabytes() const { return static_cast<double>(bytes_) * 1e-9; }

 private:
  const Shape& s_;
  size_t bytes_;
  int64_t turns_;
  Block weights_, x_, y_;
};

void kernels(Figures& out) {
  Clock clock;
  constexpr int64_t kRows = 65536, kWidth = 4096;
  const size_t bytes = static_cast<size_t>(kRows * kWidth) * 2;
  const double gigabytes = static_cast<double>(bytes) * 1e-9;
  {
    const Block x(bytes), u(bytes), y(bytes), w(static_cast<size_t>(kWidth) * 2);
    const auto t = [&](const Block& b) { return tensor(DType::BF16, b.at, {kRows, kWidth}); };
    const auto figure = [&](const char* name, double tensors, const std::function<int()>& run) {
      const std::string full = std::string(name) + " bf16[65536, 4096]";
      if (out.wanted(full))
        out.add(full, tensors * gigabytes / clock.us([&](int) { must(run(), name); }) * 1e6, "GB/s");
    };
    NormCall norm_call;
    norm_call.x = t(x), norm_call.y = t(y), norm_call.w = tensor(DType::BF16, w.at, {kWidth}),
    norm_call.eps = 1e-5f;
    figure("rmsnorm", 2, [&] { return norm(clock.stream(), norm_call); });
    UnaryCall silu;
    silu.x = t(x), silu.y = t(y), silu.function = Unary::Silu;
    figure("silu", 2, [&] { return unary(clock.stream(), silu); });
    BinaryCall add;
    add.a = t(x), add.b = t(u), add.y = t(y);
    figure("add", 3, [&] { return binary(clock.stream(), add); });
    GatedCall swiglu;
    swiglu.g = t(x), swiglu.u = t(u), swiglu.y = t(y);
    figure("swiglu", 3, [&] { return gated(clock.stream(), swiglu); });
    figure("softmax", 2, [&] { return softmax(clock.stream(), t(x), t(y), 1); });
  }
  for (const Shape& s : kShapes) {
    const std::string name = std::string("linear ") + s.name + " bf16[" + std::to_string(s.n) + ", " +
                             std::to_string(s.k) + "], rows ";
    if (!out.wanted(name + "1") && !out.wanted(name + "8")) continue;
    const Products p(s);
    for (const int64_t rows : {1, 2, 3, 4, 5, 6, 7, 8}) {
      const std::string full = name + std::to_string(rows);
      if (!out.wanted(full)) continue;
      const double us =
          clock.us([&](int turn) { must(linear(clock.stream(), p.call(rows, turn)), "linear"); });
      out.add(full, p.gigabytes() / us * 1e6, "GB/s");
    }
  }
  for (const int64_t vocabulary : {32000, 128256}) {
    const std::string name = "argmax f32[1, " + std::to_string(vocabulary) + "]";
    if (!out.wanted(name)) continue;
    const Block x(static_cast<size_t>(vocabulary) * 4), y(256), parts(size_t{kLineParts} * 16);
    const Tensor from = tensor(DType::F32, x.at, {1, vocabulary}), to = tensor(DType::I32, y.at, {1, 1});
    ReduceCall call;
    call.x = from, call.y = to, call.what = Reduce::Argmax, call.axis = 1;
    out.add(name + ", a block", clock.us([&](int) { must(reduce(clock.stream(), call), "argmax"); }), "us");
    call.parts.data = reinterpret_cast<float*>(parts.at);
    out.add(name, clock.us([&](int) { must(reduce(clock.stream(), call), "argmax"); }), "us");
  }
}

// ------------------------------------------------------------------------------------------------ variants

template <int kRows, int kUnroll, int kOutputs>
void product_variant(Figures& out, Clock& clock, const Products& p, const Shape& s) {
  const std::string name = std::string("gemv ") + s.name + ", rows " + std::to_string(kRows) + ", unroll " +
                           std::to_string(kUnroll) + ", outputs a block " + std::to_string(kOutputs);
  if (!out.wanted(name)) return;
  const double us = clock.us([&](int turn) {
    const LinearCall call = p.call(kRows, turn);
    ProductCall c;
    c.x = call.x, c.y = call.y, c.weight = call.weight;
    c.rows = kRows, c.n = s.n, c.k = s.k;
    must(launch(clock.stream(), dim3(static_cast<unsigned>((s.n + kOutputs - 1) / kOutputs)),
                dim3(32 * kOutputs), 0, product_few_dense<BF16, kRows, kUnroll, kOutputs>, c),
         "gemv");
  });
  out.add(name, p.gigabytes() / us * 1e6, "GB/s");
}

template <int kRows>
void product_variants(Figures& out, Clock& clock, const Products& p, const Shape& s) {
  product_variant<kRows, 2, 4>(out, clock, p, s);
  product_variant<kRows, 2, 8>(out, clock, p, s);
  product_variant<kRows, 2, 16>(out, clock, p, s);
  product_variant<kRows, 4, 4>(out, clock, p, s);
  product_variant<kRows, 4, 8>(out, clock, p, s);
  product_variant<kRows, 4, 16>(out, clock, p, s);
  product_variant<kRows, 8, 4>(out, clock, p, s);
  product_variant<kRows, 8, 8>(out, clock, p, s);
  product_variant<kRows, 8, 16>(out, clock, p, s);
}

// One query a head over `keys` keys, 32 heads of 64 on 8 of them, as Llama-3.2-1B has.
template <int kRuns>
void attention_variant(Figures& out, Clock& clock, int64_t keys) {
  constexpr int64_t kHeads = 32, kKeyHeads = 8, kWidth = 64;
  const std::string name = "attention " + std::to_string(keys) + " keys, runs " + std::to_string(kRuns);
  if (!out.wanted(name)) return;
  const size_t cache = static_cast<size_t>(keys * kKeyHeads * kWidth) * 2;
  const auto turns = static_cast<int>(std::max<size_t>(1, kColdBytes / (2 * cache)));
  const Block k(cache * static_cast<size_t>(turns)), v(cache * static_cast<size_t>(turns)), q(65536),
      y(65536), parts(static_cast<size_t>(kHeads * kRuns * (kWidth + 2)) * 4), control(256);
  const int32_t numbers[] = {1, static_cast<int32_t>(keys), INT32_MAX};
  must(cudaMemcpy(control.at, numbers, sizeof numbers, cudaMemcpyHostToDevice), "copying");
  const auto* table = reinterpret_cast<const int32_t*>(control.at);
  AttentionCall c;
  c.q = tensor(DType::BF16, q.at, {1, 1, kHeads, kWidth});
  c.y = tensor(DType::BF16, y.at, {1, 1, kHeads, kWidth});
  c.steps.data = table, c.keys.data = table + 1, c.reach.data = table + 2;
  c.scale = 0.125f;
  c.partial.data = reinterpret_cast<float*>(parts.at);
  const double us = clock.us([&](int turn) {
    const size_t at = cache * static_cast<size_t>(turn % turns);
    c.k = tensor(DType::BF16, k.at + at, {1, keys, kKeyHeads, kWidth});
    c.v = tensor(DType::BF16, v.at + at, {1, keys, kKeyHeads, kWidth});
    const size_t shared = static_cast<size_t>(kAttentionWarps * (kWidth + 2) + kWidth) * sizeof(float);
    must(launch(clock.stream(), dim3(1, kHeads, kRuns), dim3(32 * kAttentionWarps), shared,
                attention_queries<BF16, 4, kRuns>, c),
         "attention");
    must(launch(clock.stream(), dim3(1, kHeads), dim3(64), 0, attention_join<kRuns>, c), "attention");
  });
  out.add(name, us, "us", ",\"gb_per_s\":" + std::to_string(2.0 * static_cast<double>(cache) / us * 1e-3));
}

// swiglu with one store a pack, or with one a number, as nvcc made them of the library's before.
template <bool kWide>
__global__ void __launch_bounds__(256) swiglu_stores(const BF16* g, const BF16* u, BF16* y, int64_t packs) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < packs; i += step) {
    const Pack<BF16> pack = load_pack(g + i * 8), up = load_pack(u + i * 8);
    float results[8];
    for (int k = 0; k < 8; ++k) {
      const float x = as_float(pack.at[k]);
      results[k] = x / (1.0f + expf(-x)) * as_float(up.at[k]);
    }
    if constexpr (kWide) {
      store_pack(y + i * 8, rounded_pack<BF16>(results));
    } else {
      for (int k = 0; k < 8; ++k) assign(y[i * 8 + k], results[k]);
    }
  }
}

void variants(Figures& out) {
  Clock clock;
  for (const Shape& s : kShapes) {
    if (s.n > 100000) continue;
    const Products p(s);
    product_variants<1>(out, clock, p, s);
    product_variants<2>(out, clock, p, s);
    product_variants<4>(out, clock, p, s);
  }
  for (const int64_t keys : {128, 1024, 4096, 16384, 131072}) {
    attention_variant<8>(out, clock, keys);
    attention_variant<16>(out, clock, keys);
    attention_variant<32>(out, clock, keys);
  }
  constexpr int64_t kCount = 65536LL * 4096;
  const Block g(kCount * 2), u(kCount * 2), y(kCount * 2);
  for (const bool wide : {false, true}) {
    const std::string name = wide ? "swiglu, stores of 16 bytes" : "swiglu, stores of 2 bytes";
    if (!out.wanted(name)) continue;
    const double us = clock.us([&](int) {
      must(launch(clock.stream(), dim3(blocks_for(kCount / 8, 256)), dim3(256), 0,
                  wide ? swiglu_stores<true> : swiglu_stores<false>, reinterpret_cast<const BF16*>(g.at),
                  reinterpret_cast<const BF16*>(u.at), reinterpret_cast<BF16*>(y.at), kCount / 8),
           "swiglu");
    });
    out.add(name, 3.0 * kCount * 2 / us * 1e-3, "GB/s");
  }
}

}  // namespace
}  // namespace irplan::cuda

int main(int argc, char** argv) {
  using namespace irplan::cuda;
  const std::string part = argc == 3 ? argv[1] : "";
  if (part != "ceilings" && part != "kernels" && part != "variants") {
    std::fprintf(stderr, "usage: irplan-gpu-bench (ceilings|kernels|variants) FILE\n");
    return 2;
  }
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) {
    std::fprintf(stderr, "irplan-gpu-bench: no CUDA device on this host\n");
    return 77;
  }
  Figures out(argv[2]);
  part == "ceilings" ? ceilings(out) : part == "kernels" ? kernels(out) : variants(out);
  return 0;
}
