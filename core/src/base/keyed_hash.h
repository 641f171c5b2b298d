// Hashes for tables whose keys a stranger chooses: keyed anew in each process, so that nobody can choose keys
// that all collide.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace irplan {

// Two random numbers, the same for the life of the process.
struct HashKey {
  uint64_t a, b;
};
const HashKey& hash_key();

// The 128 bits of a product, folded: each bit of the result depends on all of both.
inline uint64_t folded_product(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// One word more of what is hashed.
inline uint64_t hashed(uint64_t hash, uint64_t word) {
  const HashKey& key = hash_key();
  return folded_product(hash ^ key.a, word ^ key.b);
}

// One to one: keys for a table that hashes a number as it stands.
inline uint64_t scattered(uint64_t n) {
  const HashKey& key = hash_key();
  n *= key.a;  // odd, and so is the other
  n ^= n >> 32;
  n *= key.b;
  return n ^ (n >> 29);
}

struct TextHash {
  size_t operator()(std::string_view text) const {
    uint64_t hash = text.size();
    while (text.size() >= sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, text.data(), sizeof word);
      hash = hashed(hash, word);
      text.remove_prefix(sizeof word);
    }
    uint64_t rest = 0;
    std::memcpy(&rest, text.data(), text.size());
    return static_cast<size_t>(hashed(hash, rest));
  }
};

}  // namespace irplan
