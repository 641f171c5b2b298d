#include <algorithm>
#include <vector>

#include "irplan/diagnostic.h"

namespace irplan {
namespace {

constexpr size_t kLongestName = 64;  // nobody mistypes longer ones by a letter; bounds the work

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Insertions, deletions, substitutions and swaps of neighbours that turn a into b (optimal string alignment).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool equal = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (equal ? 0 : 1)});
      const bool swapped =
          i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > kLongestName) return {};
  const size_t allowed = std::max<size_t>(1, word.size() / 3);
  const std::string* best = nullptr;
  size_t least = allowed + 1;
  for (const std::string& candidate : candidates) {
    const size_t gap =
        candidate.size() > word.size() ? candidate.size() - word.size() : word.size() - candidate.size();
    if (candidate == word || candidate.empty() || gap >= least) continue;
    const size_t d = distance(word, candidate);
    // A one-letter name is not a misspelling of every other one-letter name.
    if (d >= least || d >= std::max(word.size(), candidate.size())) continue;
    least = d;
    best = &candidate;
  }
  return best ? *best : std::string();
}

bool differ_by_slip(std::string_view a, std::string_view b) {
  const size_t shorter = std::min(a.size(), b.size()), longer = std::max(a.size(), b.size());
  if (a == b || shorter < 6 || longer > kLongestName || longer - shorter > 2) return false;
  return distance(a, b) <= (shorter < 8 ? 1 : 2);
}

}  // namespace irplan
