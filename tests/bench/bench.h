// Timing with figures that can be trusted: medians of enough runs, and the machine they hold for.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace irplan::bench {

struct Timing {
  double median = 0;  // seconds
  double least = 0;
  double p90 = 0;
  double work =
      0;  // least processor time of a run, its children's included: what else a machine does is not in it
  int runs = 0;
};

// After one run to warm up: at least 10 runs and a second, at most 10 seconds.
Timing measure(const std::function<void()>& work);

std::string read(const std::filesystem::path& path);  // a whole file; empty where there is none

// "2026-01-31, 16 x AMD EPYC 9124, g++ 12.2, Release"
std::string circumstances();

double peak_mebibytes();  // of this process so far

// One row of a table: name, median, least, and remarks.
void row(const std::string& name, const Timing& timing, const std::string& remark = "");
// The same with a target in seconds, to which the least processor time is held.
void row(const std::string& name, const Timing& timing, double target, const std::string& remark = "");
// One figure that is no timing of runs, with its target.
void figure(const std::string& name, double value, const std::string& unit, double target);

// Each answers with an exit code.
int compile_bench();
int fit_bench();
int bind_bench();
int planning_bench();
int hostile_bench();
int readers_bench();
int language_bench();
int products_bench();
int steps_bench();
int cpu_bench(const std::vector<std::string>& words);

}  // namespace irplan::bench
