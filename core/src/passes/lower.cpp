#include "passes/lower.h"

#include <algorithm>

namespace irplan {

void lower(Graph& graph, Diagnostics&) {
  const std::string prefix = graph.target.name + "_";
  for (Op& op : graph.ops) op.kernel = prefix + op.row->name + "_v1";
}

std::optional<Target> parse_target(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view arch = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  if (name == "cpu" && (arch.empty() || arch == "generic")) return Target{"cpu", "generic", 64};
  if (name != "cuda") return std::nullopt;
  if (arch.empty()) return Target{"cuda", "sm_90", 256};
  // sm_ and two or three digits; a letter for a variant: sm_90a.
  std::string_view digits = arch.substr(0, 3) == "sm_" ? arch.substr(3) : std::string_view();
  if (!digits.empty() && (digits.back() == 'a' || digits.back() == 'f')) digits.remove_suffix(1);
  const bool known = digits.size() >= 2 && digits.size() <= 3 &&
                     std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!known) return std::nullopt;
  return Target{"cuda", std::string(arch), 256};
}

}  // namespace irplan
