// Random programs and the simulation of their plans, for the tests of memory and for `./dev proof`.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "irplan/compile.h"
#include "plan/plan.h"

namespace irplan::memory_test {

// A small generator whose numbers are the same everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 0xD1B54A32D192ED03u) {}
  // From 0 to n - 1.
  int64_t below(int64_t n) { return static_cast<int64_t>(next() % static_cast<uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }

 private:
  uint64_t next() {
    state_ ^= state_ >> 12, state_ ^= state_ << 25, state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Du;
  }
  uint64_t state_;
};

// What a program has beside its ops.
struct Features {
  bool phases =
      false;          // prefill and decode, which narrow dims, share params and states, and differ in a part
  bool lets = false;  // as the end of a dim, and as the rows of caches
};

// Two phases: ends of ranges that are no powers of two, dims that one phase fixes and the other narrows. A
// state's shape may not depend on a dim on which phases differ.
inline std::string random_phases(Random& random, bool states) {
  const auto one = [&](std::initializer_list<const char*> list) {
    return std::string(list.begin()[random.below(static_cast<int64_t>(list.size()))]);
  };
  return "phase prefill {" + one({" S in 2..700,", "", " S in 1..96, T in 2..120,", " T in 9..300,"}) +
         (states ? "" : one({" B in 1..6,", "", " B = 5,"})) + " }\nphase decode {" +
         one({" S = 1,", " S in 3..7,", " S = 1, T in 4..20,", " S in 1..13, T = 6,", " T in 1..50,"}) +
         (states ? "" : one({" B in 3..8,", "", " B = 7,"})) + one({" P in 1..500", "", ""}) + " }\n";
}

// A value that is made in other ways while decoding, or an output that one phase has alone.
inline std::string differing_part(Random& random, const std::string& made, const std::string& from,
                                  int64_t width) {
  const std::string w = std::to_string(width), param = "w" + made + " = param f16[" + w + ", " + w + "]\n";
  switch (random.below(4)) {
    case 0: return made + " = phase == \"decode\" ? relu(" + from + ") : softmax(" + from + ")\n";
    case 1:
      return param + "if phase == \"decode\" { " + made + " = linear(relu(" + from + "), w" + made +
             ") } else { " + made + " = linear(" + from + ", w" + made + ") }\n";
    case 2:
      return param + "if phase == \"prefill\" { " + made + " = mul(" + from + ", " + from +
             ") } else {\n  t" + made + " = linear(" + from + ", w" + made + ")\n  " + made + " = linear(t" +
             made + ", w" + made + ") + " + from + "\n}\n";
    default:
      return made + " = exp(" + from + ")\nif phase == \"decode\" { only" + made + " = output(sum(" + from +
             ", axis=-1)) }\n";
  }
}

// A program of up to `most` ops over B, S and T: branches of several widths, joins, views, splits, concats in
// place, transposes that are copied, updates of states, attention over caches and rings, experts, positions
// that differ by row, and a guard over two dims; temporaries die in no particular order.
inline std::string random_program(Random& random, int64_t most, Features features = {}) {
  static constexpr std::array<int64_t, 5> kWidths = {16, 32, 64, 128, 384};
  static constexpr std::array<const char*, 4> kUnary = {"silu", "gelu", "relu", "exp"};
  struct Value {
    std::string name, rows;  // "S" or "T"
    int64_t width;
  };
  const auto pick = [&](const auto& list) -> const auto& {
    return list[static_cast<size_t>(random.below(static_cast<int64_t>(list.size())))];
  };
  // With the smaller cache not all positions and steps go together.
  std::string cache = random.chance(50) ? "4096" : "2304";
  std::string text;
  if (features.lets) text = "let longest = 2048\nlet rows = " + cache + "\n", cache = "rows";
  text += std::string("dim B in 1..8\ndim S in 1..") + (features.lets ? "longest" : "2048") +
          "\ndim T in 1..300\ndim P" + (random.chance(30) ? "[B]" : "") + " in 0..512\n";
  const int64_t most_states = features.phases && random.chance(30) ? 0 : 3;
  if (features.phases) text += random_phases(random, most_states > 0);
  text += "input x: f16[B, S, 64]\ninput z: f16[B, T, 32]\n";
  std::vector<Value> values{{"x", "S", 64}, {"z", "T", 32}};
  std::vector<std::string> unread{};
  int64_t name = 0, states = 0;
  const auto fresh = [&] { return "v" + std::to_string(name++); };
  const auto add = [&](const std::string& made, const std::string& rows, int64_t width,
                       const std::string& as) {
    text += made + " = " + as + "\n";
    values.push_back({made, rows, width});
  };
  const int64_t ops = 2 + random.below(most);
  for (int64_t i = 0; i < ops; ++i) {
    // Mostly recent values, now and then an old one that lived through all between.
    const int64_t count = static_cast<int64_t>(values.size());
    const auto any = [&] {
      return values[static_cast<size_t>(
          random.chance(70) ? count - 1 - random.below(std::min<int64_t>(count, 4)) : random.below(count))];
    };
    const Value a = any();
    const int64_t kind = random.below(100);
    const std::string made = fresh();
    if (features.phases && random.chance(12)) {
      text += differing_part(random, made, a.name, a.width);
      values.push_back({made, a.rows, a.width});
    } else if (kind < 30) {
      const int64_t width = pick(kWidths);
      text += "w" + made + " = param f16[" + std::to_string(width) + ", " + std::to_string(a.width) + "]\n";
      add(made, a.rows, width, "linear(" + a.name + ", w" + made + ")");
    } else if (kind < 45) {
      add(made, a.rows, a.width, std::string(pick(kUnary)) + "(" + a.name + ")");
    } else if (kind < 65) {
      std::vector<Value> same;
      for (const Value& v : values) {
        if (v.rows == a.rows && v.width == a.width) same.push_back(v);
      }
      add(made, a.rows, a.width,
          (random.chance(50) ? "add(" : "mul(") + a.name + ", " + pick(same).name + ")");
    } else if (kind < 75) {
      std::vector<Value> same;
      for (const Value& v : values) {
        if (v.rows == a.rows) same.push_back(v);
      }
      const Value b = pick(same);
      if (a.width + b.width > 1024) continue;
      add(made, a.rows, a.width + b.width, "concat(" + a.name + ", " + b.name + ", axis=-1)");
    } else if (kind < 83 && a.width >= 32) {
      const int64_t half = a.width / 2;
      const std::string other = fresh();
      text += made + ", " + other + " = split(" + a.name + ", axis=-1, sizes=[" + std::to_string(half) +
              ", " + std::to_string(a.width - half) + "])\n";
      values.push_back({made, a.rows, half});
      values.push_back({other, a.rows, a.width - half});
    } else if (kind < 85) {
      text += "t" + made + " = relu(transpose(" + a.name + ", perm=[0, 2, 1]))\n";
      add(made, a.rows, a.width, "transpose(t" + made + ", perm=[0, 2, 1])");
    } else if (kind < 87) {  // each row through two of four experts, and summed by their weights
      const std::string w = std::to_string(a.width);
      text += "g" + made + " = param f16[4, " + w + "]\nu" + made + " = param f16[4, 32, " + w + "]\n";
      text += "c" + made + ", e" + made + " = route(linear(" + a.name + ", g" + made + "), k=2)\n";
      add(made, a.rows, 32,
          "sum(expert(" + a.name + ", u" + made + ", e" + made + ") * view(c" + made + ", shape=[B, " +
              a.rows + ", 2, 1]), axis=2)");
    } else if (kind < 91) {
      const int64_t start = 8 * random.below(a.width / 16 + 1), len = a.width - start;
      add(made, a.rows, len,
          "slice(" + a.name + ", axis=-1, start=" + std::to_string(start) + ", len=" + std::to_string(len) +
              ")");
    } else if (kind < 94) {
      add(made, a.rows, a.width, "softmax(" + a.name + ")");
    } else if (kind < 96 && a.rows == "S" && a.width % 32 == 0 && states < most_states) {
      const std::string heads = ", " + std::to_string(a.width / 32) + ", 32]";
      text += "q" + made + " = rope(view(" + a.name + ", shape=[B, S" + heads + "), base=10000, at=P)\n";
      text += "k" + made + " = append(state f16[B, " + cache + heads + " from \"s" +
              std::to_string(states++) + "\", q" + made + ", at=P)\n";
      add(made, a.rows, a.width,
          "view(attention(q" + made + ", k" + made + ", k" + made + (random.chance(50) ? ", window=64" : "") +
              "), shape=[B, S, " + std::to_string(a.width) + "])");
    } else if (a.rows == "S" && states < most_states) {
      // What it held is read too, through a window.
      text += "h" + made + " = state f16[B, " + cache + ", " + std::to_string(a.width) + "] from \"s" +
              std::to_string(states++) + "\"\n";
      text += "d" + made + " = output(sum(relu(slice(h" + made + ", axis=1, start=0, len=128)), axis=1))\n";
      text += "k" + made + " = append(h" + made + ", " + a.name + ", at=P)\n";
      text += "m" + made + " = sum(k" + made + ", axis=1)\n";
      text += "o" + made + " = output(m" + made + ")\n";
    }
  }
  const int64_t outputs = 1 + random.below(3);
  for (int64_t i = 0; i < outputs; ++i) {
    const size_t at =
        i == 0 ? values.size() - 1 : static_cast<size_t>(random.below(static_cast<int64_t>(values.size())));
    text += "out" + std::to_string(i) + " = output(" + values[at].name + ")\n";
  }
  return text;
}

// What is wrong with a plan's placement in a phase at a binding, found by looking at every two buffers;
// empty: nothing. The arena's bytes and the largest sum of live bytes come back as well.
struct Simulated {
  std::string wrong;
  int64_t bytes = 0, bound = 0;
};
inline Simulated simulate(const Plan& plan, const std::string& phase, const Binding& binding) {
  Simulated out;
  const auto arena = bind_arena(plan, phase, binding);
  if (!arena) return {"the arena has no size", 0, 0};
  struct Live {
    uint32_t begin, end;
    int64_t offset, bytes;
    const std::string* id;
  };
  std::vector<Live> live;
  uint32_t steps = 0;
  for (size_t i = 0; i < plan.buffers.size(); ++i) {
    const Plan::Buffer& b = plan.buffers[i];
    if (b.segment != Plan::Segment::Arena || b.phase != phase || b.live_end <= b.live_begin) continue;
    const auto bytes = evaluate(b.bytes, binding);
    if (!bytes) return {b.id + " has no size", 0, 0};
    live.push_back({b.live_begin, b.live_end, arena->offsets[i], *bytes, &b.id});
    steps = std::max(steps, b.live_end);
    out.bytes = std::max(out.bytes, arena->offsets[i] + *bytes);
  }
  for (size_t i = 0; i < live.size() && out.wrong.empty(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const Live &a = live[i], &b = live[j];
      if (a.begin < b.end && b.begin < a.end && a.offset < b.offset + b.bytes &&
          b.offset < a.offset + a.bytes)
        out.wrong = *a.id + " and " + *b.id + " overlap";
    }
  }
  std::vector<int64_t> alive(steps + 1, 0);
  for (const Live& l : live) {
    for (uint32_t s = l.begin; s < l.end; ++s) alive[s] += l.bytes;
  }
  for (const int64_t sum : alive) out.bound = std::max(out.bound, sum);
  if (out.wrong.empty() && out.bytes != arena->bytes) out.wrong = "the arena's size is not the largest end";
  return out;
}

// By dim, in the plan's order: its range, in a phase that phase's own.
inline Ranges ranges_in(const Plan& plan, const Plan::Phase& phase) {
  Ranges out;
  for (const Plan::Dim& dim : plan.dims) {
    out.push_back({dim.min, dim.max.value_or(Interval::kUnbounded)});
    for (const Plan::PhaseDim& own : phase.dims) {
      if (own.name == dim.name) out.back() = {own.min, own.max.value_or(Interval::kUnbounded)};
    }
  }
  return out;
}

inline Binding random_in_ranges(const Ranges& ranges, Random& random) {
  Binding binding;
  for (const auto& [low, end] : ranges) {
    const int64_t high = end == Interval::kUnbounded ? std::max<int64_t>(low, 4096) : end;
    int64_t at = low + random.below(high - low + 1);
    for (int64_t shrink = random.below(8); shrink > 0; --shrink) at = low + (at - low) / 2;
    binding.push_back(at);
  }
  return binding;
}

inline bool admitted(const Plan& plan, const Plan::Phase& phase, const Binding& binding) {
  return std::all_of(plan.guards.begin(), plan.guards.end(), [&](const Plan::Guard& guard) {
    if (!guard.phase.empty() && guard.phase != phase.name) return true;
    const auto left = evaluate(guard.left, binding), right = evaluate(guard.right, binding);
    return left && right &&
           (guard.relation == Relation::LessEqual      ? *left <= *right
            : guard.relation == Relation::GreaterEqual ? *left >= *right
                                                       : *left == *right);
  });
}

// The binding with one dim as large as its range and the guards let it be.
inline Binding enlarged(const Plan& plan, const Plan::Phase& phase, Binding binding, size_t dim,
                        int64_t high) {
  int64_t low = binding[dim];
  while (low < high) {
    binding[dim] = low + (high - low + 1) / 2;
    if (admitted(plan, phase, binding))
      low = binding[dim];
    else
      high = binding[dim] - 1;
  }
  binding[dim] = low;
  return binding;
}

// A binding inside a phase's ranges and the guards, small and large sizes alike; now and then with one dim as
// large as ranges and guards let it be.
inline Binding random_binding(const Plan& plan, const Plan::Phase& phase, Random& random) {
  const Ranges ranges = ranges_in(plan, phase);
  Binding binding;
  do binding = random_in_ranges(ranges, random);
  while (!admitted(plan, phase, binding));
  if (binding.empty() || !random.chance(25)) return binding;
  const auto d = static_cast<size_t>(random.below(static_cast<int64_t>(binding.size())));
  const int64_t high = ranges[d].hi == Interval::kUnbounded ? binding[d] : ranges[d].hi;
  return enlarged(plan, phase, std::move(binding), d, high);
}
// Inside the declared ranges, whatever phases make of them.
inline Binding random_binding(const Plan& plan, Random& random) {
  return random_binding(plan, Plan::Phase(), random);
}

}  // namespace irplan::memory_test
