// Names: what each word means, in programs that are whole and in programs that are being typed.
#include "names/names.h"

#include <optional>
#include <set>
#include <string>

#include "catch.h"
#include "irplan/compile.h"
#include "irplan/new_program.h"
#include "syntax/parser.h"
#include "syntax/words.h"

using namespace irplan;
using namespace irplan::names;

namespace {

struct Program {
  explicit Program(std::string text) : source("test.irplan", std::move(text)) {
    Diagnostics ignored;
    tree = syntax::parse(source, ignored);
    names.emplace(source, tree);
  }
  SourceText source;
  syntax::Tree tree;
  std::optional<Names> names;

  uint32_t place(std::string_view word, int nth = 0) const {
    size_t at = source.text().find(word);
    for (; nth > 0; --nth) at = source.text().find(word, at + 1);
    REQUIRE(at != std::string::npos);
    return static_cast<uint32_t>(at);
  }
  const Mention& at(std::string_view word, int nth = 0) const {
    const Mention* found = names->at(place(word, nth));
    REQUIRE(found);
    return *found;
  }
  // Lines of what the first letter of a word may come from.
  std::vector<uint32_t> from(std::string_view word, int nth = 0) const {
    std::vector<uint32_t> lines;
    for (const Mention* one : names->definitions(at(word, nth)))
      lines.push_back(source.locate(one->span.begin).line);
    return lines;
  }
  std::set<std::string> visible(std::string_view word, int nth = 0) const {
    std::set<std::string> out;
    for (const NameId id : names->visible(place(word, nth))) out.insert(names->text(id));
    return out;
  }
};

using Lines = std::vector<uint32_t>;
using Words = std::set<std::string>;

}  // namespace

TEST_CASE("a use comes from the binding above it, in its own scope") {
  const Program p(
      "let a = 1\n"                      // 1
      "fn f(x, n=a) { return x + n }\n"  // 2
      "input x: f32[N, 4]\n"             // 3
      "y = f(x, n=2)\n"                  // 4
      "for i in a { z = y + i }\n"       // 5
      "out = output(y)\n");              // 6
  CHECK(p.from("x + n") == Lines{2});
  CHECK(p.from("n }") == Lines{2});
  CHECK(p.from("a) {") == Lines{1});
  CHECK(p.from("x, n=2") == Lines{3});
  CHECK(p.from("n=2") == Lines{2});  // a keyword is the parameter
  CHECK(p.from("i }") == Lines{5});
  CHECK(p.from("y)") == Lines{4});
  CHECK(p.names->names()[p.at("N,").name].free);
  CHECK(p.visible("out") == Words{"a", "f", "x", "N", "y"});
  CHECK(p.visible("return") == Words{"a", "x", "n"});
}

TEST_CASE("bindings of arms and phases that exclude each other are told apart") {
  const Program p(
      "phase prefill { S in 1..8 }\n"             // 1
      "phase decode { S = 1 }\n"                  // 2
      "let one = phase == \"decode\"\n"           // 3
      "input x: f32[S]\n"                         // 4
      "if one { a = silu(x) }\n"                  // 5
      "if phase != \"decode\" { a = relu(x) }\n"  // 6
      "b = a\n"                                   // 7
      "if has([\"prefill\"], phase) { c = a }\n"  // 8
      "if !one { d = a } else { d = a }\n"        // 9
      "e = phase == \"decode\" ? a : a\n");       // 10
  CHECK(p.from("a\n") == Lines{5, 6});
  CHECK(p.from("a }", 0) == Lines{6});
  CHECK(p.from("a }", 1) == Lines{6});
  CHECK(p.from("a }", 2) == Lines{5});
  CHECK(p.from("a : a") == Lines{5});
  CHECK(p.from("decode\"") == Lines{2});
  CHECK(p.from("prefill\"") == Lines{1});
}

TEST_CASE("what a loop hands on comes from before it, and from its last round") {
  const Program p(
      "input x: f32[4]\n"      // 1
      "h = x\n"                // 2
      "for i in 3 with h {\n"  // 3
      "  a = silu(h)\n"        // 4
      "  h = a + h\n"          // 5
      "  b = h\n"              // 6
      "}\n"
      "y = h\n");
  CHECK(p.from("h)") == Lines{2, 5});
  CHECK(p.from("h\n  b") == Lines{2, 5});
  CHECK(p.from("h\n}") == Lines{5});
  CHECK(p.from("h\n", 4) == Lines{2, 5});  // without a round there is the first one
  CHECK(p.names->names()[p.at("h =").name].mentions.size() == 7);
}

