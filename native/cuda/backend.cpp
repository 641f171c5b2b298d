// The CUDA backend: one device, one stream. Links the runtime statically, which finds the driver itself; a
// host without one gets a reason and no backend.
#include <cuda_runtime.h>

#include <cstdlib>
#include <cstring>

#include "cuda/cuda_backend.h"
#include "cuda/launch.h"

namespace irplan {
namespace {

std::string text_of(cudaError_t error) {
  return std::string(cudaGetErrorName(error)) + " (" + cudaGetErrorString(error) + ")";
}

Failure failed(const char* what, cudaError_t error) {
  if (error == cudaSuccess) return std::nullopt;
  return std::string(what) + ": " + text_of(error);
}

// Records on a stream. Control numbers go through pinned memory of the program's own, so that a copy that
// runs behind the host, or again in a graph, reads what is there. Backends outlive their programs.
class CudaProgram final : public RecordProgram {
 public:
  CudaProgram(const Plan& plan, int device, cudaStream_t stream)
      : RecordProgram(plan), device_(device), stream_(stream) {}
  ~CudaProgram() override {
    cudaSetDevice(device_);
    cudaStreamSynchronize(stream_);
    cudaFree(memory_);
    cudaFreeHost(pinned_);
  }
  using RecordProgram::prepare;

 private:
  // One block each: on the device the fault, the control numbers, the constants; pinned the fault and the
  // control numbers.
  Failure allocate(const Schedule& schedule, Addresses& own) override {
    const size_t control = schedule.control_count * sizeof(int32_t),
                 constants = schedule.constants.size() * sizeof(float);
    if (auto failure = failed("allocating a program's tables", cudaMalloc(reinterpret_cast<void**>(&memory_),
                                                                          kControlAt + control + constants)))
      return failure;
    if (auto failure = failed("allocating pinned memory",
                              cudaMallocHost(reinterpret_cast<void**>(&pinned_), kControlAt + control)))
      return failure;
    own.fault = reinterpret_cast<DataFault*>(memory_);
    own.control = reinterpret_cast<const int32_t*>(memory_ + kControlAt);
    own.segments[static_cast<int>(MemorySegment::Constants)] = memory_ + kControlAt + control;
    if (auto failure = failed("clearing", cudaMemsetAsync(memory_, 0, kControlAt, stream_))) return failure;
    if (constants == 0) return std::nullopt;
    // From memory that is not pinned, once: waited for.
    if (auto failure = failed("copying constants",
                              cudaMemcpyAsync(memory_ + kControlAt + control, schedule.constants.data(),
                                              constants, cudaMemcpyHostToDevice, stream_)))
      return failure;
    return failed("copying constants", cudaStreamSynchronize(stream_));
  }
  // What the step before reads of the pinned numbers is done when `finish` returned; `submit` twice in a row
  // waits here.
  Failure begin(const int32_t* control, size_t count) override {
    cudaSetDevice(device_);
    if (busy_) {
      if (auto failure = failed("waiting", cudaStreamSynchronize(stream_))) return failure;
    }
    busy_ = true;
    if (count == 0) return std::nullopt;
    std::memcpy(pinned_ + kControlAt, control, count * sizeof(int32_t));
    return failed("copying the step's numbers",
                  cudaMemcpyAsync(memory_ + kControlAt, pinned_ + kControlAt, count * sizeof(int32_t),
                                  cudaMemcpyHostToDevice, stream_));
  }
  // An error of a kernel shows at a later call, in another op's name; waiting after each tells whose it is.
  Failure launch(size_t, const Call& call) override {
    if (auto failure = failed("launching", static_cast<cudaError_t>(IRPLAN_GPU::launch(stream_, call))))
      return failure;
    return one_by_one_ ? failed("running", cudaStreamSynchronize(stream_)) : std::nullopt;
  }
  Failure finish(DataFault& fault) override {
    cudaSetDevice(device_);
    if (auto failure = failed(
            "reading back", cudaMemcpyAsync(pinned_, memory_, sizeof fault, cudaMemcpyDeviceToHost, stream_)))
      return failure;
    if (auto failure = failed("running the step (IRPLAN_CUDA_SYNC=1 tells whose op it is)",
                              cudaStreamSynchronize(stream_)))
      return failure;
    busy_ = false;
    std::memcpy(&fault, pinned_, sizeof fault);
    if (fault.op == 0) return std::nullopt;
    return failed("clearing", cudaMemsetAsync(memory_, 0, sizeof fault, stream_));
  }

