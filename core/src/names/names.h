// What each name of a program means, found from its text alone: who declares it, where it is bound and used,
// in which scope, in which phases.
//
// Needs a tree, also one with errors: what stands before, after and around a half-typed statement is
// resolved. Knows nothing of values, so a program that does not compile has its names all the same. Takes
// time linear in the tree; reports nothing.
//
//   h = embed(tokens, wte)             h: bound here, …
//   for i in layers with h {           … handed on,
//     if phase == "decode" { a = f(h) }        ┐ one name `a`, two bindings: its use below can mean
//     else                 { a = g(h) }        ┘ either, and inside of one arm only that arm's
//     h = h + a                        … bound again, and used: one name
//   }
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ops/op.h"
#include "syntax/tree.h"
#include "syntax/words.h"

namespace irplan::names {

namespace ast = irplan::syntax;

using NameId = uint32_t;
using RegionId = uint32_t;
constexpr uint32_t kNoName = UINT32_MAX;

enum class Kind : uint8_t { Let, Dim, Input, Phase, Function, Parameter, Loop, Value, Output };
const char* kind_text(Kind kind);  // "dim", "loop variable"

// A part of the text with names of its own (the program, a function, a loop), or one that runs under a
// condition alone (an arm of an `if` or a choice).
struct Region {
  enum class Kind : uint8_t { Program, Function, Loop, Then, Else } kind = Kind::Program;
  RegionId parent = 0;
  Span span;
  const void* choice = nullptr;    // of arms: what they belong to
  uint32_t phases = UINT32_MAX;    // bits of the phases in which it may run
  uint32_t position = UINT32_MAX;  // of a function: what stands above it has smaller ones
};

struct Name {
  ast::Symbol symbol = 0;
  Kind kind = Kind::Value;
  RegionId region = 0;              // where it is known; never an arm
  uint32_t position = 0;            // index of the top-level item that makes it
  const ast::Item* item = nullptr;  // that makes it
  bool free = false;                // a dim that an input's type declares
  std::vector<uint32_t> mentions;   // in their order
  std::vector<NameId> parameters;   // of a function
  uint32_t when = UINT32_MAX,
           unless = UINT32_MAX;  // of a `let` that is a condition: phases where it may hold, may not
};

enum class Role : uint8_t { Use, Binding, Carried };

// A word of the program with a meaning.
struct Mention {
  enum class What : uint8_t {
    Name,       // `name`
    Operator,   // `op`
    Function,   // of compile time
    Attribute,  // `op`, `index`: the name before a `=`
    Operand,    // likewise
    Dtype,
    Config,    // the word itself
    Phase,     // the word itself
    Quantity,  // weights, state, … of a budget
    Field,     // of a record or of the config: `expr` is the whole, a.b
    Key,       // of a record that is written down
    Output,    // the word `output` of a call
    Unknown,
  } what = What::Unknown;
  Role role = Role::Use;
  Span span;
  RegionId region = 0;
  NameId name = kNoName;
  const OpRow* op = nullptr;
  uint32_t index = 0;
  const ast::Expr* expr =
      nullptr;  // of Field: the field; of a call's name: the call; of a binding: the value
  const ast::Item* item = nullptr;  // of a binding: its statement
};

class Names {
 public:
  Names() = default;
  Names(const SourceText& source, const ast::Tree& tree);

  const std::vector<Mention>& mentions() const { return mentions_; }  // by place
  const std::vector<Name>& names() const { return names_; }
  const std::vector<Region>& regions() const { return regions_; }
  const std::vector<NameId>& phases() const { return phases_; }
  const std::string& text(NameId name) const { return tree_->text(names_[name].symbol); }

  // The word that the place is in, or stands right before or after; null where that means nothing.
  const Mention* at(uint32_t offset) const;
  RegionId region_at(uint32_t offset) const;  // the innermost
  // Names that a statement at the place could use, those of phases left out.
  std::vector<NameId> visible(uint32_t offset) const;
  // Where what the word stands for may come from: the bindings that can reach it. Of a binding, itself.
  std::vector<const Mention*> definitions(const Mention& mention) const;
  // Why the name cannot be called so; empty where it can.
  std::string collision(NameId name, std::string_view other, const SourceText& source) const;

  bool within(RegionId inner, RegionId outer) const;
  bool exclusive(RegionId a, RegionId b) const;  // never both in one phase

 private:
  friend class Resolver;
  bool share_scope(const Name& a, const Name& b) const;

  const ast::Tree* tree_ = nullptr;
  std::vector<Mention> mentions_;
  std::vector<Name> names_;
  std::vector<Region> regions_;
  std::vector<NameId> phases_;
};

}  // namespace irplan::names
