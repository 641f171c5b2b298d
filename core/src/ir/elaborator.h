// The elaborator's state, shared by the files that implement it (names, statements, expressions, calls,
// functions, operators, builtins, leaves).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/datum.h"
#include "ir/elaborate.h"
#include "syntax/parser.h"

namespace irplan {

namespace ast = irplan::syntax;

using Spans = InlineVector<Span, 4>;

// Gives ids to the unnamed results of one statement: the base with "1", "2", … after it. Most statements need
// none, so the base is kept as the two strings that it is made of; both must outlive it.
struct Namer {
  std::string_view front, back;
  int count = 0;
  std::string next() {
    const std::string number = std::to_string(++count);
    std::string id;
    id.reserve(front.size() + back.size() + number.size());
    return id.append(front).append(back).append(number);
  }
};

// How the results of an expression are to be called: by the names that bind the whole expression, which
// whoever makes the results takes over, or by the next number.
struct Want {
  std::vector<std::string>* ids = nullptr;
  Namer* namer = nullptr;
};

// What a called name means besides a `fn` of the program.
struct Callee {
  enum class Kind : uint8_t { Unasked, Builtin, Output, Operator, Unknown } kind = Kind::Unasked;
  const OpRow* row = nullptr;  // of Operator; of Builtin where an operator has the name too
};

class Elaborator {
 public:
  Elaborator(ast::Tree& tree, const SourceText& source, const ElaborateOptions& options, Graph& graph,
             Diagnostics& diagnostics);
  void run();

 private:
  // ---- names
  enum class GlobalKind : uint8_t { Let, Dim, Input, Fn, Bound };
  struct Global {
    ast::Symbol symbol;
    GlobalKind kind;
    uint32_t position;  // index of the item that makes it; visible to later items
    const ast::Item* item;
    Span span;
    enum class State : uint8_t { Untouched, Done } state = State::Untouched;
    Datum value;
  };
  struct Local {
    ast::Symbol symbol;
    Datum value;
    Span span;
    bool carried = false;  // a loop-carried name: may be bound again
    Span given = {};       // of a parameter: the argument, where the call stands that began it all
  };
  struct Scope {
    std::string prefix;  // "i.3/"
    size_t locals;       // height of locals_ where it began
    // How often a name was bound here; most scopes bind few.
    std::vector<std::pair<ast::Symbol, int>> bindings;
    std::unordered_map<ast::Symbol, int> more_bindings;
    int count(ast::Symbol name);
  };
  struct Frame {  // of a running fn, or of the top level
    size_t locals = 0;
    uint32_t position = UINT32_MAX;  // globals before it are visible
    const ast::Item* fn = nullptr;
  };

  const std::string& text(ast::Symbol symbol) const { return tree_.text(symbol); }
  const std::string& text(const ast::Name& name) const { return tree_.text(name.symbol); }
  template <size_t N>
  Diagnostic& report(std::type_identity_t<Taking<N>> code, Span span,
                     const std::string_view (&arguments)[N]) {
    return add_report(code.code, span, arguments);
  }
  Diagnostic& report(Taking<0> code, Span span) { return add_report(code.code, span, {}); }
  Diagnostic& add_report(Code code, Span span, std::span<const std::string_view> arguments) {
    steps_ += kReportSteps;
    return diagnostics_.add(code, span, arguments, elsewhere_);
  }
  std::string slice(Span span) const { return std::string((elsewhere_ ? *elsewhere_ : source_).slice(span)); }
  void collect_globals();
  void add_global(const ast::Name& name, GlobalKind kind, uint32_t position, const ast::Item* item);
  void add_free_dims(const ast::Expr& extent, uint32_t position);
  void replace_lets();
  void read_budgets();
  Global* find_global(ast::Symbol symbol);
  Span place_of(const ast::Expr& operand);
  void poison_names(const ast::Block& block);
  Datum* find_local(ast::Symbol symbol, bool** carried = nullptr, Span* span = nullptr);
  Datum lookup(const ast::Name& name);
  Datum global_value(Global& global);
  Datum unknown_name(const ast::Name& name);
  std::string budget_rule() const;
  std::vector<std::string> visible_names();
  const Ranges& ranges_now();  // of the dims as the running expression sees them
  void bind(const ast::Name& name, Datum value);
  void note_binding(Span name, const Datum& value);
  Datum dim_value(ast::Symbol symbol);

  // ---- declarations
  void declare_dims();
  void declare_phases();
  void run_phase(uint32_t phase);
  void phase_entries(const ast::Item& item);
  bool parted(DimIndex dim) const;
  std::string sizes_by_phase(const std::string& dim) const;
  std::string parted_sizes() const;
  bool tell_parted(const Value& shared, const TensorType& type);
  void check_states();
  void declare_input(const ast::Item& item);
  void declare_budget(const ast::Expr& e, Span span);
  bool read_bytes(Budget& budget);

