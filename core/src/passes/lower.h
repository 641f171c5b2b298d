// Chooses each op's kernel for the target, by name and version.
//
// Needs the final ops. A kernel is `<target>_<op>_v<N>` and never changes meaning; a better one is the next
// number.
#pragma once

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

void lower(Graph& graph, Diagnostics& diagnostics);

// "cpu", "cuda", "cuda:sm_90"; none where no target is called so.
std::optional<Target> parse_target(std::string_view text);

}  // namespace irplan
