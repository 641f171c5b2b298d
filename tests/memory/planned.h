// A program's plan, read back; a test that cannot have it ends there.
#pragma once

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "irplan/compile.h"
#include "plan/plan.h"

namespace irplan::memory_test {

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

inline Plan planned(const std::string& text, const CompileOptions& options = {}) {
  const Compilation done = compile(SourceText("test.irplan", text), options);
  auto plan = read_plan(done.plan_json);
  INFO((done.diagnostics.list().empty() ? plan.message() : done.diagnostics.list()[0].message));
  REQUIRE(plan);
  return std::move(*plan);
}

}  // namespace irplan::memory_test
