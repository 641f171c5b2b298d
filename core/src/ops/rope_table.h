// Frequencies of rotary position embedding: the table that a runner makes once for each rope of a plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ops/attr.h"

namespace irplan {

// Element pair i is turned by the angle p * g[i], rounded to f32, at position p; cos and sin of it are
// multiplied by m.
struct RopeTable {
  std::vector<float> g;  // dim / 2
  float m = 1.0f;
};

// The reason why `scaling` cannot be used: an unknown type, a key that its type needs, a list of another
// length.
struct RopeFault {
  enum class Kind : uint8_t { Type, Key, Value, Length } kind;
  std::string type;    // of scaling, as the record has it
  std::string key;     // that lacks, or has the wrong kind or length
  int64_t length = 0;  // of the list
};

// Null `scaling` is none. `dim` is not looked at; rope_list_length tells what it must be.
std::optional<RopeFault> check_rope_scaling(const AttrRecord* scaling);
// Length of the frequency lists (longrope's), which must be dim / 2; none where the type has none.
std::optional<int64_t> rope_list_length(const AttrRecord* scaling);

// Of a record that check_rope_scaling accepts, with a dim that the lists fit.
RopeTable rope_table(double base, int64_t dim, const AttrRecord* scaling);

}  // namespace irplan
