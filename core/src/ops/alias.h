// What PyTorch, ONNX and others call an operator, for whoever writes their name instead of ours.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

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

// What to write instead of the name, as a sentence: "`reshape` is `view` here: view(x, shape=…)".
std::string alias_help(std::string_view name, const Alias& alias);

}  // namespace irplan
