// One plan run in WebAssembly's memory: proven, bound to the sizes of a step, its weights and inputs made or
// read, its ops run a few at a time, its outputs told. One JSON request in, one JSON reply out; bytes go
// through memory.
//
//   {"method": "open", "plan": "…", "backend": "cpu"}   the plan is proven, as every reader of plans does it
//       -> {"phases": […], "target"}
//   {"method": "need", "phase", "dims"}      what a step takes, before anything of it is allocated
//       -> {"phase", "dims", "bytes": {weights, state, inputs, arena, results, total}, "room", "ops",
//       "flops",
//           "inputs": [{name, dtype, shape}], "outputs": [names]}
//   {"method": "file", "name"}               what lies in the room that `room` gave last: .npy or safetensors
//       -> {"tensors": [{name, dtype, shape}]}
//   {"method": "prepare", "phase", "dims", "weights": {"seed": 1} | {"files": […]},
//    "inputs": {"x": {"seed": 2} | {"value": 0} | {"file", "tensor"}}, "states": "unset" | "zeros"}
//       -> {"bytes": {… of the step as allocated}, "notes": […]}
//   {"method": "step", "ms": 50}             ops until the time is up; an op of much work is told before it
//   runs
//       -> {"done", "of", "op", "flops"}     the op that comes next; null at the end
//   {"method": "output", "name", "bins": 64} its numbers lie at `data` as f32 or int64
//       -> {"dtype", "shape", "floats", "statistics": {…}, "histogram": […]}
//   {"method": "npy", "name"}                the bytes of a .npy file lie at `data`
//       -> {"bytes"}
//
// What cannot be done is {"error": "…"}.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_request.h"
#include "irplan/result.h"
#include "runtime/safetensors.h"
#include "runtime/session.h"

namespace irplan {

class PlanRunner {
 public:
  // Bytes of weights that are loaded, of how many.
  explicit PlanRunner(LoadProgress progress) : progress_(std::move(progress)) {}

  std::string call(const std::string& request);
  // Memory for a file that is to be read; null where there is none.
  std::byte* room(size_t bytes);
  // What the last reply speaks of.
  const std::byte* data() const { return data_; }
  size_t data_bytes() const { return data_bytes_; }

 private:
  using json = serving::json;
  struct File {
    std::string name;
    std::unique_ptr<std::byte[]> bytes;
    std::vector<NamedTensor> tensors;
  };
  struct Output {
    HostArray array;
    DType dtype = DType::F32;
  };

  Result<json> open(const json& request);
  Result<json> need(const json& request);
  Result<json> read_file(const json& request);
  Result<json> prepare(const json& request);
  Result<json> step(const json& request);
  Result<json> output(const json& request);
  Result<json> npy(const json& request);

  Result<Step> step_of(const json& request) const;
  Failure check_room(const Step& step, PerSegment* bytes, int64_t* results) const;
  Result<WeightSource> weights_of(const json& request) const;
  Result<const StoredTensor*> tensor_of(const json& spec) const;
  Failure set_input(uint32_t value, const json* spec, const Step& step);
  Result<Output> read(const json& request);

  LoadProgress progress_;
  std::vector<File> files_;
  std::unique_ptr<std::byte[]> room_;
  size_t room_bytes_ = 0;
  std::unique_ptr<Plan> plan_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Session> session_;
  std::optional<Step> step_;
  uint32_t next_ = 0;  // op
  Output last_;
  std::string npy_;
  const std::byte* data_ = nullptr;
  size_t data_bytes_ = 0;
};

}  // namespace irplan
