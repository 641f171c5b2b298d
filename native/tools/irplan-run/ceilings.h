// What this machine can do at most, measured by `irplan-run --calibrate` and kept in the user's cache, so
// that reports say how much of it was reached.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "irplan/result.h"

namespace irplan::run {

struct Ceilings {
  std::string processor, kernels;  // "AMD EPYC 9554", "AVX2": of another one they say nothing
  std::vector<double> read;        // bytes a second that 1, 2, … threads read of memory
  double fma_f32 = 0;              // multiplications and additions a second, of all threads
  double product_bf16 = 0;  // likewise, of a product of bf16 in the cache as this build's kernel does it
  double loop = 0;          // seconds that a loop over all threads takes beyond its work

  // What so many of its threads can do.
  Ceilings of(int threads) const;
  double bytes() const;  // the most a second
  double flops() const;
};

// A time that no run of this work beats: of its bytes or its computing, whichever takes longer, and a loop.
double least_seconds(const Ceilings& ceilings, double bytes, double flops);

std::string ceilings_json(const Ceilings& ceilings);
std::optional<Ceilings> read_ceilings(const std::string& json);
// $XDG_CACHE_HOME/irplan/machine.json, or ~/.cache/irplan/machine.json; empty where there is neither.
std::string ceilings_file();
// "AVX2" of a device "2 threads, AVX2"
std::string kernels_of_device(const std::string& device);
// Those of the file, where it is of this processor, its kernels, and as many threads; none with what to do.
Result<Ceilings> known_ceilings(const std::string& device, int threads);

}  // namespace irplan::run
