// The packer: places buffers of given sizes and lifetimes in as little memory as it can find, at one size.
//
//        offset
//          ^   +---b---+        two buffers whose lifetimes [lower, upper) overlap share no byte;
//          | +--a--++-c-+       height: the largest offset + size
//          +--------------> time
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "irplan/result.h"
#include "irplan/strength.h"

namespace irplan {

struct PackBuffer {
  int64_t lower = 0, upper = 0;  // alive in [lower, upper); nowhere where that is empty
  int64_t size = 0;              // bytes, not negative
};

// Connected buffers, of lives that reach one another, that the depth-first search takes; more only change
// places.
inline constexpr size_t kMostPackSearched = 4000;

// How far a search is, for whoever waits for it.
struct PackProgress {
  int64_t height = 0;  // of the best placement of the buffers that are searched
  int64_t tried = 0;   // the height that is tried now
  int64_t nodes = 0;   // of all searches so far
};

struct PackOptions {
  std::optional<int64_t> capacity;  // stop at a height that fits; say what prevents it where none does
  Strength strength = Strength::Limited;
  // Of the search at one height; fewer for buffers that live long. The same everywhere, unlike a limit of
  // time.
  int64_t node_limit = 400'000;
  bool decide = false;  // try the capacity alone, no height above it
  // Told every some thousand nodes; false ends the search with the best placement so far.
  std::function<bool(const PackProgress&)> progress;
};

struct PackResult {
  std::vector<int64_t> offsets;  // in the order of the buffers
  int64_t height = 0;
  int64_t bound = 0;    // the largest sum of sizes alive at once: no placement is lower
  bool proven = false;  // no placement is lower than `height`
  // What found it: Portfolio; Exact where the search ended (by finding or refuting); Limited where it gave
  // up.
  Strength strength = Strength::Portfolio;
  bool stopped = false;                                // `progress` ended the search
  bool impossible = false;                             // the search showed that no placement fits `capacity`
  int64_t nodes = 0;                                   // placements that the search tried
  std::optional<std::pair<uint32_t, uint32_t>> clash;  // buffers that cannot both lie where they must
};

// Sums of sizes alive at once must not exceed 2^62; the reader of CSV sees to that. Deterministic, the same
// on every machine.
PackResult pack(std::span<const PackBuffer> buffers, const PackOptions& options = {});

// Buffers that prevent `capacity`: alive together and larger than it where it is below the bound, else a
// subset that the search refuted. `irreducible`: without any one of them the others fit. Empty where
// `result`, of the same buffers and capacity, shows nothing impossible; more than needed where `progress`
// ends the search for fewer.
struct PackConflict {
  std::vector<uint32_t> buffers;
  bool irreducible = false;
};
PackConflict find_conflict(std::span<const PackBuffer> buffers, int64_t capacity, const PackResult& result,
                           const std::function<bool(const PackProgress&)>& progress = {});

// What a buffer asks for besides a place.
struct PackGap {
  int64_t lower = 0, upper = 0;            // in [lower, upper) others may have its bytes
  int64_t kept_lower = 0, kept_upper = 0;  // but these of it, from its offset on; none where that is empty
};
struct PackNeeds {
  int64_t alignment = 1;          // its offset is a multiple of it
  std::optional<int64_t> offset;  // where it must lie
  std::vector<PackGap> gaps;      // within its life, apart from one another, in their order
};

// The published instances' form: `id,lower,upper,size`, a line a buffer, columns found by their names; and
// `alignment`, `gaps`, `offset`. Or the same as JSON, where a capacity may stand beside the buffers.
struct PackTable {
  std::vector<std::string> ids;
  std::vector<PackBuffer> buffers;
  std::vector<PackNeeds> needs;  // by buffer; empty where nothing asks for more than a place
  bool aligned = false, gapped = false;
  std::optional<int64_t> capacity;
  std::string json;  // the text that it was read from, where that is JSON: it is written as it was
};
// Fails where the text is no such table, and says what and in which line.
Result<PackTable> read_pack_csv(std::string_view text);
std::string write_pack_csv(const PackTable& table, const PackResult& result);

// {"capacity": n, "buffers": [{"id", "lower", "upper", "size", "alignment", "gaps", "offset"}, …]}, or the
// list alone. The result is the same text with an offset for each buffer, the height and the verdict.
Result<PackTable> read_pack_json(std::string_view text);
std::string write_pack_json(const PackTable& table, const PackResult& result);

// With what the table's buffers need. Where that is more than a place, `bound` counts sizes without their
// gaps, `proven` is the search's, and `clash` names two buffers whose fixed places share bytes.
PackResult pack(const PackTable& table, const PackOptions& options = {});

enum class PackVerdict : uint8_t { Optimal, Feasible, Infeasible, Undecided };
// Feasible: within the capacity, where a lower placement may exist.
PackVerdict verdict_of(const PackResult& result, std::optional<int64_t> capacity);
const char* name(PackVerdict verdict);

}  // namespace irplan
