// From tree to names: one walk in the order of the text.
#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "base/sort.h"
#include "irplan/dtype.h"
#include "names/names.h"

namespace irplan::names {

using ast::ExprKind;
using ast::ItemKind;
using What = Mention::What;

namespace {

constexpr const char* kMeasured[] = {"weights", "state", "inputs", "arena", "memory"};
constexpr size_t kMostPhases = 32;  // bits; of more, conditions say nothing
constexpr uint32_t kAll = UINT32_MAX;

// Items as they were read, errors included.
const ast::Item& seen(const ast::Item& item) { return item.as_read ? *item.as_read : item; }

}  // namespace

class Resolver {
 public:
  Resolver(Names& out, const SourceText& source, const ast::Tree& tree)
      : out_(out),
        source_(source),
        tree_(tree),
        here_(tree.symbol_count() + 1, kNoName),
        global_(tree.symbol_count() + 1, kNoName) {
    out_.tree_ = &tree;
  }

  void run() {
    out_.regions_.push_back(
        {Region::Kind::Program, 0, {0, static_cast<uint32_t>(source_.text().size())}, nullptr, kAll, 0});
    collect();
    for (position_ = 0; position_ < tree_.items.size(); ++position_) item(*tree_.items[position_]);
    settle();
  }

 private:
  // ---- what the top level declares, wherever it stands

  void collect() {
    for (uint32_t i = 0; i < tree_.items.size(); ++i) {
      const ast::Item& one = seen(*tree_.items[i]);
      position_ = i;
      switch (one.kind) {
        case ItemKind::Let: declare_global(one.name, Kind::Let, &one); break;
        case ItemKind::Dim: declare_global(one.name, Kind::Dim, &one); break;
        case ItemKind::Fn: declare_global(one.name, Kind::Function, &one); break;
        case ItemKind::Input:
          for (const ast::Expr* extent : one.type.extents) free_dims(extent, one);
          declare_global(one.name, Kind::Input, &one);
          break;
        case ItemKind::Phase: declare_phase(one); break;
        default: break;
      }
    }
    all_phases_ = out_.phases_.empty() || out_.phases_.size() > kMostPhases
                      ? kAll
                      : static_cast<uint32_t>((uint64_t{1} << out_.phases_.size()) - 1);
  }

  NameId make(ast::Symbol symbol, Kind kind, RegionId region, const ast::Item* item) {
    Name name;
    name.symbol = symbol;
    name.kind = kind;
    name.region = region;
    name.position = position_;
    name.item = item;
    out_.names_.push_back(std::move(name));
    return static_cast<NameId>(out_.names_.size() - 1);
  }

  void declare_global(const ast::Name& name, Kind kind, const ast::Item* item) {
    if (name.span.end == name.span.begin || tree_.text(name.symbol).empty()) return;
    if (global_[name.symbol] == kNoName) global_[name.symbol] = make(name.symbol, kind, 0, item);
  }

  void declare_phase(const ast::Item& item) {
    if (tree_.text(item.name.symbol).empty() || find_phase(tree_.text(item.name.symbol)) != kNoName) return;
    out_.phases_.push_back(make(item.name.symbol, Kind::Phase, 0, &item));
  }

  // As the language has it: a name in an input's extents that nothing above declares.
  void free_dims(const ast::Expr* e, const ast::Item& input) {
    if (!e) return;
    if (e->kind == ExprKind::Name) {
      const std::string& word = tree_.text(e->name.symbol);
      if (global_[e->name.symbol] != kNoName || word == "config" || word == "phase") return;
      declare_global(e->name, Kind::Dim, &input);
      if (global_[e->name.symbol] != kNoName) out_.names_[global_[e->name.symbol]].free = true;
    } else if (e->kind == ExprKind::Call) {
      for (const ast::Arg& arg : e->args) free_dims(arg.value, input);
    } else if (e->kind == ExprKind::Unary || e->kind == ExprKind::Binary || e->kind == ExprKind::Ternary) {
      for (const ast::Expr* part : {e->a, e->b, e->c}) free_dims(part, input);
    }
  }

  NameId find_phase(std::string_view text) const {
    for (const NameId phase : out_.phases_) {
      if (tree_.text(out_.names_[phase].symbol) == text) return phase;
    }
    return kNoName;
  }

  uint32_t bit_of(NameId phase) const {
    const auto at = std::find(out_.phases_.begin(), out_.phases_.end(), phase) - out_.phases_.begin();
    return static_cast<size_t>(at) < kMostPhases ? uint32_t{1} << at : 0;
  }

  // ---- mentions

