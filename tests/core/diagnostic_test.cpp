// Diagnostics: collecting, rendering, JSON, and the nearest name.
#include "irplan/diagnostic.h"

#include "catch.h"

using namespace irplan;

namespace {

constexpr const char* kProgram =
    "input x: f16[1, S, D]\n"
    "w = param f16[D]\n"
    "\tn = rmsnom(x, w, eps=1e-5)\n"
    "out = output(n)\n";

const SourceText& program() {
  static const SourceText text("/somewhere/else/a.irplan", kProgram);
  return text;
}

Span span_of(std::string_view word) {
  const auto at = static_cast<uint32_t>(program().text().find(word));
  return {at, at + static_cast<uint32_t>(word.size())};
}

}  // namespace

TEST_CASE("a diagnostic shows its place, the labels of other lines, the rule and the help") {
  Diagnostics d;
  d.report(Code::UnknownFunction, span_of("rmsnom"), {"rmsnom"})
      .at("called here")
      .also(span_of("w = param"), "the weight")
      .rule("names are operators or functions")
      .help("did you mean `rmsnorm`?");
  CHECK(render(d, program(), false) ==
        "error[E0238]: there is no operator or function `rmsnom`\n"
        " --> a.irplan:3:6\n"
        "  |\n"
        "3 |     n = rmsnom(x, w, eps=1e-5)\n"
        "  |         ^^^^^^ called here\n"
        "2 | w = param f16[D]\n"
        "  | --------- the weight\n"
        "  = rule: names are operators or functions\n"
        "  = help: did you mean `rmsnorm`?\n"
        "\n"
        "1 error\n");
}

TEST_CASE("two labels of one line stand under it in turn") {
  Diagnostics d;
  d.report(Code::UnknownName, span_of("x, w"), {"x"}).also(span_of("eps"), "and this");
  CHECK(render(d.list()[0], program(), false) ==
        "error[E0201]: `x` is not defined\n"
        " --> a.irplan:3:13\n"
        "  |\n"
        "3 |     n = rmsnom(x, w, eps=1e-5)\n"
        "  |                ^^^^\n"
        "  |                      --- and this\n");
}

TEST_CASE("a remark about the command line has no excerpt and names the file") {
  Diagnostics d;
  d.report(Code::UnknownDimOption, {}, {"Q"});
  d.report(Code::UnknownDimOption, {}, {"Z"});
  d.report(Code::UnknownDimOption, {}, {"Q"});
  CHECK(render(d, program(), false) ==
        "error[E0266]: `--dim Q` matches no dim of the program\n --> a.irplan\n\n"
        "error[E0266]: `--dim Z` matches no dim of the program\n --> a.irplan\n\n"
        "2 errors\n");
}

TEST_CASE("colour is escape codes and nothing else") {
  Diagnostics d;
  d.report(Code::UnknownName, span_of("rmsnom"), {"rmsnom"}).help("look");
  std::string colored = render(d, program(), true);
  CHECK(colored.find("\x1b[1;31merror[E0201]") == 0);
  for (size_t at; (at = colored.find('\x1b')) != std::string::npos;)
    colored.erase(at, colored.find('m', at) - at + 1);
  CHECK(colored == render(d, program(), false));
}

TEST_CASE("a stranger's bytes cannot steer the terminal") {
  const SourceText hostile("h.irplan", "a = \x1b[31m\xff\xc2\x9b \xc3\xa4 b\n");
  Diagnostics d;
  const auto at = static_cast<uint32_t>(hostile.text().find('b'));
  d.report(Code::UnknownName, {at, at + 1}, {"\x1b]0;title\x07"});
  const std::string text = render(d.list()[0], hostile, false);
  CHECK(text ==
        "error[E0201]: `?]0;title?` is not defined\n"
        " --> h.irplan:1:17\n"
        "  |\n"
        "1 | a = ?[31m??? ä b\n"
        "  |                ^\n");
  CHECK(to_json(d.list(), hostile).find('\x1b') == std::string::npos);
}