TEST_CASE("around a half-typed statement all else stays resolved") {
  const char* const kHalves[] = {"y = linear(x,",
                                 "y = linear(x, w",
                                 "y = f(x ? ",
                                 "y = [x, ",
                                 "y = x +",
                                 "y = x[",
                                 "y = config.",
                                 "y = \"{x",
                                 "let q = ",
                                 "dim Q in",
                                 "input z: f16[S, ",
                                 "phase ",
                                 "budget S <=",
                                 "y",
                                 "y, ",
                                 "for i in",
                                 "fn f(a, ",
                                 "require x ==",
                                 "y = a b c",
                                 "y = 1.2.3",
                                 "y = param f16[",
                                 "return ",
                                 "if x ==",
                                 "y = )",
                                 "y = state f16[S] from",
                                 "y = f(x, a=",
                                 "= 3",
                                 "@",
                                 "y = r.",
                                 "y = {a: "};
  for (const char* const half : kHalves) {
    INFO(half);
    const Program p(std::string("input x: f16[S, 8]\nw = param f16[8, 8]\n") + half +
                    "\nn = rmsnorm(x, eps=1e-5)\nr = linear(n, w)\nout = output(r)\n");
    CHECK(p.from("x, eps") == Lines{1});
    CHECK(p.from("n, w") == Lines{4});
    CHECK(p.from("w)") == Lines{2});
    CHECK(p.from("r)\n") == Lines{5});
  }
  const Program p("input x: f16[S, 8]\ny = linear(x, x\n");
  CHECK(p.from("x, x") == Lines{1});  // of the statement itself what can be read
  const Program q(
      "input x: f16[S, 8]\nlet n = S\nfn f(a) {\n  b = a\n  c = linear(b, \n  d = n\n  return d\n}\n");
  CHECK(q.from("b, ") == Lines{4});
  CHECK(q.from("d\n}") == Lines{6});
  CHECK(q.from("n\n") == Lines{2});
}

TEST_CASE("a name cannot be given to what it would collide with") {
  const Program p(
      "let a = 1\n"
      "fn f(x) { y = x + a\n return y }\n"
      "let late = 2\n"
      "input x: f32[4]\n"
      "z = f(x) + nowhere\n");
  const auto why = [&](std::string_view word, int nth, const char* to) {
    return p.names->collision(p.at(word, nth).name, to, p.source);
  };
  CHECK(why("y =", 0, "b").empty());
  CHECK(why("y =", 0, "late").empty());  // made below the function, which does not see it
  CHECK(why("y =", 0, "z").empty());
  CHECK_FALSE(why("y =", 0, "a").empty());
  CHECK_FALSE(why("y =", 0, "x").empty());
  CHECK_FALSE(why("z =", 0, "late").empty());
  CHECK_FALSE(why("z =", 0, "nowhere").empty());
  CHECK_FALSE(why("z =", 0, "dim").empty());
  CHECK_FALSE(why("z =", 0, "bf16").empty());
  CHECK_FALSE(why("z =", 0, "_z").empty());
  CHECK(why("z =", 0, "silu").empty());
  CHECK_FALSE(why("f(", 0, "silu").empty());
}

TEST_CASE("every name of every example is known") {
  for (const auto* list : {&examples(), &templates()}) {
    for (const Example& example : *list) {
      INFO(example.name);
      const Program p(example.text);
      for (const Mention& m : p.names->mentions()) {
        INFO(p.source.slice(m.span) << " in line " << p.source.locate(m.span.begin).line);
        CHECK(m.what != Mention::What::Unknown);
        if (m.name != kNoName) CHECK_FALSE(p.names->definitions(m).empty());
      }
    }
  }
}

TEST_CASE("any text has names, cut anywhere") {
  for (const Example& example : examples()) {
    const std::string text(example.text);
    for (size_t at = 0; at < text.size(); at += 37) {
      const Program p(text.substr(0, at));
      for (size_t i = 1; i < p.names->mentions().size(); ++i)
        REQUIRE(p.names->mentions()[i - 1].span.begin <= p.names->mentions()[i].span.begin);
      p.names->visible(static_cast<uint32_t>(at));
      if (!p.names->mentions().empty()) p.names->definitions(p.names->mentions().back());
    }
  }
}

TEST_CASE("functions that editors are told of are those of the language") {
  for (const syntax::Function& function : syntax::functions()) {
    INFO(function.name);
    const Compilation c = compile(SourceText("t", std::string("let a = ") + function.name + "()\n"), {});
    const Compilation unknown = compile(SourceText("t", "let a = no_such_function()\n"), {});
    REQUIRE(c.diagnostics.list().size() == 1);
    CHECK(c.diagnostics.list()[0].code != unknown.diagnostics.list()[0].code);
  }
}
