#include "syntax/words.h"

#include <algorithm>

namespace irplan::syntax {

std::span<const Word> words() {
  using enum WordRole;
  static constexpr Word kWords[] = {
      {"irplan", Item, "The version of the language that the program is written in.", "irplan 1"},
      {"dim", Item,
       "A size that is known when the program runs, with its range; both ends are in it. `dim P[B]` has a "
       "value for each row.",
       "dim ${1:S} in ${2:1}..${3:2048}"},
      {"input", Item,
       "A tensor that is given at every step. A name in its extents that nothing declares is a dim.",
       "input ${1:x}: ${2:f16}[${3:B, S, D}]"},
      {"phase", Item, "The program at sizes of its own. Phases share params and states.",
       "phase ${1:decode} { ${2:S} = ${3:1} }"},
      {"budget", Item,
       "A limit that every plan keeps: over dims, or over weights, state, inputs, arena and memory.",
       "budget ${1:memory} <= ${2:24GiB}"},
      {"fn", Item, "A function; it sees its parameters and what stands above it.",
       "fn ${1:name}(${2:x}) {\n  return ${3:x}\n}"},
      {"let", Statement,
       "A value that is known at compile time. At the top level `--let NAME=VALUE` replaces it.",
       "let ${1:name} = ${2:value}"},
      {"require", Statement, "What must hold for the program to compile, and what is said where it does not.",
       "require ${1:condition}, \"${2:why}\""},
      {"for", Statement,
       "Rounds 0 to count - 1, unrolled. Names after `with` are handed from round to round.",
       "for ${1:i} in ${2:count} with ${3:h} {\n  $0\n}"},
      {"if", Statement, "Chosen at compile time; what the chosen arm binds is there after it.",
       "if ${1:condition} {\n  $0\n}"},
      {"return", Statement, "The results of a function; the first one that is met ends it.", nullptr},
      {"in", Inside, "Before a range, or before the count of a loop.", nullptr},
      {"with", Inside, "Before the names that a loop hands from round to round.", nullptr},
      {"else", Inside, "The other arm of an `if`.", nullptr},
      {"from", Inside, "Before the name that a param or state has in the checkpoint.", nullptr},
      {"param", Leaf, "A weight: its type, and its name in the checkpoint.",
       "param ${1:f16}[${2:D}] from \"${3:name}\""},
      {"state", Leaf, "Memory that is kept from step to step: its type, and a name.",
       "state ${1:f16}[${2:B, C, KV, K}] from \"${3:name}\""},
      {"true", Value, "", nullptr},
      {"false", Value, "", nullptr},
      {"none", Value, "Nothing: an operand or attribute that is not given.", nullptr},
  };
  return kWords;
}

const Word* find_word(std::string_view text) {
  for (const Word& word : words()) {
    if (text == word.text) return &word;
  }
  return nullptr;
}

std::span<const Ambient> ambient_names() {
  static constexpr Ambient kNames[] = {
      {"config",
       "The JSON that is given beside the program: `config.hidden_size`. A key that is not there is an error "
       "unless `??` gives a default."},
      {"phase", "The name of the phase that is being compiled, a string: `phase == \"decode\"`."},
  };
  return kNames;
}

std::span<const Function> functions() {
  static constexpr Function kFunctions[] = {
      {"min", "min(a, b, …)", "The least of numbers or sizes."},
      {"max", "max(a, b, …)", "The greatest of numbers or sizes; of a tensor, the operator."},
      {"ceil", "ceil(x)", "The least integer that is not below x."},
      {"floor", "floor(x)", "The greatest integer that is not above x."},
      {"ceildiv", "ceildiv(a, b)", "a / b, rounded up."},
      {"sqrt", "sqrt(x)", "The square root; of a tensor, the operator."},
      {"log", "log(x)", "The natural logarithm, the same bits everywhere."},
      {"len", "len(list)", "How many items a list has."},
      {"has", "has(list, x)", "Whether x is in the list."},
      {"round", "round(x, dtype)", "The number of the dtype that is nearest to x."},
  };
  return kFunctions;
}

const Function* find_function(std::string_view name) {
  for (const Function& function : functions()) {
    if (name == function.name) return &function;
  }
  return nullptr;
}

}  // namespace irplan::syntax
