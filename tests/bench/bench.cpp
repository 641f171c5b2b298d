#include "bench/bench.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <thread>
#include <vector>

namespace irplan::bench {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(':');
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

}  // namespace

Timing measure(const std::function<void()>& work) {
  work();
  std::vector<double> seconds;
  const auto start = Clock::now();
  while ((seconds.size() < 10 || since(start) < 1) && since(start) < 10) {
    const auto begin = Clock::now();
    work();
    seconds.push_back(since(begin));
  }
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds.front(), seconds[seconds.size() * 9 / 10],
          static_cast<int>(seconds.size())};
}

std::string circumstances() {
  char date[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
#ifdef NDEBUG
  const char* kind = "optimised";
#else
  const char* kind = "NOT optimised: these figures mean nothing";
#endif
  return std::string(date) + ", " + std::to_string(std::thread::hardware_concurrency()) + " x " +
         processor() + ", " + __VERSION__ + ", " + kind;
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void row(const std::string& name, const Timing& timing, const std::string& remark) {
  const bool small = timing.median < 1e-3;
  const double unit = small ? 1e6 : 1e3;
  std::printf("%-44s %9.2f %s  (least %.2f, p90 %.2f, %d runs)  %s\n", name.c_str(), timing.median * unit,
              small ? "us" : "ms", timing.least * unit, timing.p90 * unit, timing.runs, remark.c_str());
  std::fflush(stdout);
}

void row(const std::string& name, const Timing& timing, double target, const std::string& remark) {
  char told[64];
  std::snprintf(told, sizeof told, "target %g ms: %s", target * 1e3,
                timing.least <= target ? "met" : "NOT met");
  row(name, timing, told + (remark.empty() ? "" : "; " + remark));
}

void figure(const std::string& name, double value, const std::string& unit, double target) {
  std::printf("%-44s %9.2f %s  target %g %s: %s\n", name.c_str(), value, unit.c_str(), target, unit.c_str(),
              value <= target ? "met" : "NOT met");
  std::fflush(stdout);
}

}  // namespace irplan::bench