  Mention& mention(What what, Span span, NameId name = kNoName) {
    Mention& made = out_.mentions_.emplace_back();
    made.what = what;
    made.span = span;
    made.region = region_;
    made.name = name;
    return made;
  }

  // The name that is known here; none where there is none yet.
  NameId known(ast::Symbol symbol) const {
    if (here_[symbol] != kNoName) return here_[symbol];
    const NameId global = global_[symbol];
    return global != kNoName && out_.names_[global].position < limit_ ? global : kNoName;
  }

  void use(const ast::Name& name) {
    const std::string& word = tree_.text(name.symbol);
    if (word.empty() || name.span.begin == name.span.end) return;
    if (const NameId found = known(name.symbol); found != kNoName) {
      mention(What::Name, name.span, found);
      return;
    }
    const auto is = [&](const char* other) { return word == other; };
    if (in_budget_ && std::any_of(std::begin(kMeasured), std::end(kMeasured), is)) {
      mention(What::Quantity, name.span);
    } else if (in_budget_ && find_phase(word) != kNoName) {
      mention(What::Name, name.span, find_phase(word));
    } else if (word == "config") {
      mention(What::Config, name.span);
    } else if (word == "phase") {
      mention(What::Phase, name.span);
    } else if (find_dtype(word)) {
      mention(What::Dtype, name.span);
    } else {
      later_.emplace_back(out_.mentions_.size(), name.symbol);
      mention(What::Unknown, name.span);
    }
  }

  // Binds a name as the language does: again, where it is known as a local or from above; else anew.
  void bind(const ast::Name& name, Kind kind, const ast::Item& item, const ast::Expr* value) {
    if (tree_.text(name.symbol).empty() || name.span.begin == name.span.end) return;
    NameId found = here_[name.symbol];
    const NameId global = global_[name.symbol];
    if (found == kNoName && global != kNoName && (out_.names_[global].position < limit_ || scope_ == 0))
      found = global;
    if (found == kNoName) {
      found = make(name.symbol, kind, scope_, &item);
      if (scope_ == 0)
        global_[name.symbol] = found;
      else
        put_here(name.symbol, found);
    }
    Mention& made = mention(What::Name, name.span, found);
    made.role = Role::Binding;
    made.item = &item;
    made.expr = value;
  }

  void put_here(ast::Symbol symbol, NameId name) {
    undo_.emplace_back(symbol, here_[symbol]);
    here_[symbol] = name;
  }

  // Uses from above of what is bound below: an error of the program's, and clear all the same.
  void settle() {
    for (const auto& [at, symbol] : later_) {
      if (global_[symbol] == kNoName) continue;
      out_.mentions_[at].what = What::Name;
      out_.mentions_[at].name = global_[symbol];
    }
    sort_range(out_.mentions_.begin(), out_.mentions_.end(),
               [](const Mention& a, const Mention& b) { return a.span.begin < b.span.begin; });
    for (uint32_t i = 0; i < out_.mentions_.size(); ++i) {
      if (out_.mentions_[i].name != kNoName) out_.names_[out_.mentions_[i].name].mentions.push_back(i);
    }
  }

  // ---- regions

  struct Outer {
    RegionId region, scope;
    uint32_t limit;
    size_t undo;
  };

  Outer enter(Region::Kind kind, Span span, const void* choice, uint32_t phases) {
    const Outer outer{region_, scope_, limit_, undo_.size()};
    Region made{kind, region_, span, choice, phases & out_.regions_[region_].phases, UINT32_MAX};
    if (kind == Region::Kind::Function) made.position = position_;
    out_.regions_.push_back(made);
    region_ = static_cast<RegionId>(out_.regions_.size() - 1);
    const bool arm = kind == Region::Kind::Then || kind == Region::Kind::Else;
    if (!arm) scope_ = region_;
    return outer;
  }

  void leave(const Outer& outer) {
    const bool arm = scope_ == outer.scope;  // whose names stay
    while (!arm && undo_.size() > outer.undo) {
      here_[undo_.back().first] = undo_.back().second;
      undo_.pop_back();
    }
    region_ = outer.region;
    scope_ = outer.scope;
    limit_ = outer.limit;
  }

  // To the end of the text where the block is not closed.
  Span span_of(const ast::Block& block) const {
    Span span = block.span;
    const std::string_view text = source_.slice(span);
    if (text.size() < 2 || text.back() != '}') span.end = out_.regions_[region_].span.end;
    return span;
  }

  // ---- items

