// What PyTorch, ONNX and others call an operator, for whoever writes their name instead of ours.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ops/op.h"

namespace irplan {

struct Alias {
  const OpRow* row = nullptr;  // the operator meant; null where the language writes it with others
  const char* how = nullptr;   // how to write it then; of a row: what to know beside its signature, or null
};

// A line of the table.
struct AliasRow {
  const char* name;  // lower case, no underscores
  const char* ours;  // null: the language writes it with others
  const char* how;   // how it does, or what else to know; may be null of one that is ours
};
std::span<const AliasRow> alias_table();  // sorted by name

// Case and underscores do not count: `LayerNormalization`, `layer_normalization`. Fused operators, which no
// program can call, are found with the parts to write instead.
std::optional<Alias> find_alias(std::string_view name);

// How a row is called: "rmsnorm(x, w?, eps=…, offset=0)".
std::string signature(const OpRow& row);

// The dtype that others call so: "float16", "half", "int8", "fp8", "float8_e4m3fn". Of names that could be
// several it is the one that models are published in.
std::optional<DType> dtype_alias(std::string_view name);
// Ours for an attribute of other systems: "axis" for "dim", "keep" for "keepdim", "eps" for "epsilon".
// Several where rows differ; whoever asks takes the one that the row has.
std::vector<const char*> attribute_aliases(std::string_view name);

// What to write instead of the name, as a sentence: "`reshape` is `view` here: view(x, shape=…)".
std::string alias_help(std::string_view name, const Alias& alias);

}  // namespace irplan
