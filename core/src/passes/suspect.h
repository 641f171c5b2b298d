// Tells of what is right by every rule and hardly meant: `rope` that counts from 0 beside a cache that does
// not, a cache so long that longrope takes its long factors for every text, one that is longer than the
// positions of the model, and a peak that is the logits of every position.
//
// All but the last need the flat graph without errors; the last one, planned memory, and speaks of the sizes
// at which plain numbers hold. Changes nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "ir/config_keys.h"
#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

// With the longest text that the config names, where it names one.
void tell_suspect_positions(const Graph& graph, const std::optional<PublishedContext>& published,
                            Diagnostics& diagnostics);
void tell_suspect_logits(const Graph& graph, Diagnostics& diagnostics);

// Of a program with longrope: the most tokens that its short factors are for.
std::optional<int64_t> short_factors_up_to(const Graph& graph);

}  // namespace irplan
