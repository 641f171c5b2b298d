// irplan diff: what differs between two plans.
#include "plan/diff.h"
#include "tools/irplan/commands.h"
#include "tools/irplan/files.h"

namespace irplan::cli {
namespace {

constexpr size_t kMaxPlanBytes = size_t{256} << 20;  // what read_true_plan accepts

std::optional<Plan> load(const std::string& path) {
  const auto text = read_file(path, kMaxPlanBytes);
  if (!text) return std::nullopt;
  std::string why;
  auto plan = read_true_plan(*text, &why);
  if (!plan) fail(kFailed, path + ": " + why);
  return plan;
}

}  // namespace

int run_diff(const Arguments& arguments) {
  const auto a = load(arguments.positional()[0]);
  const auto b = a ? load(arguments.positional()[1]) : std::nullopt;
  if (!b) return kFailed;
  const bool differ = !compare_plans(*a, *b).empty();
  const std::string text = arguments.json() ? diff_plans_json(*a, *b)
                           : differ         ? diff_plans(*a, *b)
                                            : "the plans mean the same\n";
  if (!print(text)) return kFailed;
  return differ && arguments.has("--exit-code") ? kDiffers : kDone;
}

}  // namespace irplan::cli
