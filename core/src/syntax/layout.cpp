#include "syntax/layout.h"

#include <algorithm>

#include "base/sort.h"

namespace irplan::syntax {
namespace {

// Roles that only the tree knows, as places in the source.
class Roles {
 public:
  explicit Roles(const Tree& tree) {
    for (const Item* item : tree.items) visit(*item);
    for (auto* list : {&blocks, &phases, &lists, &records, &unary, &callees, &labels, &elses})
      sort_range(list->begin(), list->end());
  }

  static bool has(const std::vector<uint32_t>& places, uint32_t place) {
    return std::binary_search(places.begin(), places.end(), place);
  }

  std::vector<uint32_t> blocks;   // their `{`
  std::vector<uint32_t> phases;   // the names of phases
  std::vector<uint32_t> lists;    // their `[`
  std::vector<uint32_t> records;  // their `{`
  std::vector<uint32_t> unary;    // signs
  std::vector<uint32_t> callees;  // names before a `(`
  std::vector<uint32_t> labels;   // names before a `:`
  std::vector<uint32_t> elses;    // ends of blocks that an `else` follows

 private:
  void visit(const Type& type) {
    for (const Expr* extent : type.extents) visit(extent);
  }

  void visit(const std::optional<Type>& type, const Name& name) {
    if (!type) return;
    labels.push_back(name.span.begin);
    visit(*type);
  }

  void visit(const Block* block) {
    if (!block) return;
    blocks.push_back(block->span.begin);
    for (const Item* item : block->items) visit(*item);
  }

  void visit(const Item& item) {
    if (item.kind == ItemKind::Fn) callees.push_back(item.name.span.begin);
    if (item.kind == ItemKind::Phase) phases.push_back(item.name.span.begin);
    if (item.kind == ItemKind::Input) {
      labels.push_back(item.name.span.begin);
      visit(item.type);
    }
    for (const Expr* e : {item.value, item.high, item.message}) visit(e);
    for (const Expr* e : item.values) visit(e);
    for (const PhaseEntry& entry : item.entries) {
      for (const Expr* e : {entry.equals, entry.low, entry.high}) visit(e);
    }
    for (const Parameter& parameter : item.parameters) {
      visit(parameter.annotation, parameter.name);
      visit(parameter.fallback);
    }
    for (const Target& target : item.targets) visit(target.annotation, target.name);
    visit(item.body);
    if (item.otherwise) elses.push_back(item.body->span.end);
    visit(item.otherwise);
  }

  void visit(const Expr* e) {
    if (!e) return;
    if (e->kind == ExprKind::Call) callees.push_back(e->name.span.begin);
    if (e->kind == ExprKind::List) lists.push_back(e->span.begin);
    if (e->kind == ExprKind::Record) records.push_back(e->span.begin);
    if (e->kind == ExprKind::Unary) unary.push_back(e->operator_span.begin);
    for (const Expr* part : {e->a, e->b, e->c}) visit(part);
    for (const Expr* item : e->items) visit(item);
    for (const Arg& arg : e->args) visit(arg.value);
    for (const Entry& entry : e->entries) {
      labels.push_back(entry.name.span.begin);
      visit(entry.value);
    }
    visit(e->type);
  }
};

constexpr const char* kContinuing[] = {"+", "-",  "*",  "/",  "//", "%", "==", "!=", "<", "<=",
                                       ">", ">=", "&&", "||", "??", "=", ",",  "?",  ":", "!"};

bool continues(std::string_view sign) {
  return std::any_of(std::begin(kContinuing), std::end(kContinuing),
                     [&](const char* s) { return sign == s; });
}

class Reader {
 public:
  Reader(const SourceText& source, const Tree& tree) : source_(source), tree_(tree), roles_(tree) {}

  std::vector<Piece> run() {
    bool boundary = true;  // a newline or `;` came
    for (const Token& token : tree_.tokens) {
      if (token.kind == TokenKind::Newline) boundary = true;
      if (token.kind == TokenKind::Newline || token.kind == TokenKind::End) continue;
      add(token, boundary);
      boundary = false;
    }
    return std::move(pieces_);
  }

 private:
  const Piece* last() const { return pieces_.empty() ? nullptr : &pieces_.back(); }
  Brace around() const { return open_.empty() ? Brace::None : open_.back().brace; }
  bool statements() const { return open_.empty() || around() == Brace::Block; }

