// irplan diff: what differs between two plans.
#include "base/printable.h"
#include "command_line/files.h"
#include "command_line/terminal.h"
#include "plan/diff.h"
#include "tools/irplan/commands.h"
#include "tools/limits.h"

namespace irplan::cli {
namespace {

std::optional<Plan> load(const std::string& path) {
  const auto text = read_file(path, kMaxPlanFile);
  if (!text) return std::nullopt;
  auto plan = read_true_plan(*text);
  if (plan) return *std::move(plan);
  fail(kFailed, path + ": " + plan.message());
  return std::nullopt;
}

}  // namespace

int run_diff(const Arguments& arguments) {
  const auto a = load(arguments.positional()[0]);
  const auto b = a ? load(arguments.positional()[1]) : std::nullopt;
  if (!b) return kFailed;
  const bool differ = !compare_plans(*a, *b).empty();
  const std::string text = arguments.json() ? diff_plans_json(*a, *b)
                           : differ         ? printable(diff_plans(*a, *b), Lines::Many)
                                            : "the plans mean the same\n";
  if (!print(text)) return kFailed;
  return differ && arguments.has("--exit-code") ? kDiffers : kDone;
}

}  // namespace irplan::cli