  void item(const ast::Item& read) {
    const ast::Item& one = seen(read);
    if (region_ == 0) limit_ = position_ + 1;
    switch (one.kind) {
      case ItemKind::Let:
        expression(one.value);
        bind(one.name, Kind::Let, one, one.value);
        if (one.value) note_condition(one);
        break;
      case ItemKind::Require:
        expression(one.value);
        expression(one.message);
        break;
      case ItemKind::Dim:
        bind(one.name, Kind::Dim, one, nullptr);
        if (one.per) use(*one.per);
        expression(one.value);
        expression(one.high);
        break;
      case ItemKind::Input:
        bind(one.name, Kind::Input, one, nullptr);
        input_type(one);
        break;
      case ItemKind::Phase: phase(one); break;
      case ItemKind::Budget:
        in_budget_ = true;
        expression(one.value);
        in_budget_ = false;
        break;
      case ItemKind::Fn: function(one); break;
      case ItemKind::Bind: binding(one); break;
      case ItemKind::For: loop(one); break;
      case ItemKind::If: branch(one); break;
      case ItemKind::Return:
        for (const ast::Expr* value : one.values) expression(value);
        break;
      case ItemKind::Version: break;
      case ItemKind::Error: expression(one.value); break;
    }
  }

  void block(const ast::Block* block) {
    if (!block) return;
    for (const ast::Item* one : block->items) item(*one);
  }

  void note_condition(const ast::Item& item) {
    const auto [when, unless] = phases_of(*item.value);
    const NameId name = known(item.name.symbol);
    if (name == kNoName) return;
    out_.names_[name].when = when;
    out_.names_[name].unless = unless;
  }

  // The first mention of a dim that the type itself declares is its binding.
  void input_type(const ast::Item& item) {
    const size_t first = out_.mentions_.size();
    type(item.type);
    for (size_t i = first; i < out_.mentions_.size(); ++i) {
      Mention& m = out_.mentions_[i];
      if (m.name == kNoName || !out_.names_[m.name].free || out_.names_[m.name].item != &item) continue;
      if (std::exchange(told_free_[m.name], true)) continue;
      m.role = Role::Binding;
      m.item = &item;
    }
  }

  void phase(const ast::Item& item) {
    const NameId name = find_phase(tree_.text(item.name.symbol));
    if (name != kNoName) {
      Mention& made = mention(What::Name, item.name.span, name);
      made.role = Role::Binding;
      made.item = &item;
    }
    for (const ast::PhaseEntry& entry : item.entries) {
      use(entry.dim);
      for (const ast::Expr* e : {entry.equals, entry.low, entry.high}) expression(e);
    }
  }

  void function(const ast::Item& item) {
    bind(item.name, Kind::Function, item, nullptr);
    const NameId self = known(item.name.symbol);
    const Outer outer =
        enter(Region::Kind::Function, {item.name.span.end, span_of(*item.body).end}, nullptr, kAll);
    if (outer.region == 0) limit_ = position_;
    std::vector<NameId> parameters;
    for (const ast::Parameter& parameter : item.parameters) {
      if (parameter.annotation) type(*parameter.annotation);
      expression(parameter.fallback);
      // A parameter hides nothing that the language lets it hide; one that does is an error, and a name of
      // its own.
      const NameId made = make(parameter.name.symbol, Kind::Parameter, scope_, &item);
      if (!tree_.text(parameter.name.symbol).empty()) put_here(parameter.name.symbol, made);
      Mention& m = mention(What::Name, parameter.name.span, made);
      m.role = Role::Binding;
      m.item = &item;
      parameters.push_back(made);
    }
    if (self != kNoName && out_.names_[self].kind == Kind::Function)
      out_.names_[self].parameters = std::move(parameters);
    block(item.body);
    leave(outer);
  }

  void binding(const ast::Item& item) {
    expression(item.value);
    const bool output =
        item.value && item.value->kind == ExprKind::Call && tree_.text(item.value->name.symbol) == "output";
    for (const ast::Target& target : item.targets) {
      if (target.annotation) type(*target.annotation);
      bind(target.name, output ? Kind::Output : Kind::Value, item, item.value);
    }
  }

  void loop(const ast::Item& item) {
    expression(item.value);
    for (const ast::Name& name : item.carried) {
      if (tree_.text(name.symbol).empty()) continue;
      const NameId found = known(name.symbol);
      if (found == kNoName) {
        use(name);
        continue;
      }
      mention(What::Name, name.span, found).role = Role::Carried;
    }
    const Outer outer = enter(Region::Kind::Loop, span_of(*item.body), nullptr, kAll);
    bind(item.name, Kind::Loop, item, nullptr);
    block(item.body);
    leave(outer);
  }