  // ---- statements
  enum class Flow : uint8_t { Next, Return };
  Flow statement(const ast::Item& item);
  Flow block(const ast::Block& block);
  void bind_statement(const ast::Item& item);
  Flow loop(const ast::Item& item);
  Flow branch(const ast::Item& item);
  void tell_missing(const Missing& missing);
  void suggest(Diagnostic& d, const std::string& near, const std::string& path, Span key,
               const std::string& whole);
  void tell_lacking();
  std::string key_of(const Missing& missing);
  void note_absent(const Missing& missing);
  void tell_misspelt();
  void tell_ignored();
  void require(const ast::Item& item);
  void tell_values(Diagnostic& d, const ast::Expr& e);
  void bind_output(const ast::Item& item, const std::vector<std::string>& ids);
  std::string target_id(const ast::Name& name);
  void annotate(const ast::Target& target, const Datum& value);

  // ---- expressions
  Datum raw(const ast::Expr& e, const Want& want);  // may be Missing
  Datum value_of(const ast::Expr& e, const Want& want);
  Datum eval(const ast::Expr& e, const Want& want);  // Missing is reported
  Datum constant(const ast::Expr& e);                // no tensors
  Datum list(const ast::Expr& e);
  Datum record(const ast::Expr& e);
  bool fits(Span span, size_t items, int depth);
  void check_phase(const ast::Expr& phase, const Datum& other, const ast::Expr& written);
  static Datum wider(const Datum& base, const ast::Expr& e);
  Datum field(const ast::Expr& e, const Want& want);
  std::optional<Datum> of_phase(const ast::Expr& e);
  std::optional<SizeLet> size_let(const ast::Expr& e);
  Datum index(const ast::Expr& e, const Want& want);
  Datum from_config(const ConfigNode* node);
  Datum unary(const ast::Expr& e, const Want& want);
  Datum binary(const ast::Expr& e, const Want& want);
  Datum arithmetic(const ast::Expr& e, const Datum& a, const Datum& b);
  Datum divide(const ast::Expr& e, const Datum& a, const Datum& b);
  Datum compare(const ast::Expr& e, const Datum& a, const Datum& b);
  Datum tensor_arithmetic(const ast::Expr& e, const Datum& a, const Datum& b, const Want& want);
  Datum operand_error(const ast::Expr& e, const Datum& a, const Datum& b);
  Datum string(const ast::Expr& e);
  std::optional<std::string> interpolate(const std::vector<ast::StringPart>& parts, Span span, bool* starred);
  std::optional<bool> truth(const ast::Expr& e);
  std::optional<int64_t> integer(const ast::Expr& e, const char* what);
  Expr extent(const Datum& datum, const ast::Expr& e);
  Expr as_expr(const Datum& datum);
  Datum from_expr(Expr e, Span span);
  Datum poison() { return Datum(); }
  void blame(Diagnostic& diagnostic, const Datum& datum);
  static Datum made_of(double x, std::initializer_list<const Datum*> parts);
  void tell_no_integer(const ast::Expr& e, const std::string& wanted, const Datum& value);

  // ---- calls
  Datum call(const ast::Expr& e, const Want& want);
  Datum unknown_call(const ast::Expr& e);
  bool tell_habit(Diagnostic& d, const ast::Expr& e);
  bool any_tensor(const ast::Expr& e, const Want& want, std::vector<Datum>& args);
  const Callee& callee(ast::Symbol symbol);

  // ---- calls of functions
  struct Given {  // the arguments of one call, by parameter
    std::vector<std::optional<Datum>> values;
    InlineVector<Span, 8> places;
    bool good = true;
  };
  Datum call_fn(const ast::Expr& e, const ast::Item& fn, const Want& want);
  bool may_call(const ast::Expr& e, const ast::Item& fn);
  Given arguments(const ast::Expr& e, const ast::Item& fn, const Want& want);
  size_t parameter(const ast::Item& fn, const ast::Name& name);
  void enter(const ast::Item& fn, const std::string& id);
  void bind_parameters(const ast::Item& fn, Given& given);
  std::optional<std::vector<Datum>> body(const ast::Item& fn, std::vector<std::string> ids);
  Datum result_of(const ast::Item& fn, std::vector<Datum>& results);

  // ---- compile-time functions
  struct Builtin;
  struct BuiltinCall {
    const ast::Expr& e;
    std::string_view name;
    const std::vector<Datum>& args;
  };
  static std::span<const Builtin> builtins();
  static std::vector<std::string> builtin_names();
  static const Builtin* find_builtin(std::string_view name);
  Datum call_builtin(const ast::Expr& e, const std::vector<Datum>& args);
  Datum wrong_kind(const BuiltinCall& call, size_t i, const char* wanted);
  Datum length(const BuiltinCall& call);
  Datum contains(const BuiltinCall& call);
  Datum rounded(const BuiltinCall& call);
  Datum extreme(const BuiltinCall& call);
  Datum ceildiv(const BuiltinCall& call);
  Datum fold_extents(const BuiltinCall& call, Function function);
  Datum whole(const BuiltinCall& call);
  Datum real_function(const BuiltinCall& call);

