#include "service/language/config_values.h"

namespace irplan::language {
namespace {

using ast::ExprKind;

constexpr int kMostSteps = 200;  // through names and parts

class Reader {
 public:
  explicit Reader(Document& document) : document_(document), names_(document.names()) {}

  const ConfigNode* of(const ast::Expr* e) {
    if (!e || ++steps_ > kMostSteps) return nullptr;
    switch (e->kind) {
      case ExprKind::Name: return of_mention(names_.at(e->name.span.begin));
      case ExprKind::Field: {
        const ConfigNode* record = of(e->a);
        return record && record->kind == ConfigNode::Kind::Record
                   ? record->find(document_.tree().text(e->name.symbol))
                   : nullptr;
      }
      case ExprKind::Index: {
        const ConfigNode* list = of(e->a);
        if (!list || list->kind != ConfigNode::Kind::List || list->items.empty()) return nullptr;
        const bool known = e->b && e->b->kind == ExprKind::Int;
        const size_t at = known ? static_cast<size_t>(e->b->integer) : 0;  // the first one stands for any
        return at < list->items.size() ? list->items[at] : nullptr;
      }
      case ExprKind::Binary: {
        if (e->op != ast::Operator::Coalesce) return nullptr;
        const ConfigNode* first = of(e->a);
        return first && first->kind != ConfigNode::Kind::Null ? first : of(e->b);
      }
      case ExprKind::Ternary: {
        const ConfigNode* first = of(e->b);
        return first ? first : of(e->c);
      }
      default: return nullptr;
    }
  }

  const ConfigNode* of_mention(const names::Mention* mention) {
    if (!mention || ++steps_ > kMostSteps) return nullptr;
    if (mention->what == names::Mention::What::Config) return root();
    return mention->name == names::kNoName ? nullptr : of_name(mention->name);
  }

  const ConfigNode* of_name(names::NameId id) {
    if (++steps_ > kMostSteps) return nullptr;
    const names::Name& name = names_.names()[id];
    return name.kind == names::Kind::Let && name.item ? of(name.item->value) : nullptr;
  }

  const ConfigNode* root() { return document_.config() ? document_.config()->root() : nullptr; }

 private:
  Document& document_;
  const names::Names& names_;
  int steps_ = 0;
};

}  // namespace

const ConfigNode* config_value(Document& document, const ast::Expr& e) { return Reader(document).of(&e); }

const ConfigNode* config_value(Document& document, std::string_view name, uint32_t place) {
  Reader reader(document);
  for (const names::NameId id : document.names().visible(place)) {
    if (document.names().text(id) == name) return reader.of_name(id);
  }
  return name == "config" ? reader.root() : nullptr;
}

}  // namespace irplan::language
