// Programs that are written to take long: many dims, phases, budgets, ops, tensors alive.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace irplan::bench {

inline std::string number(int64_t n) { return std::to_string(n); }

inline uint64_t drawn(uint64_t& state, uint64_t below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (state >> 33) % below;
}

// So many dims, each of an input of its own, and budgets that they miss or meet.
inline std::string head(int dims, int phases, int budgets) {
  constexpr const char* kCounts[] = {"inputs + arena", "memory", "arena"};
  constexpr const char* kLimits[] = {"64GiB", "3MiB", "7MiB", "5MiB", "3GiB", "64MiB"};
  std::string out;
  for (int d = 0; d < dims; ++d) out += "dim D" + number(d) + " in 1..4096\n";
  for (int p = 0; p < phases; ++p)
    out += "phase p" + number(p) + " { D0 in 1.." + number(1 << (p % 12)) + " }\n";
  for (int b = 0; b < budgets; ++b)
    out += std::string("budget ") + kCounts[b % 3] + " <= " + kLimits[b % 6] + "\n";
  for (int d = 0; d < dims; ++d)
    out += "input x" + number(d) + ": f32[D" + number(d) + ", " + number(8 << (d % 4)) + "]\n";
  return out;
}

// Ops on what is there, so many results alive at once; each is read once more when it dies.
inline std::string body(int dims, int ops, int alive) {
  uint64_t state = 7;
  std::string out;
  std::vector<std::string> live;
  for (int i = 0; i < ops; ++i) {
    const bool grow = live.size() < static_cast<size_t>(alive);
    const size_t at = grow ? live.size() : drawn(state, live.size());
    const std::string from =
        grow ? "x" + number(static_cast<int64_t>(drawn(state, static_cast<uint64_t>(dims)))) : live[at];
    const std::string made = "v" + number(i);
    out += made + (drawn(state, 2) ? " = softmax(" + from + ")\n"
                                   : " = sum(" + from + ", axis=1, keep=true) * " + from + "\n");
    if (grow) live.emplace_back();
    live[at] = made;
  }
  for (size_t i = 0; i < live.size(); ++i)
    out += "o" + number(static_cast<int64_t>(i)) + " = output(" + live[i] + ")\n";
  return out;
}

}  // namespace irplan::bench
