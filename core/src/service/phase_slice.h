// The records of one phase as columns: what a page draws, without the text of the whole plan.
#pragma once

#include <cstdint>
#include <string>

#include "plan/plan.h"

namespace irplan {

// {"texts": […],
//  "buffers":  {"id", "bytes", "begin", "end", "above_at", "above"},
//  "resident": {"id", "bytes", "segment", "type", "source"},
//  "values":   {"id", "type", "kind", "source", "place", "window"},
//  "ops":      {"id", "op", "kernel", "line", "scope", "parts", "in_at", "in", "out_at", "out", "scratch_at",
//  "scratch"}}
//
// Every column is a list of integers; those of texts (id, bytes, op, …) are indices into `texts`. `buffers`
// are the phase's arena buffers in the plan's order, alive from step `begin` to before step `end`, where
// steps count from the phase's first op; `resident` are the buffers outside of the arena in the plan's order.
// `values` are those that the phase's ops touch: `place` is an index into `buffers`, or -1 - an index into
// `resident`; `window` is 1 for a part of its buffer. A list of lists is two columns: entry i of `x` is
// x[x_at[i]] to before x[x_at[i + 1]]; an absent operand is -1.
std::string phase_slice(const Plan& plan, const Plan::Phase& phase);

}  // namespace irplan