  void branch(const ast::Item& item) {
    expression(item.value);
    const auto [when, unless] = item.value ? phases_of(*item.value) : std::pair{kAll, kAll};
    Outer outer = enter(Region::Kind::Then, span_of(*item.body), &item, when);
    block(item.body);
    leave(outer);
    if (!item.otherwise) return;
    outer = enter(Region::Kind::Else, span_of(*item.otherwise), &item, unless);
    block(item.otherwise);
    leave(outer);
  }

  // ---- expressions

  void expression(const ast::Expr* e) {
    if (!e) return;
    switch (e->kind) {
      case ExprKind::Name: use(e->name); return;
      case ExprKind::Call: call(*e); return;
      case ExprKind::Field: field(*e); return;
      case ExprKind::Ternary: choice(*e); return;
      case ExprKind::Param:
      case ExprKind::State:
        type(e->type);
        parts(*e);
        return;
      case ExprKind::String: parts(*e); return;
      case ExprKind::Record:
        for (const ast::Entry& entry : e->entries) {
          mention(What::Key, entry.name.span);
          expression(entry.value);
        }
        return;
      case ExprKind::Binary:
        if (e->op == ast::Operator::Eq || e->op == ast::Operator::Ne) name_phases(e->a, e->b);
        break;
      default: break;
    }
    for (const ast::Expr* part : {e->a, e->b, e->c}) expression(part);
    for (const ast::Expr* item : e->items) expression(item);
  }

  void parts(const ast::Expr& e) {
    for (const ast::StringPart& part : e.parts) expression(part.expr);
  }

  void type(const ast::Type& type) {
    for (size_t i = 0; i < type.dtype.size(); ++i) {
      if (i == 0)
        use(type.dtype[0]);
      else
        mention(What::Field, type.dtype[i].span);
    }
    for (const ast::Expr* extent : type.extents) expression(extent);
  }

  void field(const ast::Expr& e) {
    if (in_budget_ && e.a && e.a->kind == ExprKind::Name && known(e.a->name.symbol) == kNoName) {
      const NameId phase = find_phase(tree_.text(e.a->name.symbol));
      if (phase != kNoName) {
        mention(What::Name, e.a->name.span, phase);
        use(e.name);
        return;
      }
    }
    expression(e.a);
    if (!tree_.text(e.name.symbol).empty()) mention(What::Field, e.name.span).expr = &e;
  }

  void call(const ast::Expr& e) {
    const std::string& word = tree_.text(e.name.symbol);
    const NameId global = global_[e.name.symbol];
    const OpRow* row = find_op(word);
    if (row && row->fused) row = nullptr;
    const bool function = global != kNoName && out_.names_[global].kind == Kind::Function;
    if (function)
      mention(What::Name, e.name.span, global).expr = &e;
    else if (word == "output")
      mention(What::Output, e.name.span).expr = &e;
    else if (row) {
      Mention& made = mention(What::Operator, e.name.span);
      made.op = row;
      made.expr = &e;
    } else if (ast::find_function(word))
      mention(What::Function, e.name.span).expr = &e;
    else
      mention(What::Unknown, e.name.span).expr = &e;
    if (word == "has" && e.args.size() == 2 && e.args[0].value && e.args[0].value->kind == ExprKind::List) {
      for (const ast::Expr* one : e.args[0].value->items) name_phases(e.args[1].value, one);
    }
    for (const ast::Arg& arg : e.args) {
      if (arg.name) argument(*arg.name, function ? global : kNoName, row);
      expression(arg.value);
    }
  }

  void argument(const ast::Name& name, NameId function, const OpRow* row) {
    if (function != kNoName) {
      for (const NameId parameter : out_.names_[function].parameters) {
        if (out_.names_[parameter].symbol != name.symbol) continue;
        mention(What::Name, name.span, parameter);
        return;
      }
    }
    const std::string& word = tree_.text(name.symbol);
    for (uint32_t i = 0; row && i < row->attributes.size(); ++i) {
      if (word != row->attributes[i].name || row->attributes[i].implicit) continue;
      Mention& made = mention(What::Attribute, name.span);
      made.op = row;
      made.index = i;
      return;
    }
    for (uint32_t i = 0; row && i < row->operands.size(); ++i) {
      if (word != row->operands[i].name) continue;
      Mention& made = mention(What::Operand, name.span);
      made.op = row;
      made.index = i;
      return;
    }
    mention(What::Unknown, name.span);
  }

