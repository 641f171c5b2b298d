// Diagnostics about text: each is told where its mistake stands.
#include <algorithm>

#include "catch.h"
#include "irplan/compile.h"

using namespace irplan;

namespace {

struct BadSyntax {
  const char* code;
  const char* program;
};

constexpr BadSyntax kBad[] = {
    {"E0105", "let a = 0x10\n"},
    {"E0110", "input y f32[3]\n"},
    {"E0126", "let a = 4GiG\n"},
    {"E0127", "let a = 0.3B\n"},
    {"E0128", "out = output(silu(x,))\n"},
    {"E0129", "input y: [4]\n"},
    {"E0130", "input y: f32\n"},
    {"E0131", "none = silu(x)\n"},
    {"E0132", "y += 1\n"},
    {"E0133", "else { }\n"},
    {"E0134", "let a = if true { 3 } else { 4 }\n"},
    {"E0135", "fn f(x) = silu(x)\n"},
    {"E0136", "if true\n{\n}\n"},
    {"E0137", "_a = silu(x)\n"},
    {"E0138", "let a = true ? 3 4\n"},
    {"E0139", "let a = - - 3\n"},
};

}  // namespace

TEST_CASE("each mistake in a text has its own diagnostic") {
  for (const BadSyntax& bad : kBad) {
    INFO(bad.program);
    const Compilation c =
        compile(SourceText("test.irplan", std::string("input x: f32[2, 8]\n") + bad.program), {});
    CHECK_FALSE(c.ok);
    const auto is_it = [&](const Diagnostic& d) { return std::string(info(d.code).name) == bad.code; };
    CHECK(std::any_of(c.diagnostics.list().begin(), c.diagnostics.list().end(), is_it));
  }
}