TEST_CASE("a line of megabytes is cut around what is marked") {
  const SourceText wide("w.irplan", std::string(5'000'000, 'a') + " + b" + std::string(5'000'000, 'c'));
  Diagnostics d;
  d.report(Code::UnknownName, {5'000'003, 5'000'004}, {"b"});
  const std::string text = render(d.list()[0], wide, false);
  CHECK(text.size() < 600);
  CHECK(text.find("aaa + bccc") != std::string::npos);
  const size_t excerpt = text.find("1 | ") + 4,
               caret = text.find('^') - (text.rfind('\n', text.find('^')) + 5);
  // The ellipsis takes three bytes and one column.
  CHECK(text[excerpt + caret + 2] == 'b');
}

TEST_CASE("diagnostics are sorted by place, errors before warnings, and one cause is told once") {
  Diagnostics d;
  d.report(Code::SizeAssumed, span_of("x: f16"), {"S", "has", "4096"});
  d.report(Code::UnknownName, span_of("w, eps"), {"w"});
  d.report(Code::UsedBeforeBound, span_of("x: f16"), {"x"});
  d.report(Code::UnknownName, span_of("w, eps"), {"another"}).help("dropped");
  d.sort();
  REQUIRE(d.list().size() == 3);
  CHECK(d.list()[0].code == Code::UsedBeforeBound);
  CHECK(d.list()[1].code == Code::SizeAssumed);
  CHECK(d.list()[2].message == "`w` is not defined");
  CHECK(d.list()[2].fixes.empty());
  CHECK(d.errors() == 2);
  d.warnings_are_errors();
  CHECK(d.errors() == 3);
  CHECK(render(d, program(), false).find("3 errors\n") != std::string::npos);
}

TEST_CASE("beyond the cap only the count grows") {
  Diagnostics d;
  for (uint32_t i = 0; i < 150; ++i) d.report(Code::UnknownName, {i, i + 1}, {"x"});
  CHECK(d.list().size() == Diagnostics::kMaxKept);
  CHECK(d.errors() == 150);
  CHECK(d.dropped() == 50);
  const std::string text = render(d, program(), false);
  CHECK(text.substr(text.rfind("150")) == "150 errors; 50 not shown\n");
}

TEST_CASE("the JSON form holds every place, and the edits of a fix") {
  Diagnostics d;
  d.report(Code::UnknownFunction, span_of("rmsnom"), {"rmsnom"})
      .at("called here")
      .fix("did you mean `rmsnorm`?", span_of("rmsnom"), "rmsnorm");
  CHECK(
      to_json(d.list(), program()) ==
      "[\n"
      R"({"code":"E0238","severity":"error","message":"there is no operator or function `rmsnom`",)"
      R"("file":"a.irplan","line":3,"column":6,"end_line":3,"end_column":12,)"
      R"("labels":[{"message":"called here","file":"a.irplan","line":3,"column":6,"end_line":3,"end_column":12}],"notes":[],)"
      R"("fixes":[{"message":"did you mean `rmsnorm`?","edits":[{"file":"a.irplan","line":3,"column":6,"end_line":3,)"
      R"("end_column":12,"text":"rmsnorm"}]}]})"
      "\n]");
  CHECK(to_json(std::vector<Diagnostic>{}, program()) == "[]");
}

TEST_CASE("the nearest name is near, and nothing is proposed for what is far") {
  const std::vector<std::string> names = {"rope", "rmsnorm", "route", "silu", "n", "hidden_size"};
  CHECK(nearest("rmsnom", names) == "rmsnorm");
  CHECK(nearest("RMSNorm", names) == "rmsnorm");
  CHECK(nearest("rmsnrom", names) == "rmsnorm");  // neighbours swapped
  CHECK(nearest("nn", names) == "n");
  CHECK(nearest("hiden_sise", names) == "hidden_size");
  CHECK(nearest("x", names).empty());
  CHECK(nearest("attention", names).empty());
  CHECK(nearest("", names).empty());
  CHECK(nearest(std::string(100'000, 'a'), names).empty());
}
