#include "syntax/tree.h"

#include <algorithm>

namespace irplan::syntax {

const char* spelling(Operator op) {
  constexpr const char* kText[] = {
      "-", "!", "+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "??"};
  return kText[static_cast<int>(op)];
}

Symbol Tree::intern(std::string_view text) {
  if ((names_.size() + 1) * 2 > slots_.size()) {
    slots_.assign(std::max<size_t>(64, slots_.size() * 2), UINT32_MAX);
    for (Symbol i = 0; i < names_.size(); ++i) slots_[slot_of(names_[i])] = i;
  }
  Symbol& slot = slots_[slot_of(text)];
  if (slot == UINT32_MAX) {
    slot = static_cast<Symbol>(names_.size());
    names_.emplace_back(text);
  }
  return slot;
}

// Where the text is, or would be put: open addressing with linear probing; there is always an empty slot.
size_t Tree::slot_of(std::string_view text) const {
  uint64_t hash = 1469598103934665603ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  size_t at = static_cast<size_t>(hash) & (slots_.size() - 1);
  while (slots_[at] != UINT32_MAX && names_[slots_[at]] != text) at = (at + 1) & (slots_.size() - 1);
  return at;
}

Expr& Tree::expr(ExprKind kind, Span span) {
  Expr& e = exprs_.emplace_back();
  e.kind = kind;
  e.span = span;
  return e;
}

Item& Tree::item(ItemKind kind, Span span) {
  Item& item = items_.emplace_back();
  item.kind = kind;
  item.span = span;
  return item;
}

Block& Tree::block() { return blocks_.emplace_back(); }

}  // namespace irplan::syntax
