#include "tools/irplan-run/profile.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>

#include "base/times.h"

namespace irplan::run {
namespace {

constexpr size_t kSlowest = 10;

struct Row {
  std::string name;
  int count = 0;
  double seconds = 0, bytes = 0, flops = 0;
};

void print(const Row& row, double all) {
  const double s = std::max(row.seconds, 1e-12);
  std::fprintf(stderr, "%-28.28s %6d %10.3f %5.1f%% %9.2f %9.2f\n", row.name.c_str(), row.count,
               row.seconds * 1e3, all > 0 ? 100 * row.seconds / all : 0.0, row.bytes / s * 1e-9,
               row.flops / s * 1e-9);
}

}  // namespace

Failure Profile::run(Session& session, const Step& step) {
  const Plan::Phase* phase = find_phase(plan_, step.phase);
  Evaluator value(*plan_.pool, step.sizes.dims);
  for (uint32_t i = phase->ops_begin; i < phase->ops_end; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    if (auto failure = session.run_one(i)) return failure;
    seconds_[i] += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    bytes_[i] += static_cast<double>(value(plan_.ops[i].bytes).value_or(0));
    flops_[i] += static_cast<double>(value(plan_.ops[i].flops).value_or(0));
  }
  return std::nullopt;
}

void Profile::show() const {
  std::map<std::string, Row> by_operator;
  std::vector<Row> ops;
  double all = 0;
  for (size_t i = 0; i < seconds_.size(); ++i) {
    if (seconds_[i] == 0) continue;
    all += seconds_[i];
    const Row row{plan_.ops[i].id, 1, seconds_[i], bytes_[i], flops_[i]};
    Row& sum = by_operator[plan_.ops[i].row->name];
    sum = {plan_.ops[i].row->name, sum.count + 1, sum.seconds + row.seconds, sum.bytes + row.bytes,
           sum.flops + row.flops};
    ops.push_back(row);
  }
  const auto slower = [](const Row& a, const Row& b) { return a.seconds > b.seconds; };
  std::vector<Row> rows;
  for (const auto& [name, row] : by_operator) rows.push_back(row);
  std::stable_sort(rows.begin(), rows.end(), slower);
  std::stable_sort(ops.begin(), ops.end(), slower);
  std::fprintf(stderr, "%-28s %6s %10s %6s %9s %9s\n", "operator", "ops", "ms", "", "GB/s", "GFLOP/s");
  for (const Row& row : rows) print(row, all);
  std::fprintf(stderr, "%-28s\n", "slowest ops");
  for (size_t i = 0; i < ops.size() && i < kSlowest; ++i) print(ops[i], all);
  std::fprintf(stderr, "%s in all; each op waited for, so a run without --profile is faster\n",
               time_text(all).c_str());
}

}  // namespace irplan::run
