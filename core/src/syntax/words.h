// The words that the language gives a meaning to, each known here alone: the parser asks for them, editors
// complete and colour them. They are contextual: any of them but `true`, `false` and `none` may be a name.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace irplan::syntax {

enum class WordRole : uint8_t {
  Item,       // begins an item of the top level
  Statement,  // begins an item or a statement of a block
  Inside,     // stands inside of one: in, with, else, from
  Leaf,       // param, state: a type follows
  Value,      // true, false, none
};

struct Word {
  const char* text;
  WordRole role;
  const char* doc;
  const char* snippet;  // what an editor may write instead, ${1:…} being what is typed over; null: the word
};
std::span<const Word> words();
const Word* find_word(std::string_view text);  // null where it is none

// What is worth something without being bound.
struct Ambient {
  const char* text;
  const char* doc;
};
std::span<const Ambient> ambient_names();  // config, phase

// Compile-time functions.
struct Function {
  const char* name;
  const char* usage;  // "ceildiv(a, b)"
  const char* doc;
};
std::span<const Function> functions();
const Function* find_function(std::string_view name);  // null where there is none

}  // namespace irplan::syntax
