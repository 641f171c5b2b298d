#include "passes/refused_size.h"

#include <algorithm>

#include "passes/constraints.h"
#include "passes/measure.h"

namespace irplan {
namespace {

std::string range_text(const Interval& range) {
  return std::to_string(range.lo) + ".." + (range.hi == Interval::kUnbounded ? "" : std::to_string(range.hi));
}

// The sizes that a dim was tried with: those before it at their values, those after it at their least, and
// given ones as they are given.
struct Tried {
  Binding binding;
  std::vector<uint8_t> open;  // by DimIndex: at its least for now
};

Tried tried(const Graph& graph, const FixedDims& fixed, const Dim& refused, int64_t size) {
  Tried out{Binding(graph.dims->dim_count()), std::vector<uint8_t>(graph.dims->dim_count())};
  bool later = false;
  for (const Dim& dim : graph.dim_list) {
    const auto same = [&](const auto& given) { return given.first == dim.name; };
    const auto given = std::find_if(fixed.begin(), fixed.end(), same);
    later = later || dim.index == refused.index;
    out.open[dim.index] = later && given == fixed.end();
    out.binding[dim.index] = !later ? dim.value : given != fixed.end() ? given->second : dim.range.lo;
  }
  out.binding[refused.index] = size;
  return out;
}

// " where B = 8 and S = 16"; of an equality " for no T in 1..16" where the other dim is open yet.
std::string others_text(const Graph& graph, const Constraint& c, const Dim& refused, const Tried& with) {
  std::string out;
  for (const DimIndex index : dims_of(c.left - c.right)) {
    if (index == refused.index) continue;
    const auto dim = std::find_if(graph.dim_list.begin(), graph.dim_list.end(),
                                  [&](const Dim& d) { return d.index == index; });
    if (c.relation == Relation::Equal && with.open[index] && dim != graph.dim_list.end()) {
      out +=
          (out.empty() ? ", which no " : " and no ") + dim->name + " in " + range_text(dim->range) + " meets";
      continue;
    }
    out += (out.empty() ? " where " : " and ") + graph.dims->dim_name(index) + " = " +
           std::to_string(with.binding[index]);
  }
  return out;
}

// What refuses a size: a place in the program, or an option of the command line.
void blame(Diagnostic& d, Span span, const std::shared_ptr<const SourceText>& elsewhere, std::string why) {
  elsewhere ? d.note("--budget \"" + std::string(elsewhere->slice(span)) + "\" " + why)
            : d.also(span, std::move(why));
}

// Whether a range alone refuses the size: the declared one, or what first narrowed it so far.
bool explain_range(const Dim& dim, int64_t size, Diagnostic& d) {
  const Interval declared = dim.narrowings.empty() ? dim.range : dim.narrowings[0].before;
  d.at((dim.free ? "any size from " : "declared ") + range_text(declared));
  if (!declared.contains(size)) return true;
  for (const Narrowing& narrowing : dim.narrowings) {
    if (narrowing.after.contains(size)) continue;
    blame(d, narrowing.span, narrowing.elsewhere,
          "needs " + text(narrowing.constraint) + ", which leaves " + range_text(narrowing.after));
    return true;
  }
  return false;
}

void explain_relations(const Graph& graph, const FixedDims& fixed, const Dim& dim, int64_t size,
                       Diagnostic& d) {
  const Tried with = tried(graph, fixed, dim, size);
  const Binding& binding = with.binding;
  for (const Guard& guard : graph.guards) {
    if (holds(guard.constraint, binding)) continue;
    blame(d, guard.span, guard.elsewhere,
          "needs " + text(guard.constraint) + others_text(graph, guard.constraint, dim, with));
    return;
  }
  if (graph.buffers.empty()) return;
  const Meter meter(graph);
  for (const Budget& budget : graph.budgets) {
    if (!budget.bytes || meter.fits(budget, binding)) continue;
    int64_t fits = dim.range.lo - 1, over = size;
    Binding at = binding;
    while (over - fits > 1) {
      const int64_t middle = fits + (over - fits) / 2;
      at[dim.index] = middle;
      (meter.fits(budget, at) ? fits : over) = middle;
    }
    blame(d, budget.span, budget.elsewhere,
          fits < dim.range.lo ? "takes more bytes than this at any size of it"
                              : "allows " + dim.name + " <= " + std::to_string(fits) + " here");
    return;
  }
}

}  // namespace

void explain_refused_sizes(const Graph& graph, const FixedDims& fixed, Diagnostics& diagnostics) {
  for (const auto& [given, size] : fixed) {
    const std::string& name = given;
    const auto same = [&](const Dim& d) { return d.name == name; };
    const auto dim = std::find_if(graph.dim_list.begin(), graph.dim_list.end(), same);
    if (dim == graph.dim_list.end()) continue;
    Diagnostic* d = diagnostics.find(Code::SizeRefused, dim->span);
    if (d && !explain_range(*dim, size, *d)) explain_relations(graph, fixed, *dim, size, *d);
  }
}

}  // namespace irplan
