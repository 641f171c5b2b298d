// What an engine does with the library: a program and its config to a plan, the plan read and bound to a
// step, and the question whether a model fits.
#include <irplan/compile.h>
#include <irplan/fit.h>
#include <irplan/plan_file.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

namespace {

std::string read(const char* path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

int fail(const std::string& why) { return std::fprintf(stderr, "%s\n", why.c_str()), 1; }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return fail("usage: engine PROGRAM CONFIG");
  irplan::CompileOptions options;
  options.config = read(argv[2]);
  const irplan::Compilation made = irplan::compile(irplan::SourceText(argv[1], read(argv[1])), options);
  if (!made.ok) return fail(irplan::render(made.diagnostics, made.source, false));
  const auto plan = irplan::PlanFile::read(made.plan_json);
  if (!plan) return fail(plan.message());
  const auto step = plan->bind("decode", {{"B", 3}, {"S", 1}, {"P", 100}});
  if (!step) return fail(step.message());
  std::printf("decode of %zu ops: weights %lld, state %lld, arena %lld bytes\n", step->ops.size(),
              static_cast<long long>(step->bytes.weights), static_cast<long long>(step->bytes.state),
              static_cast<long long>(step->bytes.arena));
  for (const auto& buffer : step->buffers) {
    const bool inside = buffer.segment != irplan::PlanFile::Segment::Arena ||
                        buffer.offset + buffer.bytes <= step->bytes.arena;
    if (buffer.here && !inside) return fail(buffer.id + " lies outside of its segment");
  }
  if (plan->bind("decode", {{"B", 3}, {"S", 2}, {"P", 0}})) return fail("a step of 2 tokens is no decode");
  if (const auto load = plan->bind("load", {}); !load) return fail(load.message());
  irplan::FitOptions question;
  question.config = *options.config;
  question.memory = irplan::read_bytes("24GiB");
  const auto fits = irplan::fit(question);
  if (!fits) return fail(fits.message());
  std::printf("%s", irplan::fit_text(*fits).c_str());
  return fits->broken ? 3 : 0;
}
