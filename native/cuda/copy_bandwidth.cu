// The ceiling that memory-bound kernels are held against: bytes read and written by a copy on the device, in
// GB/s. Not part of the build; first_gpu_run.sh compiles it.
#include <cuda_runtime.h>

#include <cstdio>

int main() {
  constexpr size_t kBytes = size_t{512} << 20;
  constexpr int kCopies = 50;
  void *from = nullptr, *to = nullptr;
  cudaEvent_t begin, end;
  bool good = cudaMalloc(&from, kBytes) == cudaSuccess && cudaMalloc(&to, kBytes) == cudaSuccess;
  good = good && cudaMemset(from, 1, kBytes) == cudaSuccess;
  good = good && cudaEventCreate(&begin) == cudaSuccess && cudaEventCreate(&end) == cudaSuccess;
  for (int i = 0; good && i < 5 + kCopies; ++i) {
    if (i == 5) good = cudaEventRecord(begin) == cudaSuccess;
    good = good && cudaMemcpyAsync(to, from, kBytes, cudaMemcpyDeviceToDevice) == cudaSuccess;
  }
  float ms = 0;
  good = good && cudaEventRecord(end) == cudaSuccess && cudaEventSynchronize(end) == cudaSuccess;
  good = good && cudaEventElapsedTime(&ms, begin, end) == cudaSuccess;
  if (!good) {
    std::fprintf(stderr, "copy: %s\n", cudaGetErrorString(cudaGetLastError()));
    return 1;
  }
  std::printf("%.0f\n", 2.0 * kBytes * kCopies / ms * 1e-6);
  return 0;
}
