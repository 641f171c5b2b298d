#include "service/shorter.h"

#include <algorithm>

#include "ir/graph.h"
#include "passes/measure.h"

namespace irplan {
namespace {

// The sizes of the plan as it stands: a lighter program must not grow into the room that it leaves.
CompileOptions at_same_sizes(const Graph& graph, CompileOptions options) {
  options.advise = options.write = false;
  options.dims.clear();
  options.dump_after.clear();
  for (const Dim& dim : graph.dim_list) {
    const bool sized = std::any_of(graph.buffers.begin(), graph.buffers.end(), [&](const Buffer& b) {
      const auto dims = dims_of(b.bytes);
      return std::find(dims.begin(), dims.end(), dim.index) != dims.end();
    });
    if (sized) options.dims.emplace_back(dim.name, dim.value);
  }
  return options;
}

}  // namespace

std::vector<Plan::Lighter> shorter_caches(const Compilation& compilation, const CompileOptions& options) {
  std::vector<Plan::Lighter> out;
  if (!compilation.ok || !compilation.graph) return out;
  const Graph& graph = *compilation.graph;
  const int64_t before = Meter(graph).most_at_values();
  const CompileOptions base = at_same_sizes(graph, options);
  for (const SizeLet& let : graph.cache_lets) {
    if (let.size < 2) continue;
    CompileOptions changed = base;
    const std::string rows = std::to_string(let.size / 2);
    changed.lets.emplace_back(let.name, rows);
    const Compilation done = compile(compilation.source, changed);
    const int64_t bytes = done.ok ? Meter(*done.graph).most_at_values() : before;
    if (bytes < before)
      out.push_back({"--let " + let.name + "=" + rows, "a cache of half as many tokens", bytes});
  }
  return out;
}

}  // namespace irplan
