#include <algorithm>

#include "base/sort.h"
#include "irplan/pack.h"
#include "passes/memory/pack_parts.h"

namespace irplan {
namespace {

// The first `most` cells of a line, and one more where there are more: a line may hold as many as a file
// bytes.
std::vector<std::string_view> cells(std::string_view line, size_t most) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t comma = line.find(',');
    std::string_view cell = line.substr(0, comma);
    while (!cell.empty() && (cell.front() == ' ' || cell.front() == '"')) cell.remove_prefix(1);
    while (!cell.empty() && (cell.back() == ' ' || cell.back() == '"')) cell.remove_suffix(1);
    out.push_back(cell);
    if (comma == std::string_view::npos || out.size() > most) return out;
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
  sort_range(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return *a < *b; });
  const auto twice =
      std::adjacent_find(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return *a == *b; });
  return twice == sorted.end() ? nullptr : *twice;
}

enum Column : size_t { kId, kLower, kUpper, kSize, kAlignment, kGaps, kOffset, kColumns };
constexpr const char* kNames[kColumns] = {"id", "lower", "upper", "size", "alignment", "gaps", "offset"};
constexpr const char* kColumnNames = "id, lower, upper, size, alignment, gaps and offset";
// Other names of them in published files. `end` is the last step, `upper` the one after it.
constexpr std::pair<const char*, Column> kOtherNames[] = {
    {"buffer", kId}, {"buffer_id", kId}, {"begin", kLower}, {"start", kLower}, {"end", kUpper}};

class CsvReader {
 public:
  Result<PackTable> read(std::string_view text) {
    if (!fill(text)) return Error{std::move(why_)};
    return std::move(table_);
  }

 private:
  bool fill(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(kByteOrderMark.size());
    while (!text.empty()) {
      const size_t newline = text.find('\n');
      std::string_view line = text.substr(0, newline);
      text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
      ++line_;
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (line.empty()) continue;
      if (columns_ == 0 ? !header(cells(line, kColumns)) : !row(cells(line, columns_))) return false;
    }
    if (columns_ == 0) return line_ = 1, refuse("expected id,lower,upper,size");
    if (const std::string* twice = repeated(table_.ids)) {
      why_ = "two buffers have the id `" + twice->substr(0, 40) + "`";
      return false;
    }
    if (!any_needs_) table_.needs.clear();
    return true;
  }

  bool refuse(const std::string& what) {
    why_ = "line " + std::to_string(line_) + ": " + what;
    return false;
  }

  bool header(const std::vector<std::string_view>& found) {
    columns_ = found.size();
    if (columns_ > kColumns)
      return refuse("more than " + std::to_string(size_t{kColumns}) + " columns; they are " + kColumnNames);
    for (size_t at = 0; at < found.size(); ++at) {
      size_t k = static_cast<size_t>(std::find(std::begin(kNames), std::end(kNames), found[at]) - kNames);
      for (const auto& [other, column] : kOtherNames) {
        if (found[at] == other) k = column, last_ |= found[at] == std::string_view("end");
      }
      if (k == kColumns) {
        return refuse("the column `" + std::string(found[at].substr(0, 40)) + "` is not known; columns are " +
                      kColumnNames);
      }
      if (column_[k]) return refuse(std::string("two columns are called `") + kNames[k] + "`");
      column_[k] = at;
    }
    for (size_t k = kId; k <= kSize; ++k) {
      if (!column_[k]) return refuse(std::string("there is no column `") + kNames[k] + "`");
    }
    table_.aligned = column_[kAlignment].has_value();
    table_.gapped = column_[kGaps].has_value();
    return true;
  }

  // The cell as a number; none after a message.
  std::optional<int64_t> number(const std::vector<std::string_view>& found, Column k) {
    const std::string_view cell = found[*column_[k]];
    const auto n = integer(cell);
    const int64_t least = k == kAlignment ? 1 : k == kSize || k == kOffset ? 0 : INT64_MIN;
    if (n && *n >= least) return n;
    refuse("`" + std::string(cell.substr(0, 40)) + "` is not a valid " + kNames[k]);
    return std::nullopt;
  }

  bool row(const std::vector<std::string_view>& found) {
    const std::string wanted = std::to_string(columns_);
    if (found.size() > columns_) return refuse("more cells than the " + wanted + " of the first line");
    if (found.size() < columns_)
      return refuse(std::to_string(found.size()) + " cells where the first line has " + wanted);
    if (table_.ids.size() == kMostTableBuffers)
      return refuse("more than " + std::to_string(kMostTableBuffers) + " buffers");
    const auto lower = number(found, kLower);
    auto upper = lower ? number(found, kUpper) : std::nullopt;
    const auto size = upper ? number(found, kSize) : std::nullopt;
    if (!size) return false;
    if (last_ && *upper < INT64_MAX) ++*upper;
    if (*lower > *upper)
      return refuse("alive from " + std::to_string(*lower) + " to " + std::to_string(*upper) +
                    ": `lower` is the first step and `upper` the one after the last");
    if (*size > kMostTableBytes - total_) return refuse("the sizes exceed 2^61 bytes together");
    total_ += *size;
    table_.ids.emplace_back(found[*column_[kId]]);
    table_.buffers.push_back({*lower, *upper, *size});
    return needs(found, table_.buffers.back());
  }

