// The shim itself: what it must catch.
#define IRPLAN_SIMT 1
#include <cmath>
#include <functional>

#include "catch.h"
#include "cuda/simt.h"

using irplan::shim::Machine;

namespace {

std::string run(dim3 block, size_t shared, const std::function<void()>& body, dim3 grid = dim3(1)) {
  return Machine::own().run(grid, block, shared, body) ? "" : Machine::own().error();
}

// The sum of a block, each warp's part handed over in shared memory.
void sum_of_block(const float* x, float* y, bool barrier) {
  auto* parts = reinterpret_cast<float*>(irplan::shim::place.shared);
  float own = x[threadIdx.x];
  for (int m = 16; m > 0; m >>= 1) own += __shfl_xor_sync(0xffffffffu, own, m);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = own;
  if (barrier) __syncthreads();
  float total = 0;
  for (unsigned i = 0; i < blockDim.x / 32; ++i) total += parts[i];
  y[threadIdx.x] = total;
}

}  // namespace

TEST_CASE("shim: a missing barrier shows, in every order of threads") {
  std::vector<float> x(128, 1.0f), y(128);
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    Machine::own().reseed(seed);
    REQUIRE(run(dim3(128), 16, [&] { sum_of_block(x.data(), y.data(), true); }).empty());
    CHECK(y == std::vector<float>(128, 128.0f));
    REQUIRE(run(dim3(128), 16, [&] { sum_of_block(x.data(), y.data(), false); }).empty());
    CHECK_FALSE(y == std::vector<float>(128, 128.0f));
  }
}

TEST_CASE("shim: divergent barriers are errors") {
  const std::string stalled = run(dim3(64), 0, [] {
    if (threadIdx.x < 32) __syncthreads();
  });
  CHECK(stalled.find("32 wait at a barrier") != std::string::npos);
  CHECK(stalled.find("32 have returned") != std::string::npos);
  const std::string elsewhere = run(dim3(64), 0, [] {
    if (threadIdx.x < 32) {
      __syncthreads();
    } else {
      __syncthreads();
    }
  });
  CHECK(elsewhere.find("divergent barrier") != std::string::npos);
}

TEST_CASE("shim: a collective that a lane does not join is an error") {
  const std::string why = run(dim3(32), 0, [] {
    if (threadIdx.x != 7) __shfl_xor_sync(0xffffffffu, 1.0f, 1);
  });
  CHECK(why.find("31 at a warp collective") != std::string::npos);
  CHECK(run(dim3(32), 0, [] {
          if (threadIdx.x != 7) __shfl_xor_sync(0xffffffffu & ~(1u << 7), 1.0f, 1);
        }).empty());
}

TEST_CASE("shim: collectives") {
  std::vector<int> down(32), first(32);
  std::vector<unsigned> even(32);
  std::vector<int> any(32), all(32);
  REQUIRE(run(dim3(32), 0, [&] {
            const int lane = static_cast<int>(threadIdx.x);
            down[threadIdx.x] = __shfl_down_sync(0xffffffffu, lane, 4);
            first[threadIdx.x] = __shfl_sync(0xffffffffu, lane * 10, 3);
            even[threadIdx.x] = __ballot_sync(0xffffffffu, lane % 2 == 0);
            any[threadIdx.x] = __any_sync(0xffffffffu, lane == 5);
            all[threadIdx.x] = __all_sync(0xffffffffu, lane < 31);
          }).empty());
  for (int lane = 0; lane < 32; ++lane) {
    const auto i = static_cast<size_t>(lane);
    CHECK(down[i] == (lane < 28 ? lane + 4 : lane));
    CHECK(first[i] == 30);
    CHECK(even[i] == 0x55555555u);
    CHECK(any[i] == 1);
    CHECK(all[i] == 0);
  }
}

TEST_CASE("shim: shared memory starts as NaN in every block") {
  std::vector<float> seen(4);
  REQUIRE(run(
              dim3(1), 4,
              [&] {
                auto* shared = reinterpret_cast<float*>(irplan::shim::place.shared);
                seen[blockIdx.x] = *shared;
                *shared = 1;
              },
              dim3(4))
              .empty());
  for (const float x : seen) CHECK(std::isnan(x));
}

TEST_CASE("shim: shared memory beyond 48 KiB has to be asked for, and ends at 99 KiB") {
  auto& machine = irplan::shim::Machine::own();
  const auto nothing = [] {};
  CHECK(machine.run(dim3(1), dim3(32), 48 * 1024, nothing));
  CHECK_FALSE(machine.run(dim3(1), dim3(32), 48 * 1024 + 16, nothing));
  CHECK(machine.error().find("did not ask for") != std::string::npos);
  machine.allow_shared(64 * 1024);
  CHECK(machine.run(dim3(1), dim3(32), 64 * 1024, nothing));
  CHECK_FALSE(machine.run(dim3(1), dim3(32), 64 * 1024, nothing));  // it was for that launch
  machine.allow_shared(100 * 1024);
  CHECK_FALSE(machine.run(dim3(1), dim3(32), 100 * 1024, nothing));
  CHECK_FALSE(machine.run(dim3(1, 65536), dim3(32), 0, nothing));
  CHECK_FALSE(machine.run(dim3(1, 1, 65536), dim3(32), 0, nothing));
}

TEST_CASE("shim: a block of more threads than the kernel's launch bounds is an error") {
  auto& machine = irplan::shim::Machine::own();
  const auto bounded = [&] {
    if (!machine.bounds(64)) return;
  };
  CHECK(run(dim3(64), 0, bounded).empty());
  CHECK(run(dim3(65), 0, bounded) == "a block of 65 threads, and the kernel's launch bounds are 64");
  CHECK(run(dim3(32, 2), 0, bounded).empty());  // and the machine goes on
}