  // ---- calls of operators
  struct Application;
  Datum call_op(const ast::Expr& e, const OpRow& row, const Want& want);
  void place_operand(Application& made, size_t at, const Datum& value, const ast::Expr& place);
  bool fresh(Application& made, uint64_t& given, size_t at, const char* name, Span span);
  void named_argument(Application& made, const ast::Arg& arg, const Want& want);
  bool complete(const Application& made);
  bool set_attribute(Attrs& attrs, const OpRow& row, const AttrSpec& spec, const Datum& value,
                     const ast::Expr& at);
  std::optional<Attr> to_attr(const AttrSpec& spec, const Datum& value, const ast::Expr& at);
  std::optional<Attr> list_attr(const AttrSpec& spec, const Datum& value, const ast::Expr& at);
  std::optional<Attr> wrong_attr(const AttrSpec& spec, const Datum& value, const ast::Expr& at,
                                 const std::string& wanted);
  Attr record_attr(const Datum& value);
  ValueId state_in(ValueId value) const;
  void check_states_put_out();
  Datum emit(const OpRow& row, Ids in, Spans spans, Attrs attrs, Span span, const Want& want);

  // ---- types and leaves
  Datum leaf(const ast::Expr& e);
  void note_cache_let(const ast::Expr& rows);
  std::optional<TensorType> tensor_type(const ast::Type& type);
  bool tell_foreign(const ast::Type& type);
  std::optional<DType> dtype(const ast::Type& type);
  void settle_leaf_names();
  void settle_ids();

  ast::Tree& tree_;
  const SourceText& source_;
  const ElaborateOptions& options_;
  Graph& graph_;
  Diagnostics& diagnostics_;

  std::vector<int32_t> global_of_;  // by symbol; -1: none
  std::vector<Global> globals_;
  std::vector<Local> locals_;
  std::deque<Scope> scopes_;     // of stable addresses: namers look at their prefixes
  std::vector<Callee> callees_;  // by symbol
  std::vector<Frame> frames_;
  std::vector<const ast::Item*> phase_items_;
  std::map<std::string, ast::Symbol> symbol_of_dim_;
  uint32_t phase_ = 0;
  std::string phase_prefix_;                      // "decode/", empty where no phase is declared
  std::unordered_map<std::string, Datum> fixed_;  // dims that the running phase fixes
  Ranges ranges_[2];                              // in the phase; as declared (raw_dims_)
  bool config_missed_ = false;                    // that none was given is told once
  bool raw_dims_ = false;                         // leaf types and budgets see dims as declared
  bool in_budget_ = false;
  uint32_t budget_phase_ = kNoPhase;  // that the budget speaks of by name
  struct Replacement {
    const ast::Expr* value;
    std::shared_ptr<const SourceText> text;  // the option that it stands in
  };
  const ast::Expr* option(const std::shared_ptr<const SourceText>& shown, size_t at,
                          const std::string& expression);
  std::unordered_map<ast::Symbol, Replacement> replaced_;  // values of --let
  std::vector<Replacement> budgets_;                       // of --budget
  std::shared_ptr<const SourceText> elsewhere_;            // while one of them is evaluated: its text
  std::unordered_map<std::string, ValueId> inputs_, params_,
      states_;                                     // by the checkpoint's name; inputs by their own
  std::unordered_map<std::string, Span> outputs_;  // of this phase, by name
  std::unordered_map<ValueId, Span> appended_;     // states appended to in this phase
  std::unordered_map<ValueId, ValueId> shown_;     // what shows a part of a state, or all: which
  std::vector<Datum> returned_;
  std::vector<std::string> return_ids_;
  size_t steps_ = 0;
  struct Lacking {
    const ConfigNode* record;
    std::string key;
    Span span, key_span;  // of the expression, and of the key in it where it is a name
    std::shared_ptr<const SourceText> elsewhere;  // where they are in a --let
  };
  std::vector<Lacking> lacking_;
  std::vector<Lacking> absent_;  // what `??` answered, once a key
  std::set<std::pair<const ConfigNode*, std::string>> known_absent_;
  std::set<const ConfigNode*> told_misspelt_;
  std::set<const ConfigNode*> told_values_;  // that do not serve: told once
  bool refused_ = false;                     // a requirement at the top level does not hold
  int depth_ = 0;                            // of nested expressions, through calls
  bool stopped_ = false;                     // a limit was hit; everything unwinds
};

}  // namespace irplan