  void choice(const ast::Expr& e) {
    expression(e.a);
    const auto [when, unless] = e.a ? phases_of(*e.a) : std::pair{kAll, kAll};
    if (when == kAll && unless == kAll) {
      expression(e.b);
      expression(e.c);
      return;
    }
    Outer outer = enter(Region::Kind::Then, e.b ? e.b->span : e.span, &e, when);
    expression(e.b);
    leave(outer);
    outer = enter(Region::Kind::Else, e.c ? e.c->span : e.span, &e, unless);
    expression(e.c);
    leave(outer);
  }

  // ---- phases

  // The phase that a string names; none where it is no string, or no phase.
  NameId phase_in(const ast::Expr* e) const {
    if (!e || e->kind != ExprKind::String || e->parts.size() != 1 ||
        e->parts[0].kind != ast::StringPart::Kind::Text)
      return kNoName;
    return find_phase(e->parts[0].text);
  }

  bool is_phase(const ast::Expr* e) const {
    return e && e->kind == ExprKind::Name && tree_.text(e->name.symbol) == "phase" &&
           known(e->name.symbol) == kNoName;
  }

  // `phase == "decode"`: the string names the phase.
  void name_phases(const ast::Expr* a, const ast::Expr* b) {
    if (is_phase(b)) std::swap(a, b);
    if (!is_phase(a)) return;
    const NameId phase = phase_in(b);
    if (phase != kNoName) mention(What::Name, {b->span.begin + 1, b->span.end - 1}, phase);
  }

  // Phases in which a condition may hold, and in which it may not. Of what is no question about phases: all.
  std::pair<uint32_t, uint32_t> phases_of(const ast::Expr& e) {
    using ast::Operator;
    const std::pair<uint32_t, uint32_t> unknown{kAll, kAll};
    if (all_phases_ == kAll) return unknown;
    if (e.kind == ExprKind::Bool) return e.boolean ? std::pair{kAll, 0u} : std::pair{0u, kAll};
    if (e.kind == ExprKind::Unary && e.op == Operator::Not && e.a) {
      const auto [when, unless] = phases_of(*e.a);
      return {unless, when};
    }
    if (e.kind == ExprKind::Name) {
      const NameId name = known(e.name.symbol);
      return name == kNoName ? unknown : std::pair{out_.names_[name].when, out_.names_[name].unless};
    }
    if (e.kind == ExprKind::Call && tree_.text(e.name.symbol) == "has" && e.args.size() == 2)
      return listed(e);
    if (e.kind != ExprKind::Binary || !e.a || !e.b) return unknown;
    if (e.op == Operator::And || e.op == Operator::Or) {
      const auto [a, not_a] = phases_of(*e.a);
      const auto [b, not_b] = phases_of(*e.b);
      return e.op == Operator::And ? std::pair{a & b, not_a | not_b} : std::pair{a | b, not_a & not_b};
    }
    if (e.op != Operator::Eq && e.op != Operator::Ne) return unknown;
    const ast::Expr* text = is_phase(e.a) ? e.b : is_phase(e.b) ? e.a : nullptr;
    if (!text || text->kind != ExprKind::String) return unknown;
    const NameId phase = phase_in(text);
    const uint32_t same = phase == kNoName ? 0 : bit_of(phase), others = all_phases_ & ~same;
    return e.op == Operator::Eq ? std::pair{same, others} : std::pair{others, same};
  }

  // has(["prefill", "mixed"], phase)
  std::pair<uint32_t, uint32_t> listed(const ast::Expr& e) {
    const ast::Expr* list = e.args[0].value;
    if (!list || list->kind != ExprKind::List || !is_phase(e.args[1].value)) return {kAll, kAll};
    uint32_t phases = 0;
    for (const ast::Expr* one : list->items) {
      const NameId phase = phase_in(one);
      if (phase != kNoName) phases |= bit_of(phase);
    }
    return {phases, all_phases_ & ~phases};
  }

  Names& out_;
  const SourceText& source_;
  const ast::Tree& tree_;
  std::vector<NameId> here_;    // by symbol: what locals mean now
  std::vector<NameId> global_;  // by symbol
  std::vector<std::pair<ast::Symbol, NameId>> undo_;
  std::vector<std::pair<size_t, ast::Symbol>> later_;  // mentions that nothing above explains
  std::unordered_map<NameId, bool> told_free_;
  RegionId region_ = 0, scope_ = 0;
  uint32_t position_ = 0;
  uint32_t limit_ = 0;  // globals before it are known
  uint32_t all_phases_ = kAll;
  bool in_budget_ = false;
};

Names::Names(const SourceText& source, const ast::Tree& tree) { Resolver(*this, source, tree).run(); }

}  // namespace irplan::names
