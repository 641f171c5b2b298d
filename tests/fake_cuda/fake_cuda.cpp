#include "fake_cuda/fake_cuda.h"

#include <cuda_runtime.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "cuda/launch.h"

namespace irplan::fake {

Device& device() {
  static Device own;
  return own;
}

// The kernels, as launch.h has them.
bool has_kernel(const KernelRow& row) { return std::string_view(row.target) == "cuda"; }
std::vector<std::string> kernels() { return {}; }
int probe() { return 0; }
namespace {

int stream_of_backend = 0;  // whose address is the stream
cudaError_t to_be_told = cudaSuccess;
bool unpinned_copy = false;               // that was not waited for
std::map<const void*, size_t> pinned;     // and their bytes
std::map<const void*, size_t> on_device;  // mapped, so that what nobody writes takes no memory

void wrong(const char* what) {
  if (device().wrong.empty()) device().wrong = what;
}
void used(cudaStream_t stream) {
  if (stream != &stream_of_backend)
    wrong("another stream than the backend's, without an order between the two");
  if (unpinned_copy) wrong("a copy of memory that is not pinned is not waited for");
}
bool is_pinned(const void* at) {
  auto found = pinned.upper_bound(at);
  if (found == pinned.begin()) return false;
  --found;
  return static_cast<const char*>(at) < static_cast<const char*>(found->first) + found->second;
}

}  // namespace

int launch(Stream stream, const Call&) {
  used(stream);
  ++device().launches;
  if (device().launch_that_fails >= 0 && device().launch_that_fails-- == 0)
    to_be_told = cudaErrorIllegalAddress;
  return 0;
}

}  // namespace irplan::fake

using namespace irplan::fake;

const char* cudaGetErrorName(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation"
         : error == cudaErrorIllegalAddress ? "cudaErrorIllegalAddress"
                                            : "cudaError";
}
const char* cudaGetErrorString(cudaError_t) { return "as the fake device has it"; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = device().driver ? device().count : 0;
  return !device().driver ? cudaErrorInsufficientDriver : *count == 0 ? cudaErrorNoDevice : cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = device().driver ? CUDART_VERSION : 0;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* out, int) {
  *out = {"a device that is not there", 9, 0, device().free_bytes};
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* out, unsigned) {
  *out = &stream_of_backend;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) {
  ++device().waits;
  unpinned_copy = false;
  return std::exchange(to_be_told, cudaSuccess);
}
cudaError_t cudaMalloc(void** out, size_t bytes) {
  if (bytes > device().free_bytes) return cudaErrorMemoryAllocation;
  ++device().allocations;
  *out = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (*out == MAP_FAILED) return cudaErrorMemoryAllocation;
  on_device[*out] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  if (const auto found = on_device.find(memory); found != on_device.end()) {
    munmap(memory, found->second);
    on_device.erase(found);
  }
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** out, size_t bytes) {
  ++device().pinned;
  *out = std::calloc(1, bytes);
  pinned[*out] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  pinned.erase(memory);
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *free = *total = device().free_bytes;
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  used(stream);
  std::memcpy(to, from, bytes);
  unpinned_copy = !is_pinned(kind == cudaMemcpyHostToDevice ? from : to);
  return cudaSuccess;
}
// Pages that were never written stay unwritten: zeros are what they hold.
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  used(stream);
  if (value != 0 || bytes < 4096) std::memset(memory, value, bytes);
  return cudaSuccess;
}
