#include "command_line/warnings.h"

#include <string>

#include "irplan/diagnostic.h"

namespace irplan::command {
namespace {

// "W0201|W0202|…"
const char* warning_codes() {
  static const std::string codes = [] {
    std::string out;
    for (const CodeInfo& code : all_codes()) {
      if (code.severity == Severity::Warning) out += (out.empty() ? "" : "|") + std::string(code.name);
    }
    return out;
  }();
  return codes.c_str();
}

Option of_a_code(const char* name, const char* doc) {
  return {.name = name, .value = "CODE", .doc = doc, .repeats = true, .choices = warning_codes()};
}

}  // namespace

Option deny_warnings_option() { return {.name = "--deny-warnings", .doc = "treat warnings as errors"}; }
Option allow_option() { return of_a_code("--allow", "hide warnings with this code: W0203"); }
Option deny_option() { return of_a_code("--deny", "treat warnings with this code as errors"); }

}  // namespace irplan::command
