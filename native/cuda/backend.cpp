// The CUDA backend: one device, one stream. Links the runtime statically, which finds the driver itself; a
// host without one gets a reason and no backend.
#include "runtime/backend.h"

#include <cuda_runtime.h>

#include "cuda/launch.h"

namespace irplan {
namespace {

std::string text_of(cudaError_t error) {
  return std::string(cudaGetErrorName(error)) + " (" + cudaGetErrorString(error) + ")";
}

Failure failed(const std::string& what, cudaError_t error) {
  if (error == cudaSuccess) return std::nullopt;
  return what + ": " + text_of(error);
}

class CudaBackend final : public Backend {
 public:
  CudaBackend(int device, const cudaDeviceProp& properties) : device_(device), properties_(properties) {}
  ~CudaBackend() override {
    cudaSetDevice(device_);
    cudaFree(tables_);
    cudaFree(fault_);
    if (stream_) cudaStreamDestroy(stream_);
  }

  Failure start() {
    if (auto failure = failed("selecting the device", cudaSetDevice(device_))) return failure;
    if (auto failure = failed("making a stream", cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)))
      return failure;
    if (auto failure = failed("allocating", cudaMalloc(reinterpret_cast<void**>(&fault_), sizeof *fault_)))
      return failure;
    return failed("clearing", cudaMemset(fault_, 0, sizeof *fault_));
  }

  const char* name() const override { return "cuda"; }
  std::string device() const override {
    return std::string(properties_.name) + " (sm_" + std::to_string(properties_.major) +
           std::to_string(properties_.minor) + "), " + std::to_string(properties_.totalGlobalMem >> 30) +
           " GiB";
  }
  std::string_view target() const override { return "cuda"; }
  bool has(const KernelRow& row) const override { return cuda::has_kernel(row); }

  Failure allocate(size_t bytes, size_t alignment, std::byte** out) override {
    constexpr size_t kAlignment = 256;  // what cudaMalloc gives
    if (alignment > kAlignment)
      return "cannot align to " + std::to_string(alignment) + " bytes on the device";
    cudaSetDevice(device_);
    void* memory = nullptr;
    const cudaError_t error = cudaMalloc(&memory, bytes ? bytes : 1);
    if (error != cudaSuccess) {
      cudaGetLastError();
      size_t free = 0, total = 0;
      cudaMemGetInfo(&free, &total);
      return "cannot allocate " + std::to_string(bytes) + " bytes on " + properties_.name + ", which has " +
             std::to_string(free) + " of " + std::to_string(total) + " free: " + text_of(error);
    }
    *out = static_cast<std::byte*>(memory);
    return std::nullopt;
  }
  void release(std::byte* pointer) override {
    cudaSetDevice(device_);
    cudaStreamSynchronize(stream_);
    cudaFree(pointer);
  }
  Failure upload(std::byte* device, const std::byte* host, size_t bytes) override {
    return copy(device, host, bytes, cudaMemcpyHostToDevice, "copying to the device");
  }
  Failure download(std::byte* host, const std::byte* device, size_t bytes) override {
    return copy(host, device, bytes, cudaMemcpyDeviceToHost, "copying from the device");
  }
  Failure fill(std::byte* device, uint8_t value, size_t bytes) override {
    cudaSetDevice(device_);
    return bytes ? failed("filling", cudaMemsetAsync(device, value, bytes, stream_)) : std::nullopt;
  }

  Failure run(const Plan& plan, uint32_t begin, uint32_t end, const PlanMemory& memory,
              const StepBinding& step) override {
    cudaSetDevice(device_);
    cuda::PreparedStep prepared;
    if (auto failure = cuda::prepare_step(plan, begin, end, memory, step, prepared)) return failure;
    names_.merge(prepared.names);
    if (auto failure = load_tables(prepared.tables)) return failure;
    for (const auto& launch : prepared.launches) {
      const auto error = static_cast<cudaError_t>(launch.run(stream_, tables_, fault_));
      if (error == cudaSuccess) continue;
      return "ops " + plan.ops[launch.op].id + ": launching " + plan.ops[launch.op].row->name + ": " +
             text_of(error);
    }
    if (begin < end) last_ = plan.ops[begin].id + " to " + plan.ops[end - 1].id;
    return std::nullopt;
  }
  Failure finish() override {
    cudaSetDevice(device_);
    if (auto failure = failed("running ops " + last_, cudaStreamSynchronize(stream_))) return failure;
    cuda::DataFault fault;
    if (auto failure =
            failed("reading back", cudaMemcpy(&fault, fault_, sizeof fault, cudaMemcpyDeviceToHost)))
      return failure;
    if (fault.op == 0) return std::nullopt;
    if (auto failure = failed("clearing", cudaMemset(fault_, 0, sizeof *fault_))) return failure;
    return cuda::text(fault, names_[fault.op - 1]);
  }

