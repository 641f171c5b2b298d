// Random numbers that are the same on every machine and for any number of threads: each is made of its place.
#pragma once

#include <cstdint>
#include <string_view>

namespace irplan {

// One step of splitmix64 (Steele, Lea and Flood, 2014).
inline uint64_t splitmix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// What element i of the tensor `id` is made of: splitmix64(random_key(seed, id) + i).
inline uint64_t random_key(uint64_t seed, std::string_view id) {
  uint64_t key = splitmix64(seed);
  for (const char c : id) key = splitmix64(key ^ static_cast<uint8_t>(c));
  return key;
}

}  // namespace irplan
