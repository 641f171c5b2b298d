// What the packer is made of: the placements by rules and the search, on lifetimes counted in sections.
//
// A section is a maximal set of buffers alive together; a buffer lives in the consecutive sections [first,
// last).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "irplan/pack.h"

namespace irplan {

constexpr size_t kMostTableBuffers = 4'000'000;        // of a table in a file
constexpr int64_t kMostTableBytes = int64_t{1} << 61;  // of all its buffers together

// What is wrong with a gap of a buffer that has those before it: "is outside of the buffer's life"; null
// where nothing is.
const char* wrong_gap(const PackGap& gap, const PackBuffer& buffer, const PackNeeds& before);

}  // namespace irplan

namespace irplan::packing {

struct Item {
  int32_t first = 0, last = 0;
  int64_t size = 0;
};

using Offsets = std::vector<int64_t>;

int64_t height_of(const std::vector<Item>& items, const Offsets& offsets);

// Sequences in which buffers are placed one after the other, by what comes first. Full: the sum of the
// fullest section that a buffer lives in, in some hundred steps, then life.
enum class Rule : uint8_t { Life, Area, Size, Begin, Full };
std::vector<uint32_t> sequence(const std::vector<Item>& items, Rule rule);
// Each where it fits lowest, or with `tight` in the smallest gap. None where the ceiling would be reached.
Offsets place(const std::vector<Item>& items, const std::vector<uint32_t>& order, bool tight,
              int64_t ceiling = INT64_MAX);
// Again and again the lowest level stretch gets the first in the sequence that lives within it.
Offsets skyline(const std::vector<Item>& items, const std::vector<uint32_t>& order,
                int64_t ceiling = INT64_MAX);
// By item: the highest and, again and again, one on which it stands.
std::vector<uint8_t> highest_stack(const std::vector<Item>& items, const Offsets& offsets);

// The lowest placement that the sequences give; stops at `target`. `mend_work`: buffers that are placed
// again, for each sequence, to mend what is too high.
Offsets portfolio(const std::vector<Item>& items, int64_t target, size_t mend_work);

// Told how far an improvement is, now and then; false ends it.
using Report = std::function<bool(int64_t height, int64_t tried, int64_t nodes)>;
// Lowers a placement towards `target` in so much work, which is counted in placed buffers that are looked at,
// and placements in `nodes`.
void eject(const std::vector<Item>& items, int64_t target, int64_t work, const Report& report, int64_t& nodes,
           Offsets& offsets);

uint64_t mixed(uint64_t n);  // draws that are the same everywhere

enum class Verdict : uint8_t { Found, None, Unknown };
// Told the nodes of a search now and then; false ends it.
using Watch = std::function<bool(int64_t nodes)>;
// Depth first over canonical placements no higher than `capacity`, in at most `limit` nodes, which are
// counted in `nodes`.
Verdict search(const std::vector<Item>& items, int32_t sections, int64_t capacity, int64_t limit,
               const Watch& watch, int64_t& nodes, Offsets& offsets);

}  // namespace irplan::packing