 private:
  Failure copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, const char* what) {
    cudaSetDevice(device_);
    if (bytes == 0) return std::nullopt;
    if (auto failure = failed(what, cudaMemcpyAsync(to, from, bytes, kind, stream_))) return failure;
    return failed(what, cudaStreamSynchronize(stream_));
  }
  // The stream orders this copy behind the kernels that still read the tables of the step before.
  Failure load_tables(const std::vector<int32_t>& tables) {
    if (tables.size() > table_room_) {
      if (auto failure = failed("waiting", cudaStreamSynchronize(stream_))) return failure;
      cudaFree(tables_);
      tables_ = nullptr;
      table_room_ = 0;
      const size_t room = tables.size() * 2;
      if (auto failure = failed("allocating the step's tables",
                                cudaMalloc(reinterpret_cast<void**>(&tables_), room * sizeof(int32_t))))
        return failure;
      table_room_ = room;
    }
    if (tables.empty()) return std::nullopt;
    return failed("copying the step's tables",
                  cudaMemcpyAsync(tables_, tables.data(), tables.size() * sizeof(int32_t),
                                  cudaMemcpyHostToDevice, stream_));
  }

  int device_;
  cudaDeviceProp properties_;
  cudaStream_t stream_ = nullptr;
  int32_t* tables_ = nullptr;
  size_t table_room_ = 0;
  cuda::DataFault* fault_ = nullptr;
  std::map<int32_t, cuda::FaultNames> names_;
  std::string last_;
};

std::string no_device(cudaError_t error) {
  if (error == cudaErrorInsufficientDriver) {
    int driver = 0;
    cudaDriverGetVersion(&driver);
    if (driver == 0) return "no CUDA driver on this host: install NVIDIA's driver, or run with --backend cpu";
    return "the CUDA driver on this host is older than this build's runtime (" +
           std::to_string(CUDART_VERSION / 1000) + "." + std::to_string(CUDART_VERSION % 1000 / 10) +
           "): update it, or run with --backend cpu";
  }
  if (error == cudaErrorNoDevice) return "no CUDA device on this host: run with --backend cpu";
  return "CUDA cannot be used on this host: " + text_of(error) + "; run with --backend cpu";
}

// The device ready for work, or why it is not.
std::unique_ptr<Backend> start(int device, std::string& why) {
  cudaDeviceProp properties{};
  Failure failure = failed("reading the device's properties", cudaGetDeviceProperties(&properties, device));
  if (failure) return why = *failure, nullptr;
  auto backend = std::make_unique<CudaBackend>(device, properties);
  failure = backend->start();
  // A build carries kernels for certain devices; one launch tells.
  if (!failure)
    failure =
        failed("this build has no kernels for " + backend->device(), static_cast<cudaError_t>(cuda::probe()));
  if (!failure) return backend;
  why = *failure + "; build for it with -DCMAKE_CUDA_ARCHITECTURES=" + std::to_string(properties.major) +
        std::to_string(properties.minor) + ", or run with --backend cpu";
  return nullptr;
}

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(int device, std::string* why) {
  std::string reason;
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && device >= 0 && device < count) {
    auto backend = start(device, reason);
    if (backend) return backend;
  } else if (error == cudaSuccess) {
    reason = "there is no CUDA device " + std::to_string(device) + ": this host has " + std::to_string(count);
  } else {
    reason = no_device(error);
  }
  if (why) *why = reason;
  return nullptr;
}

}  // namespace irplan
