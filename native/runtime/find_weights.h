// Where a checkpoint holds each param of a plan, and what is wrong with what it holds.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "runtime/checkpoint.h"

namespace irplan {

// A param with its extents as numbers.
struct BoundParam {
  const Plan::Value* value = nullptr;
  std::vector<int64_t> shape;
  int64_t count = 0;
  std::string text() const;  // "f16[2, 3]"
};
// None where an extent has no size, or their product exceeds 64 bits.
std::optional<BoundParam> bound_param(const Plan::Value& value, const Binding& binding);

// "F16[2, 3]"
std::string text(const StoredTensor& tensor);

// Elements [begin, begin + count) of a param, and the tensor that holds them.
struct ParamPiece {
  const StoredTensor* tensor = nullptr;
  const StoredTensor* scales = nullptr;  // of a published mxfp4 pair; then `tensor` holds the blocks
  std::string name;                      // the tensor's
  int64_t begin = 0, count = 0;
  bool turned = false;  // the tensor has the extents that are expected, in another order
};

// What looking up one param found.
struct FoundParam {
  std::vector<ParamPiece> pieces;
  std::vector<std::string> missing;   // names
  std::vector<std::string> expected;  // of each of them: "f16[2, 3]"
  std::string wrong;
};

class ParamFinder {
 public:
  explicit ParamFinder(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  FoundParam find(const BoundParam& target);
  // Names of the tensors that were found so far.
  const std::set<std::string>& read() const { return read_; }

 private:
  const StoredTensor* look(const std::string& name, std::string* stored, std::string* why);
  void add(const std::string& name, const ParamPiece& part, const BoundParam& target, FoundParam& found);
  bool add_pair(const std::string& name, ParamPiece& piece, const BoundParam& target, FoundParam& found);

  const Checkpoint& checkpoint_;
  std::set<std::string> read_;
};

}  // namespace irplan
