// A plan's buffers, costs and limits in numbers at chosen sizes, as JSON for a page's sliders.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/plan.h"

namespace irplan {

// {"ok",
//  "phases": [{"name", "dims", "arena", "inputs", "state", "no_reuse", "offsets", "bytes", "flops",
//  "op_bytes",
//              "broken_guards"}],
//  "resident": […]}
//
// Dims that are not given keep the plan's value; a phase's own range clamps them, so `dims` tells what each
// phase was bound at. `no_reuse` is what its temps and scratch would take, each by itself. `offsets` and
// `bytes` follow the phase's arena buffers in the plan's order, `flops` and `op_bytes` its ops; `resident`
// has the bytes of all other buffers in order. Where an expression has no value there (overflow), the number
// is null.
//
// `only`: the phase whose lists are wanted; the others have their totals alone. Empty: all.
std::string binding_view(const Plan& plan, const std::vector<std::pair<std::string, int64_t>>& sizes,
                         std::string_view only = {});

}  // namespace irplan
