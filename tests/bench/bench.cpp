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

double processor_time() {
  double seconds = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    for (const timeval& t : {usage.ru_utime, usage.ru_stime})
      seconds += static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  }
  return seconds;
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(':');
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

}  // namespace

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Timing measure(const std::function<void()>& work) {
  work();
  std::vector<double> seconds;
  double work_least = 1e9;
  const auto start = Clock::now();
  while ((seconds.size() < 10 || since(start) < 1) && since(start) < 10) {
    const auto begin = Clock::now();
    const double spent = processor_time();
    work();
    seconds.push_back(since(begin));
    work_least = std::min(work_least, processor_time() - spent);
  }
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds.front(), seconds[seconds.size() * 9 / 10], work_least,
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
  std::snprintf(told, sizeof told, "%.2f ms of work, target %g ms: %s", timing.work * 1e3, target * 1e3,
                timing.work <= target ? "met" : "NOT met");
  row(name, timing, told + (remark.empty() ? "" : "; " + remark));
}

void figure(const std::string& name, double value, const std::string& unit, double target) {
  std::printf("%-44s %9.2f %s  target %g %s: %s\n", name.c_str(), value, unit.c_str(), target, unit.c_str(),
              value <= target ? "met" : "NOT met");
  std::fflush(stdout);
}

}  // namespace irplan::bench
