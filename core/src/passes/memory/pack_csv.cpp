#include <algorithm>

#include "irplan/pack.h"

namespace irplan {
namespace {

constexpr size_t kMostBuffers = 4'000'000;
constexpr int64_t kMostBytes = int64_t{1} << 61;  // of all buffers together

std::vector<std::string_view> cells(std::string_view line) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t comma = line.find(',');
    std::string_view cell = line.substr(0, comma);
    while (!cell.empty() && (cell.front() == ' ' || cell.front() == '"')) cell.remove_prefix(1);
    while (!cell.empty() && (cell.back() == ' ' || cell.back() == '"')) cell.remove_suffix(1);
    out.push_back(cell);
    if (comma == std::string_view::npos) return out;
    line.remove_prefix(comma + 1);
  }
}

std::optional<int64_t> integer(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  int64_t n = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(n, int64_t{10}, &n) || __builtin_add_overflow(n, int64_t{c - '0'}, &n))
      return std::nullopt;
  }
  return negative ? -n : n;
}

// An id that stands there twice; none: null.
const std::string* repeated(const std::vector<std::string>& ids) {
  std::vector<const std::string*> sorted;
  sorted.reserve(ids.size());
  for (const std::string& id : ids) sorted.push_back(&id);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return *a < *b; });
  const auto twice =
      std::adjacent_find(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return *a == *b; });
  return twice == sorted.end() ? nullptr : *twice;
}

}  // namespace

std::optional<PackTable> read_pack_csv(std::string_view text, std::string* why) {
  const char* const names[] = {"id", "lower", "upper", "size"};
  size_t column[4] = {}, line_number = 0, columns = 0;
  PackTable table;
  int64_t total = 0;
  const auto refuse = [&](std::string what) {
    *why = "line " + std::to_string(line_number) + ": " + std::move(what);
    return std::nullopt;
  };
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    ++line_number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    const auto found = cells(line);
    if (columns == 0) {
      columns = found.size();
      for (size_t k = 0; k < 4; ++k) {
        const auto at = std::find(found.begin(), found.end(), names[k]);
        if (at == found.end()) return refuse(std::string("no column is called `") + names[k] + "`");
        column[k] = static_cast<size_t>(at - found.begin());
      }
      continue;
    }
    if (found.size() != columns)
      return refuse(std::to_string(found.size()) + " cells where the first line has " +
                    std::to_string(columns));
    if (table.ids.size() == kMostBuffers)
      return refuse("more than " + std::to_string(kMostBuffers) + " buffers");
    int64_t numbers[3];
    for (size_t k = 0; k < 3; ++k) {
      const std::string_view cell = found[column[k + 1]];
      const auto n = integer(cell);
      if (!n || (k == 2 && *n < 0))
        return refuse("`" + std::string(cell.substr(0, 40)) + "` is no " + names[k + 1]);
      numbers[k] = *n;
    }
    if (numbers[0] > numbers[1])
      return refuse("alive from " + std::to_string(numbers[0]) + " to " + std::to_string(numbers[1]) +
                    ": `lower` is the first step and `upper` the one after the last");
    if (numbers[2] > kMostBytes - total) return refuse("the sizes exceed 2^61 bytes together");
    total += numbers[2];
    table.ids.emplace_back(found[column[0]]);
    table.buffers.push_back({numbers[0], numbers[1], numbers[2]});
  }
  if (columns == 0) return line_number = 1, refuse("expected id,lower,upper,size");
  if (const std::string* twice = repeated(table.ids)) {
    *why = "two buffers have the id `" + twice->substr(0, 40) + "`";
    return std::nullopt;
  }
  return table;
}

std::string write_pack_csv(const PackTable& table, const PackResult& result) {
  std::string out = "id,lower,upper,size,offset\n";
  for (size_t i = 0; i < table.ids.size(); ++i) {
    const PackBuffer& b = table.buffers[i];
    out += table.ids[i] + "," + std::to_string(b.lower) + "," + std::to_string(b.upper) + "," +
           std::to_string(b.size) + "," + std::to_string(result.offsets[i]) + "\n";
  }
  return out;
}

}  // namespace irplan