  bool needs(const std::vector<std::string_view>& found, const PackBuffer& buffer) {
    PackNeeds& needs = table_.needs.emplace_back();
    if (column_[kAlignment]) {
      const auto n = number(found, kAlignment);
      if (!n) return false;
      if (*n > kMostTableBytes) return refuse("an alignment of more than 2^61 bytes");
      needs.alignment = *n;
    }
    if (column_[kOffset] && !found[*column_[kOffset]].empty()) {
      const auto n = number(found, kOffset);
      if (!n) return false;
      if (*n > kMostTableBytes) return refuse("an offset of more than 2^61 bytes");
      if (*n % needs.alignment != 0) {
        return refuse("the offset " + std::to_string(*n) + " is not a multiple of the alignment " +
                      std::to_string(needs.alignment));
      }
      needs.offset = *n;
    }
    if (column_[kGaps] && !gaps(found[*column_[kGaps]], buffer, needs)) return false;
    any_needs_ |= needs.alignment != 1 || needs.offset || !needs.gaps.empty();
    return true;
  }

  // "3-7 8-9@0:16": steps in which it is not there, or only bytes 0 to 16 of it are.
  bool gaps(std::string_view text, const PackBuffer& buffer, PackNeeds& needs) {
    const auto pair = [](std::string_view both, char between) -> std::optional<std::pair<int64_t, int64_t>> {
      const size_t at = both.find(between, 1);  // a first number may be negative
      if (at == std::string_view::npos) return std::nullopt;
      const auto first = integer(both.substr(0, at)), second = integer(both.substr(at + 1));
      if (!first || !second) return std::nullopt;
      return std::pair(*first, *second);
    };
    while (!text.empty()) {
      const size_t space = std::min(text.find(' '), text.size());
      const std::string_view word = text.substr(0, space);
      text.remove_prefix(std::min(space + 1, text.size()));
      if (word.empty()) continue;
      const auto wrong = [&](const char* what) {
        return refuse("the gap `" + std::string(word.substr(0, 40)) + "` " + what);
      };
      const size_t at = word.find('@');
      const auto steps = pair(word.substr(0, at), '-');
      const auto kept = at == std::string_view::npos
                            ? std::pair<int64_t, int64_t>(0, 0)
                            : pair(word.substr(at + 1), ':').value_or(std::pair(1, 0));
      if (!steps) return wrong("is not written as lower-upper or lower-upper@from:to");
      PackGap gap{steps->first, steps->second, kept.first, kept.second};
      if (last_ && gap.upper < INT64_MAX) ++gap.upper;
      if (const char* what = wrong_gap(gap, buffer, needs)) return wrong(what);
      needs.gaps.push_back(gap);
    }
    return true;
  }

  std::string why_;
  PackTable table_;
  std::optional<size_t> column_[kColumns];
  size_t line_ = 0, columns_ = 0;
  int64_t total_ = 0;
  bool last_ = false;  // the upper column has the last step
  bool any_needs_ = false;
};

std::string gaps_text(const std::vector<PackGap>& gaps) {
  std::string out;
  for (const PackGap& gap : gaps) {
    out += (out.empty() ? "" : " ") + std::to_string(gap.lower) + "-" + std::to_string(gap.upper);
    if (gap.kept_lower < gap.kept_upper)
      out += "@" + std::to_string(gap.kept_lower) + ":" + std::to_string(gap.kept_upper);
  }
  return out;
}

}  // namespace

const char* wrong_gap(const PackGap& gap, const PackBuffer& buffer, const PackNeeds& before) {
  if (gap.lower >= gap.upper) return "ends before it begins";
  if (gap.lower < buffer.lower || gap.upper > buffer.upper) return "is outside of the buffer's life";
  if (!before.gaps.empty() && gap.lower < before.gaps.back().upper)
    return "begins before the one before it ends";
  if (gap.kept_lower < 0 || gap.kept_lower > gap.kept_upper || gap.kept_upper > buffer.size)
    return "keeps bytes outside the buffer";
  return nullptr;
}

Result<PackTable> read_pack_csv(std::string_view text) { return CsvReader().read(text); }

std::string write_pack_csv(const PackTable& table, const PackResult& result) {
  const bool aligned = table.aligned && !table.needs.empty(), gapped = table.gapped && !table.needs.empty();
  std::string out = std::string("id,lower,upper,size") + (aligned ? ",alignment" : "") +
                    (gapped ? ",gaps" : "") + ",offset\n";
  for (size_t i = 0; i < table.ids.size(); ++i) {
    const PackBuffer& b = table.buffers[i];
    out += table.ids[i] + "," + std::to_string(b.lower) + "," + std::to_string(b.upper) + "," +
           std::to_string(b.size);
    if (aligned) out += "," + std::to_string(table.needs[i].alignment);
    if (gapped) out += "," + gaps_text(table.needs[i].gaps);
    out += "," + std::to_string(result.offsets[i]) + "\n";
  }
  return out;
}

}  // namespace irplan
