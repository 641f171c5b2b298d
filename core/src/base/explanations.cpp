#include "base/explanations.h"

#include <iterator>

namespace irplan {
namespace {

struct Explanation {
  const char *means, *write;
};
constexpr Explanation kExplanations[] = {
    // in the order of the codes
#define IRPLAN_EXPLANATION(code, means, write) {means, write},
#include "base/explanations.def"
#undef IRPLAN_EXPLANATION
};
constexpr Code kOrder[] = {
#define IRPLAN_EXPLANATION(code, means, write) Code::code,
#include "base/explanations.def"
#undef IRPLAN_EXPLANATION
};
constexpr bool in_order() {
  for (size_t i = 0; i < std::size(kOrder); ++i) {
    if (static_cast<size_t>(kOrder[i]) != i) return false;
  }
  return true;
}
static_assert(in_order(), "each code of diagnostics.def has its explanation, in the same order");

// The template for people: "{0}" becomes "…".
std::string open_message(const char* text) {
  std::string out;
  for (const char* c = text; *c; ++c) {
    if (*c == '{' && c[1] >= '0' && c[1] <= '9' && c[2] == '}')
      out += "…", c += 2;
    else
      out += *c;
  }
  return out;
}

}  // namespace

std::string explain(const CodeInfo& code) {
  const Explanation& e = kExplanations[static_cast<size_t>(code.code)];
  const bool error = code.severity == Severity::Error;
  std::string out = std::string(error ? "error" : "warning") + "[" + code.name +
                    "]: " + open_message(code.text) + "\n\n" + e.means + "\n";
  if (*e.write) out += "\n    " + std::string(e.write) + "\n";
  if (!error) {
    out += "\n`--allow " + std::string(code.name) + "` leaves it out, `--deny " + code.name +
           "` makes it an error.\n";
  }
  return out;
}

}  // namespace irplan
