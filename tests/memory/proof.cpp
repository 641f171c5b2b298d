// ./dev proof [MINUTES]: random programs, at random sizes, without end; the first finding ends it.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "memory/check_program.h"

int main(int count, char** arguments) {
  const double minutes = count > 1 ? std::atof(arguments[1]) : 1;
  const uint64_t first = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 1;
  if (minutes <= 0) return std::fprintf(stderr, "usage: irplan-proof [MINUTES [FIRST_SEED]]\n"), 2;
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  int64_t bindings = 0;
  double said = 0;
  uint64_t seed = first;
  for (; seconds() < minutes * 60; ++seed) {
    // Mostly small programs: they hold most of the ways to be wrong, and can be read.
    const int64_t most = seed % 16 == 0 ? 200 : seed % 4 == 0 ? 40 : 12;
    const std::string wrong = irplan::memory_test::check_program(seed, most, 64, bindings);
    if (!wrong.empty()) return std::printf("%s", wrong.c_str()), 1;
    if (seconds() - said >= 5) {
      said = seconds();
      std::fprintf(stderr, "%7.0f s  %llu programs, %lld placements simulated, no finding\n", said,
                   static_cast<unsigned long long>(seed - first + 1), static_cast<long long>(bindings));
    }
  }
  std::printf("%llu programs (seeds %llu to %llu), %lld placements simulated in %.0f s, 0 findings\n",
              static_cast<unsigned long long>(seed - first), static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(seed - 1), static_cast<long long>(bindings), seconds());
  return 0;
}
