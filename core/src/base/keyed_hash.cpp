#include "base/keyed_hash.h"

#include <chrono>
#include <memory>

namespace irplan {

// The clock to the nanosecond, and where the system put the heap and the code. No cryptography hangs on it:
// who writes a file does not know it, and learns nothing of it from how long a reading takes once.
const HashKey& hash_key() {
  static const HashKey kKey = [] {
    const auto now = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    const auto place = std::make_unique<char>();
    constexpr uint64_t kOdd = 0x9E3779B97F4A7C15ULL;  // the golden ratio's bits
    const auto heap = reinterpret_cast<uintptr_t>(place.get()), code = reinterpret_cast<uintptr_t>(&hash_key);
    const uint64_t a = folded_product(now ^ kOdd, heap + kOdd), b = folded_product(code ^ a, now + kOdd);
    return HashKey{a | 1, b | 1};
  }();
  return kKey;
}

}  // namespace irplan
