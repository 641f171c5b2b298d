// Fills a plan from the finished graph.
//
// Needs windows, buffers, values of dims, budgets and kernels. Copies; decides nothing. Integers beyond 2^53
// - 1 are reported (E0602), since JSON readers lose them.
#pragma once

#include "ir/graph.h"
#include "irplan/diagnostic.h"
#include "plan/plan.h"

namespace irplan {

struct EmitSource {
  std::string sha256;
  std::string config_sha256;  // empty: no config
};

Plan emit(const Graph& graph, const SourceText& source, const EmitSource& hashes, Diagnostics& diagnostics);

}  // namespace irplan
