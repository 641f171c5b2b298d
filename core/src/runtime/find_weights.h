// Where a checkpoint holds each param of a plan, and what is wrong with what it holds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "irplan/result.h"
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

// Looks each param of a plan up by its name, as the checkpoint's `find` does. Where that finds nothing, the
// first part of the name (`model.` of `model.layers.0.…`) gives way to the prefix under which the checkpoint
// holds the most of the plan's tensors: none, or `language_model.model.`, as published files have it.
class ParamFinder {
 public:
  ParamFinder(const Checkpoint& checkpoint, const Plan& plan);

  FoundParam find(const BoundParam& target);
  // Names of the tensors that were found so far.
  const std::set<std::string>& read() const { return read_; }

 private:
  Result<const NamedTensor*> look(const std::string& name);
  const std::string* prefix_for(const std::string& first);
  void add(const std::string& name, const ParamPiece& part, const BoundParam& target, FoundParam& found);
  bool add_pair(const std::string& name, ParamPiece& piece, const BoundParam& target, FoundParam& found);

  const Checkpoint& checkpoint_;
  std::set<std::string> read_;
  std::map<std::string, std::set<std::string>, std::less<>>
      wanted_;  // "model" -> "layers.0.mlp.up_proj.weight", …
  std::map<std::string, std::optional<std::string>, std::less<>> prefixes_;  // -> "language_model.model."
};

}  // namespace irplan
