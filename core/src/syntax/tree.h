// The syntax tree of a program, as the grammar in the language reference has it. Nodes are owned by a `Tree`
// and never move. It keeps the tokens, and of a statement with an error in it as much as was read: who edits
// a program asks about what stands around the error, too.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "syntax/token.h"

namespace irplan::syntax {

// A name, interned in the tree: equal names have equal symbols.
using Symbol = uint32_t;

struct Name {
  Symbol symbol = 0;
  Span span;
};

struct Expr;
struct Block;

// A piece of a string: text, an interpolated expression, or `{*}`.
struct StringPart {
  enum class Kind : uint8_t { Text, Expr, Star } kind = Kind::Text;
  std::string text;
  const Expr* expr = nullptr;
  Span span;
};

struct Type {
  std::vector<Name> dtype;  // f16, or config.torch_dtype
  std::vector<const Expr*> extents;
  Span span;
};

struct Arg {
  std::optional<Name> name;
  const Expr* value = nullptr;
};

struct Entry {  // of a record
  Name name;
  const Expr* value = nullptr;
};

enum class ExprKind : uint8_t {
  Error,   // what could not be parsed, reported already; a, b, c: what was read of it
  Int,     // integer
  Float,   // number
  String,  // parts
  Bool,    // boolean
  None,
  Name,     // name
  Call,     // name(args)
  Param,    // type, parts (empty: no `from`)
  State,    // type, parts
  List,     // items
  Record,   // entries
  Field,    // a.name
  Index,    // a[b]
  Unary,    // op a
  Binary,   // a op b
  Ternary,  // a ? b : c
};

enum class Operator : uint8_t {
  Neg,
  Not,
  Add,
  Sub,
  Mul,
  Div,
  FloorDiv,
  Mod,
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  And,
  Or,
  Coalesce
};
const char* spelling(Operator op);

struct Expr {
  ExprKind kind = ExprKind::Error;
  Span span;
  Span operator_span;  // of Unary and Binary; of Call and Field: of the name
  Operator op{};
  bool boolean = false;
  bool parenthesised = false;  // written in ( )
  uint16_t depth = 1;          // of the tree below, itself included; bounded, so that walks may recurse
  int64_t integer = 0;         // exact; units applied (24GiB)
  double number = 0;
  Name name;
  const Expr* a = nullptr;
  const Expr* b = nullptr;
  const Expr* c = nullptr;
  std::vector<const Expr*> items;
  std::vector<Arg> args;
  std::vector<Entry> entries;
  std::vector<StringPart> parts;
  bool has_from = false;  // of Param and State
  Type type;
};

struct Target {
  Name name;
  std::optional<Type> annotation;
};

struct Parameter {
  Name name;
  std::optional<Type> annotation;
  const Expr* fallback = nullptr;
};

struct PhaseEntry {
  Name dim;
  const Expr* equals = nullptr;  // S = 1
  const Expr* low = nullptr;     // S in low..high
  const Expr* high = nullptr;
};

enum class ItemKind : uint8_t {
  Error,
  Version,
  Let,
  Require,
  Dim,
  Input,
  Phase,
  Budget,
  Fn,
  Bind,
  For,
  If,
  Return
};

// An item of a program or a statement of a block.
struct Item {
  ItemKind kind = ItemKind::Error;
  Span span;
  int64_t version = 0;      // Version
  Name name;                // Let, Dim, Input, Phase, Fn, For (the loop variable)
  std::optional<Name> per;  // Dim: ragged over
  const Expr* value =
      nullptr;  // Let, Require, Budget, Bind, For (the count), If (the condition), Dim (the lower bound)
  const Expr* high = nullptr;         // Dim
  const Expr* message = nullptr;      // Require: a String
  Type type;                          // Input
  std::vector<PhaseEntry> entries;    // Phase
  std::vector<Parameter> parameters;  // Fn
  std::vector<Target> targets;        // Bind
  std::vector<Name> carried;          // For: after `with`
  std::vector<const Expr*> values;    // Return
  const Block* body = nullptr;        // Fn, For, If
  const Block* otherwise = nullptr;   // If: the else block; `else if` is a block of one If
  // Of an item with an error in it: as it was read, with its own kind. Its meaning is the outer one's, which
  // says nothing that may be wrong.
  const Item* as_read = nullptr;
};

struct Block {
  std::vector<const Item*> items;
  Span span;
};

class Tree {
 public:
  std::vector<const Item*> items;
  std::vector<Token> tokens;  // of the program, closed by an End

  Symbol intern(std::string_view text);
  const std::string& text(Symbol symbol) const { return names_[symbol]; }
  size_t symbol_count() const { return names_.size(); }

  Expr& expr(ExprKind kind, Span span);
  Item& item(ItemKind kind, Span span);
  Block& block();

 private:
  size_t slot_of(std::string_view text) const;

  std::deque<Expr> exprs_;
  std::deque<Item> items_;
  std::deque<Block> blocks_;
  std::deque<std::string> names_;
  std::vector<Symbol> slots_;  // open addressing over names_
};

}  // namespace irplan::syntax