  void add(const Token& token, bool boundary) {
    Piece piece;
    piece.text = source_.slice(token.span);
    piece.begin = token.span.begin;
    while (line_ < source_.line_count() && line_end_ <= token.span.begin) next_line();
    piece.line = line_;
    piece.column =
        static_cast<uint32_t>(columns(source_.slice({measured_, token.span.begin}))) + measured_column_;
    measured_ = token.span.begin;
    measured_column_ = piece.column;
    piece.width = static_cast<uint32_t>(columns(piece.text));
    const bool sign = token.kind == TokenKind::Punct;
    if (sign) brace(piece);
    const bool closes = piece.brace != Brace::None && !piece.opens;
    const bool after_open = last() && last()->opens && last()->brace == Brace::Block;
    const bool after_sign = last() && last_is_sign_ && continues(last()->text);
    piece.joins =
        last() && Roles::has(roles_.elses, last()->begin + 1) && last()->text == "}" && piece.text == "else";
    piece.starts =
        !closes && !piece.joins && statements_before_ && (!last() || after_open || (boundary && !after_sign));
    piece.depth = static_cast<int>(open_.size()) - (piece.opens ? 1 : 0);
    piece.space = last() && spaced(piece, sign);
    mark(piece, sign);
    pieces_.push_back(piece);
    if (piece.starts) valued_ = false;
    last_is_sign_ = sign;
    if (closes) pieces_[piece.partner].partner = static_cast<uint32_t>(pieces_.size() - 1);
    statements_before_ = statements();
  }

  void next_line() {
    ++line_;
    measured_ = line_end_;
    measured_column_ = 0;
    const size_t newline = source_.text().find('\n', line_end_);
    line_end_ = newline == std::string::npos ? UINT32_MAX : static_cast<uint32_t>(newline + 1);
  }

  void brace(Piece& piece) {
    if (piece.text == "(" || piece.text == "[" || piece.text == "{") {
      piece.opens = true;
      piece.brace = piece.text == "("                         ? Brace::Paren
                    : piece.text == "["                       ? Brace::Bracket
                    : Roles::has(roles_.blocks, piece.begin)  ? Brace::Block
                    : Roles::has(roles_.records, piece.begin) ? Brace::Record
                                                              : Brace::Phase;
      open_.push_back({pieces_.size(), piece.brace});
    } else if ((piece.text == ")" || piece.text == "]" || piece.text == "}") && !open_.empty()) {
      piece.brace = around();
      piece.partner = static_cast<uint32_t>(open_.back().piece);
      open_.pop_back();
    }
  }

  bool spaced(const Piece& piece, bool sign) const {
    const Piece& before = *last();
    const bool loose = before.brace == Brace::Block || before.brace == Brace::Phase;
    if (before.opens) return loose && !(piece.brace == before.brace && !piece.opens);
    if (last_is_sign_ && (before.text == "." || before.text == "..")) return false;
    if (Roles::has(roles_.unary, before.begin)) return false;
    if (!sign) return !(last_is_sign_ && before.text == "=" && around() == Brace::Paren);
    const std::string_view text = piece.text;
    if (text == "," || text == ")" || text == "]" || text == "." || text == "..") return false;
    if (text == "}") return piece.brace != Brace::Record;
    if (before.text == "=" && last_is_sign_ && inside_paren(piece)) return false;
    if (text == "(") return !Roles::has(roles_.callees, before.begin);
    if (text == "[") return Roles::has(roles_.lists, piece.begin);
    if (text == ":") return !Roles::has(roles_.labels, before.begin);
    if (text == "=") return around() != Brace::Paren;
    return true;
  }

  // Whether what encloses the piece is a `(`; the piece itself may be an opening brace.
  bool inside_paren(const Piece& piece) const {
    const size_t level = open_.size() - (piece.opens ? 1 : 0);
    return level > 0 && open_[level - 1].brace == Brace::Paren;
  }

  void mark(Piece& piece, bool sign) {
    if (last() && last_is_sign_ && !piece.starts) {
      const std::string_view before = last()->text;
      const bool unary = Roles::has(roles_.unary, last()->begin);
      if (before == ",") {
        piece.breakable = 1;
      } else if (!last()->opens && !unary && continues(before) && before != "=" && before != "!") {
        const bool label = before == ":" && pieces_.size() > 1 &&
                           Roles::has(roles_.labels, pieces_[pieces_.size() - 2].begin);
        if (!label)
          piece.breakable = before == "?" || before == ":"                       ? 2
                            : before == "||" || before == "&&" || before == "??" ? 3
                                                                                 : 4;
      }
    }
    const bool outside = statements() && piece.brace == Brace::None;
    if (sign && piece.text == "=" && outside && !valued_) piece.aligns = piece.before_value = valued_ = true;
    if (!sign && piece.starts &&
        (piece.text == "return" || piece.text == "require" || piece.text == "budget" || piece.text == "if")) {
      piece.before_value = true;
    }
    if (piece.opens && piece.brace == Brace::Phase && last() && Roles::has(roles_.phases, last()->begin))
      piece.aligns = true;
  }

  const SourceText& source_;
  const Tree& tree_;
  Roles roles_;
  std::vector<Piece> pieces_;
  struct Open {
    size_t piece;
    Brace brace;
  };
  std::vector<Open> open_;
  bool valued_ = false;  // the statement's `=` came
  bool last_is_sign_ = false;
  bool statements_before_ = true;  // before this piece statements may begin
  uint32_t line_ = 0;              // of the last piece
  uint32_t line_end_ = 0;          // where the next line begins
  uint32_t measured_ = 0;          // columns are counted up to here
  uint32_t measured_column_ = 0;
};

}  // namespace

std::vector<Piece> pieces_of(const SourceText& source, const Tree& tree) {
  return Reader(source, tree).run();
}

size_t columns(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace irplan::syntax
