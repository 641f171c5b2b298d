// What takes bytes from strangers, each behind one call: libFuzzer feeds it (`./dev fuzz`), and every test
// run feeds it the corpus.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace irplan::fuzz {

struct Target {
  const char* name;  // of its folder in tests/fuzz/corpus as well
  const char* what;
  // What is wrong with what the input led to; empty where nothing is. A refusal is not wrong.
  std::string (*check)(std::string_view input);
  bool json = false;  // the input is mutated as a tree
};

const std::vector<Target>& targets();
// The plan of a program, empty where it has none: seeds of the target "plan".
std::string plan_of(std::string_view program);
const Target* find_target(std::string_view name);

}  // namespace irplan::fuzz
