// The inputs of a step: made from a seed or taken from stored tensors, and held against what a plan declares.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "irplan/result.h"
#include "plan/plan.h"
#include "runtime/stored.h"

namespace irplan {

constexpr int64_t kMostStepRows = 1 << 20;  // of one step: rows that a ragged dim has sizes for

// Why a tensor cannot be a value's content by rank or type; none where it can.
std::optional<std::string> unlike(const Plan::Value& value, const StoredTensor& tensor);
// None with the reason where the value's dtype cannot hold a number of it.
Result<HostArray> stored_input(const Plan::Value& value, const StoredTensor& tensor);
// Floats of a standard deviation of 1; whole numbers from 0 to below `below`. Each value has numbers of its
// own.
HostArray random_input(const Plan::Value& value, const std::vector<int64_t>& shape, uint64_t seed,
                       int64_t below);
HostArray constant_input(const Plan::Value& value, const std::vector<int64_t>& shape, double number);

// The ids in an array that `embed` looks up must be rows of its table: what is wrong, or none. `ids` is an
// input's index.
std::optional<std::string> ids_outside(const Plan& plan, uint32_t ids, const HostArray& array,
                                       const Binding& binding);
// The rows of the smallest table that is looked up with this input; `otherwise` where none is.
int64_t table_rows(const Plan& plan, uint32_t ids, const Binding& binding, int64_t otherwise,
                   std::string* table);
// The numbers of such a table from which random ids are taken, where no table says.
constexpr int64_t kRandomBelow = 2;

// Inputs that the phase reads, directly or through windows: their indices.
std::vector<uint32_t> inputs_of(const Plan& plan, const Plan::Phase& phase);

// "[0, 3]": where the element of this index lies.
std::string place_of(int64_t element, const std::vector<int64_t>& shape);

}  // namespace irplan