  static constexpr size_t kControlAt = 64;  // bytes from a block's start, behind the fault
  static_assert(sizeof(DataFault) <= kControlAt);
  int device_;
  cudaStream_t stream_;
  std::byte *memory_ = nullptr, *pinned_ = nullptr;
  const bool one_by_one_ = std::getenv("IRPLAN_CUDA_SYNC") != nullptr;
  bool busy_ = false;  // a step that was not waited for may still read the pinned numbers
};

class CudaBackend final : public Backend {
 public:
  CudaBackend(int device, const cudaDeviceProp& properties) : device_(device), properties_(properties) {}
  ~CudaBackend() override {
    cudaSetDevice(device_);
    if (stream_) cudaStreamDestroy(stream_);
  }

  Failure start() {
    if (auto failure = failed("selecting the device", cudaSetDevice(device_))) return failure;
    return failed("making a stream", cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  }

  const char* name() const override { return "cuda"; }
  std::string device() const override {
    return std::string(properties_.name) + " (sm_" + std::to_string(properties_.major) +
           std::to_string(properties_.minor) + "), " + std::to_string(properties_.totalGlobalMem >> 30) +
           " GiB";
  }
  std::string_view target() const override { return "cuda"; }
  std::vector<std::string> kernels() const override { return IRPLAN_GPU::kernels(); }
  bool has(const KernelRow& row) const override { return IRPLAN_GPU::has_kernel(row); }

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
  std::optional<size_t> free_bytes() const override {
    size_t free = 0, total = 0;
    cudaSetDevice(device_);
    if (cudaMemGetInfo(&free, &total) != cudaSuccess) return std::nullopt;
    return free;
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

  Result<std::unique_ptr<Program>> prepare(const Plan& plan, OpRange ops, const BufferPlaces& layout,
                                           const RunSegments& segments, const StepBinding& sizes) override {
    cudaSetDevice(device_);
    auto program = std::make_unique<CudaProgram>(plan, device_, stream_);
    if (auto failure = program->prepare(ops, target(), layout, segments, sizes)) return Error{*failure};
    return std::unique_ptr<Program>(std::move(program));
  }

 private:
  Failure copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, const char* what) {
    cudaSetDevice(device_);
    if (bytes == 0) return std::nullopt;
    if (auto failure = failed(what, cudaMemcpyAsync(to, from, bytes, kind, stream_))) return failure;
    return failed(what, cudaStreamSynchronize(stream_));
  }

  int device_;
  cudaDeviceProp properties_;
  cudaStream_t stream_ = nullptr;
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
Result<std::unique_ptr<Backend>> start(int device) {
  cudaDeviceProp properties{};
  Failure failure = failed("reading the device's properties", cudaGetDeviceProperties(&properties, device));
  if (failure) return Error{*failure};
  auto backend = std::make_unique<CudaBackend>(device, properties);
  failure = backend->start();
  // A build carries kernels for certain devices; one launch tells.
  if (!failure)
    failure = failed(("this build has no kernels for " + backend->device()).c_str(),
                     static_cast<cudaError_t>(IRPLAN_GPU::probe()));
  if (!failure) return std::unique_ptr<Backend>(std::move(backend));
  return Error{*failure +
               "; build for it with -DCMAKE_CUDA_ARCHITECTURES=" + std::to_string(properties.major) +
               std::to_string(properties.minor) + ", or run with --backend cpu"};
}

}  // namespace

bool cuda_built() { return true; }

bool cuda_device_there() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

Result<std::unique_ptr<Backend>> make_cuda_backend(int device) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) return Error{no_device(error)};
  if (device >= 0 && device < count) return start(device);
  return Error{"there is no CUDA device " + std::to_string(device) + ": this host has " +
               std::to_string(count)};
}

}  // namespace irplan
