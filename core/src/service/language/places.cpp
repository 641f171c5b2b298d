// Where a name is bound and used; renaming.
#include "service/language/features.h"

namespace irplan::language {

using names::Mention;
using What = Mention::What;

std::vector<Span> definitions(Document& document, uint32_t place) {
  std::vector<Span> out;
  const Mention* mention = document.names().at(place);
  if (!mention) return out;
  for (const Mention* one : document.names().definitions(*mention)) out.push_back(one->span);
  return out;
}

std::vector<Place> references(Document& document, uint32_t place) {
  std::vector<Place> out;
  const names::Names& names = document.names();
  const Mention* mention = names.at(place);
  if (!mention || mention->name == names::kNoName) return out;
  for (const uint32_t i : names.names()[mention->name].mentions)
    out.push_back({names.mentions()[i].span, names.mentions()[i].role == names::Role::Binding});
  return out;
}

Renaming may_rename(Document& document, uint32_t place) {
  Renaming out;
  const Mention* mention = document.names().at(place);
  if (mention) out.word = mention->span;
  if (mention && mention->name != names::kNoName) return out;
  const std::string word = mention ? "`" + std::string(document.source().slice(mention->span)) + "`" : "";
  if (!mention) {
    out.refusal = "there is no name here";
  } else if (mention->what == What::Field || mention->what == What::Key) {
    out.refusal = word + " is a key: what it is called stands in the config, or in the record";
  } else if (mention->what == What::Unknown) {
    out.refusal = word + " is not defined";
  } else {
    out.refusal = word + " is a word of the language";
  }
  return out;
}

Renaming rename(Document& document, uint32_t place, std::string_view to) {
  Renaming out = may_rename(document, place);
  if (!out.refusal.empty()) return out;
  const names::Names& names = document.names();
  const names::NameId id = names.at(place)->name;
  if (names.text(id) == to) return out;
  out.refusal = names.collision(id, to, document.source());
  if (!out.refusal.empty()) return out;
  for (const uint32_t i : names.names()[id].mentions) {
    const Mention& m = names.mentions()[i];
    out.edits.push_back({m.span, std::string(to)});
    // A leaf without `from` is called by the name that it is bound to: it keeps that in the checkpoint.
    const bool leaf = m.role == names::Role::Binding && m.expr &&
                      (m.expr->kind == ast::ExprKind::Param || m.expr->kind == ast::ExprKind::State);
    if (leaf && !m.expr->has_from)
      out.edits.push_back({{m.expr->span.end, m.expr->span.end}, " from \"" + names.text(id) + "\""});
  }
  return out;
}

}  // namespace irplan::language
