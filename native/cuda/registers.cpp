#include "cuda/registers.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "cuda/launch.h"

namespace irplan::cuda {
namespace {

struct Taken {
  const char* function;
  int registers, spilled;  // registers a thread, bytes
};
constexpr Taken kTaken[] = {
#include <cuda/registers.inc>  // which the build writes
};

}  // namespace

std::string registers_of(const KernelRow& row) {
  std::string out;
  std::string_view functions = functions_of(row);
  while (!functions.empty()) {
    const size_t end = std::min(functions.find(' '), functions.size());
    const std::string_view function = functions.substr(0, end);
    functions.remove_prefix(std::min(end + 1, functions.size()));
    const auto found = std::find_if(std::begin(kTaken), std::end(kTaken),
                                    [&](const Taken& taken) { return function == taken.function; });
    if (found == std::end(kTaken)) continue;
    out += (out.empty() ? "" : ", ") + std::string(function) + " " + std::to_string(found->registers);
    if (found->spilled > 0) out += " and " + std::to_string(found->spilled) + " bytes spilled";
  }
  return out.empty() ? out : out + " registers";
}

}  // namespace irplan::cuda
