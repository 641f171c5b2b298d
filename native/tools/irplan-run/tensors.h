// Inputs and outputs as the command line names them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "files/mapped_file.h"
#include "irplan/result.h"
#include "plan/plan.h"
#include "runtime/inputs.h"
#include "runtime/stored.h"
#include "tools/irplan-run/options.h"

namespace irplan::run {

// "x.npy" or "f.safetensors:key", opened.
class TensorFile {
 public:
  static Result<TensorFile> open(const std::string& text);
  const StoredTensor& tensor() const { return tensor_; }

 private:
  TensorFile(MappedFile file, StoredTensor tensor) : file_(std::move(file)), tensor_(std::move(tensor)) {}

  MappedFile file_;
  StoredTensor tensor_;
};

// One --input: a file, or numbers that are made to the size that the step has.
class InputSpec {
 public:
  static Result<InputSpec> open(const std::string& text);
  // Extents of a file; null for numbers that take any.
  const StoredTensor* stored() const { return file_ ? &file_->tensor() : nullptr; }
  // Why it cannot be a value's content by rank or type; none where it can.
  std::optional<std::string> unlike(const Plan::Value& value) const;
  // Random integers are below `below`.
  Result<HostArray> array(const Plan::Value& value, const std::vector<int64_t>& shape, int64_t below) const;

 private:
  std::optional<TensorFile> file_;
  std::optional<uint64_t> seed_;
  double constant_ = 0;
};

// What is asked about the results of a run, checked before it and answered after it.
class Results {
 public:
  // Whether every name is an output and every file can be written or read. False after a message.
  bool open(const Plan& plan, const Options& options);
  // Outputs that are asked for; all of the plan's where none is.
  const std::vector<std::string>& names() const { return names_; }
  // Writes, compares, and shows what was neither written nor compared.
  Exit finish(const std::map<std::string, HostArray>& arrays,
              const std::map<std::string, DType>& dtypes) const;

 private:
  std::vector<NamedText> outputs_;
  std::vector<std::pair<std::string, TensorFile>> expects_;
  std::vector<std::string> names_;
  double tolerance_ = 0;
  bool quiet_ = false;
};

}  // namespace irplan::run
