// How large a program may be, and a plan that says it was made of one. What each reader of files takes stands
// with the reader (Config, JsonTree, Safetensors, …); how much of a file a command reads, in
// native/tools/limits.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace irplan {

// Of a program, once its loops and calls are unrolled (rule R12 of core/language.md); each has its own
// diagnostic.
constexpr size_t kMaxOps = 250'000;
constexpr int64_t kMaxRounds = 100'000;  // of one loop
constexpr size_t kMaxSteps = 6'000'000;  // expressions evaluated and values compared
constexpr size_t kMaxItems = 4096;       // of a list or record
constexpr int kMaxValueDepth = 100;      // of lists and records in each other
constexpr size_t kMaxStringBytes = 1 << 14;
constexpr int kMaxCallDepth = 64;
constexpr int kMaxDepth = 1000;  // of nested expressions, through calls
constexpr size_t kMaxRank = 8;   // axes of a tensor

// Of programs and plans alike.
constexpr size_t kMaxPhases = 16;
constexpr size_t kMaxDims = 1024;
constexpr size_t kMaxBudgets = 100;

constexpr size_t kMaxNameBytes = 4000;  // of values, dims and phases, and of a budget's text

// Of plans. A record of a fused op or of a view may say more than the program did.
constexpr size_t kMaxPlanRank = 16;
constexpr size_t kMaxParts = 64;                      // of a fused op
constexpr size_t kMaxIdBytes = 4096;                  // names, and what passes put before and after them
constexpr size_t kMaxFrontiers = 3, kMaxPoints = 64;  // what is asked of each is computed again

}  // namespace irplan
