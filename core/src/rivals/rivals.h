// The rules by which other compilers place buffers, applied to the arena of a plan's phase at any sizes.
//
// The buffers are the plan's own, so windows, results in place and the order of ops are already decided, and
// outputs lie in the arena; all rules round to the plan's alignment. What differs between two rules is the
// placement alone. Each rule was written anew from the source that its file names; none of their code is
// here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "plan/plan.h"

namespace irplan::rivals {

struct Buffer {
  Expr bytes;
  uint32_t begin = 0, end = 0;  // steps, half-open
  DType dtype = DType::I8;      // of the first value in it; scratch is bytes
};

struct Problem {
  std::shared_ptr<Dims> dims;
  int64_t align = 256;
  std::vector<Buffer> buffers;               // by first step
  std::vector<std::optional<int64_t>> most;  // the largest size of each dim, by DimIndex
};

Problem problem_of(const Plan& plan, const Plan::Phase& phase);

// Where each buffer lies, and the bytes that are held.
struct Placement {
  std::vector<int64_t> offsets;
  int64_t bytes = 0;
};

// What a rule decides before it knows the sizes: a placement for any of them, or none where the rule has no
// answer (an unbounded dim, an overflow).
using Placing = std::function<std::optional<Placement>(const Binding&)>;

struct Rule {
  const char* name;     // "upper-bound-pool", for a program to read
  const char* title;    // "upper bound, pool"
  const char* used_by;  // "TVM Relax"
  const char* source;   // project, file, function and version read
  bool replans;         // at every new size
  // `hint` holds sizes of an example, for rules that look at one. The problem must outlive the result.
  Placing (*plan)(const Problem& problem, const Binding& hint);
};
const std::vector<Rule>& rules();

// No placement at this alignment takes less: at each step the buffers alive, all but one rounded up.
std::optional<int64_t> lower_bound(const Problem& problem, const Binding& binding);

// ---- for the rules
using Sizes = std::vector<int64_t>;  // bytes, by buffer

inline bool meet(const Buffer& a, const Buffer& b) { return a.begin < b.end && b.begin < a.end; }

// The size of every buffer, none where one has no value or all together are too many to count.
std::optional<Sizes> sizes_at(const Problem& problem, const Binding& binding);
// The problem with every bounded dim at its upper bound.
std::vector<Expr> at_upper_bounds(const Problem& problem);
// A placement that holds at every size because it does not depend on them.
Placing always(std::optional<Placement> placement);

Placing no_reuse(const Problem& problem, const Binding& hint);
Placing token_pool(const Problem& problem, const Binding& hint);       // upper_bound.cpp
Placing shared_objects(const Problem& problem, const Binding& hint);   // upper_bound.cpp
Placing greedy_by_size(const Problem& problem, const Binding& hint);   // greedy.cpp
Placing traced_pattern(const Problem& problem, const Binding& hint);   // greedy.cpp
Placing equal_sizes(const Problem& problem, const Binding& hint);      // equal_sizes.cpp
Placing allocation_tree(const Problem& problem, const Binding& hint);  // allocation_tree.cpp

}  // namespace irplan::rivals
