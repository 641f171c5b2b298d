#include "service/fixes.h"

#include <algorithm>
#include <vector>

#include "base/sort.h"

namespace irplan {
namespace {

constexpr int kMostRounds = 10;  // a change may bring up what it hid

// The edits of one round, from the last to the first, none of which touches another.
std::vector<Edit> edits_of(const Diagnostics& diagnostics) {
  std::vector<const Fix*> fixes;
  for (const Diagnostic& d : diagnostics.list()) {
    const Fix* only = nullptr;
    size_t count = 0;
    for (const Fix& fix : d.fixes) {
      if (!fix.edits.empty()) only = &fix, ++count;
    }
    if (count == 1 && !d.elsewhere) fixes.push_back(only);
  }
  std::vector<Edit> taken;
  for (const Fix* fix : fixes) {
    const auto touches = [&](const Edit& edit) {
      return std::any_of(taken.begin(), taken.end(), [&](const Edit& other) {
        return edit.span.begin <= other.span.end && other.span.begin <= edit.span.end;
      });
    };
    if (std::none_of(fix->edits.begin(), fix->edits.end(), touches))
      taken.insert(taken.end(), fix->edits.begin(), fix->edits.end());
  }
  sort_range(taken.begin(), taken.end(),
             [](const Edit& a, const Edit& b) { return a.span.begin > b.span.begin; });
  return taken;
}

}  // namespace

FixedText with_fixes(const SourceText& source, const CompileOptions& options) {
  FixedText best{std::string(source.text()), 0};
  Compilation now = compile(SourceText(source.name(), best.text), options);
  for (int round = 0; round < kMostRounds; ++round) {
    const std::vector<Edit> edits = edits_of(now.diagnostics);
    if (edits.empty()) break;
    std::string text = best.text;
    for (const Edit& edit : edits) text.replace(edit.span.begin, edit.span.end - edit.span.begin, edit.text);
    Compilation then = compile(SourceText(source.name(), text), options);
    // Errors of the text hide those of its meaning: fewer of them, or the same count of others, is no worse.
    const bool worse = then.diagnostics.errors() > now.diagnostics.errors() &&
                       then.diagnostics.list().front().code <= now.diagnostics.list().front().code;
    if (worse || text == best.text) break;
    best = {std::move(text), best.changes + edits.size()};
    now = std::move(then);
  }
  return best;
}

}  // namespace irplan
