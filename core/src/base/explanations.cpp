#include "base/explanations.h"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <iterator>

#include "base/text_writer.h"

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

// "E0301" of "e0301" and of "error[E0301]"; empty for a word of another form.
std::string code_in(std::string_view word) {
  const size_t open = word.find('[');
  if (open != std::string_view::npos && word.back() == ']')
    word = word.substr(open + 1, word.size() - open - 2);
  constexpr size_t kLongest = 8;
  if (word.size() < 2 || word.size() > kLongest) return {};
  std::string out(word);
  if (out[0] == 'e' || out[0] == 'w') out[0] = static_cast<char>(out[0] - 'a' + 'A');
  const bool like =
      (out[0] == 'E' || out[0] == 'W') && out.find_first_not_of("0123456789", 1) == std::string::npos;
  return like ? out : std::string();
}

// Of the same severity, the one with the nearest number.
const CodeInfo& nearest_code(const std::string& code) {
  const long wanted = std::strtol(code.c_str() + 1, nullptr, 10);
  const auto distance = [&](const CodeInfo& row) {
    return row.name[0] == code[0] ? std::labs(std::strtol(row.name + 1, nullptr, 10) - wanted) : LONG_MAX;
  };
  const auto less = [&](const CodeInfo& a, const CodeInfo& b) { return distance(a) < distance(b); };
  return *std::min_element(all_codes().begin(), all_codes().end(), less);
}

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

bool is_like_code(std::string_view word) { return !code_in(word).empty(); }

const CodeInfo* find_meant_code(std::string_view word, std::string* instead) {
  const std::string code = code_in(word);
  if (const CodeInfo* found = find_code(code)) return found;
  std::string begin;
  for (const CodeInfo& row : all_codes()) {
    if (std::string_view(row.name).substr(0, code.size()) == code)
      begin += (begin.empty() ? "" : ", ") + std::string(row.name);
  }
  *instead = begin.empty() ? "; the nearest is " + std::string(nearest_code(code).name)
                           : "; those that begin so are " + begin;
  return nullptr;
}

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

std::string explain_json(const CodeInfo& code) {
  const Explanation& e = kExplanations[static_cast<size_t>(code.code)];
  TextWriter out(1024);
  const auto entry = [&](const char* begin, std::string_view text) { out += begin, out.quote(text); };
  entry("{\"code\": ", code.name);
  entry(", \"severity\": ", code.severity == Severity::Error ? "error" : "warning");
  entry(", \"message\": ", open_message(code.text));
  entry(", \"means\": ", e.means);
  entry(", \"write\": ", e.write);
  out += "}\n";
  return out.take();
}

}  // namespace irplan
