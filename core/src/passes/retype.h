// Replaces the declared dtype of all states, or of the weights of products: what `--retype` asks for.
//
// Needs the flat graph of elaboration, before types are found. A state is taken where `append`, `attention`,
// windows and products alone read its rows, a param where it is the matrix of `embed`, `linear` or `expert`
// everywhere (scaled ones are quantised already). Results keep the dtype that they had: an op whose result
// would follow the new one gets it as `to`. What cannot take the dtype keeps its own; where nothing can, it
// is an error (E0272).
//
// `activations=i8` stores nothing otherwise: products quantise their activations by blocks of 32, as their
// attribute `rows` then says.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "irplan/diagnostic.h"

namespace irplan {

// Pairs of "state", "weights" or "activations" and a dtype's name.
void retype(Graph& graph, const std::vector<std::pair<std::string, std::string>>& retypes,
            Diagnostics& diagnostics);

// What is proposed where memory is short, those that keep more bits first.
struct OfferedRetype {
  ValueKind kind;
  const char* part;
  DType dtype;
  const char* what;
};
inline constexpr OfferedRetype kOfferedRetypes[] = {
    {ValueKind::State, "state", DType::F8E4M3, "states in 8 bits a number"},
    {ValueKind::Param, "weights", DType::Q8_0, "weights in 8.5 bits a number"},
    {ValueKind::Param, "weights", DType::Q4_0, "weights in 4.5 bits a number"},
};

// Notes of each state and param whether it could be stored in 8 bits a number, or in blocks of 32.
void mark_retypable(Graph& graph);

}  // namespace irplan
