// A kernel that lacks a barrier must not pass: the row kernels, compiled once as they are and once without
// one.
#define IRPLAN_SIMT 1
#define DROP_BARRIER 1
#define IRPLAN_GPU simt_without_barrier
#include <algorithm>
#include <cmath>

#include "cuda/kernels/norm.cuh"
#undef DROP_BARRIER

#include "catch.h"

using namespace irplan;
using namespace irplan::simt_without_barrier;

TEST_CASE("kernels: without its barrier a norm gives wrong numbers in every order of threads") {
  std::vector<float> x(512, 2.0f), y(512);
  NormCall call;
  call.x.data = reinterpret_cast<std::byte*>(x.data());
  call.x.rank = 1;
  call.x.shape[0] = 512;
  call.x.stride[0] = 1;
  call.y = call.x;
  call.y.data = reinterpret_cast<std::byte*>(y.data());
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    shim::Machine::own().reseed(seed);
    const int error =
        launch(nullptr, dim3(1), dim3(256), 32 * sizeof(float), norm_strided, call, int64_t{512});
    const bool right = std::all_of(y.begin(), y.end(), [](float v) { return std::fabs(v - 1.0f) < 1e-6f; });
    CHECK((error != 0 || !right));
  }
}
