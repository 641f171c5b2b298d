// The one layout. Line breaks inside brackets are the author's; blanks, indentation, alignment and blank
// lines are not.
//
//   let D     = config.hidden_size       # `=` of neighbouring lines stay aligned where the source aligns
//   them, let chunk = min(C, 2048)             # and so do comments behind statements w, e = route(t, k=2,
//                norm=true)              # what is broken inside a bracket continues under its first word,
//   let names = a ?
//     {k: 1} : {k: 2}                    # and outside of one under the value, or two columns in, as the
//     source has it
#include "irplan/format.h"

#include <algorithm>

#include "base/sort.h"
#include "syntax/layout.h"
#include "syntax/parser.h"

namespace irplan {
namespace {

using syntax::Brace;
using syntax::Comment;
using syntax::Piece;

constexpr size_t kWidth = 130;  // columns of a line
constexpr size_t kIndent = 2;   // columns of a level
constexpr size_t kNarrow = 60;  // a break before this column leaves a line too short to be pleasant

struct Line {
  size_t indent = 0;
  std::string text;
  std::string comment;          // "" or "# …"
  uint32_t comment_column = 0;  // in the source
  bool blank_before = false;
  size_t width() const { return indent + syntax::columns(text); }
};

class Formatter {
 public:
  Formatter(const SourceText& source, const syntax::Tree& tree)
      : source_(source),
        pieces_(syntax::pieces_of(source, tree)),
        comments_(syntax::comments_of(source, tree.tokens)) {
    align_signs();
  }

  std::string text() {
    for (size_t i = 0; i < pieces_.size(); ++i) put(i);
    remarks(pieces_.size());
    flush();
    align_comments();
    return joined();
  }

 private:
  struct Open {
    Brace kind;
    bool spread;         // its contents stand on lines of their own
    size_t line_indent;  // of the line that it stands on
    size_t indent;       // of lines inside; for a bracket known from its first word on
    bool fresh = true;   // nothing was put inside yet
  };

  // ---- lines

  size_t level() const { return open_.empty() ? 0 : open_.back().indent; }
  bool in_bracket() const { return !open_.empty() && open_.back().kind != Brace::Block; }
  bool in_flat_block() const {
    return !open_.empty() && open_.back().kind == Brace::Block && !open_.back().spread;
  }

  void flush() {
    if (started_) lines_.push_back(std::move(line_));
    line_ = Line();
    started_ = false;
  }

  void begin_line(size_t indent, size_t first) {
    flush();
    started_ = true;
    line_.indent = indent;
    line_.blank_before = blank_pending_ && !lines_.empty();
    blank_pending_ = false;
    column_ = indent;
    plan_break(first);
  }

  void append(const Piece& piece, bool space) {
    if (space) line_.text += ' ', ++column_;
    line_.text += piece.text;
    column_ += piece.width;
  }

  // Comments between piece i - 1 and piece i; true where one of them forces a new line.
  bool remarks(size_t i) {
    bool forced = false;
    const uint32_t upto =
        i < pieces_.size() ? pieces_[i].begin : static_cast<uint32_t>(source_.text().size());
    uint32_t last_line = i > 0 ? pieces_[i - 1].line : 0;
    const bool opens = i > 0 && pieces_[i - 1].brace == Brace::Block && pieces_[i - 1].opens;
    const bool closes = i < pieces_.size() && pieces_[i].brace == Brace::Block && !pieces_[i].opens;
    bool first = true;
    for (; next_comment_ < comments_.size() && comments_[next_comment_].span.begin < upto; ++next_comment_) {
      const Comment& comment = comments_[next_comment_];
      const LineColumn place = source_.locate(comment.span.begin);
      std::string said(source_.slice(comment.span));
      while (!said.empty() && (said.back() == ' ' || said.back() == '\t' || said.back() == '\r'))
        said.pop_back();
      if (!comment.own_line && started_ && line_.comment.empty()) {
        line_.comment = std::move(said);
        line_.comment_column = place.column - 1;
      } else {
        flush();
        const bool gap = place.line > last_line + 1 && !lines_.empty() && !(opens && first) && !in_bracket();
        Line own;
        own.indent = remark_indent(i);
        own.text = std::move(said);
        own.blank_before = gap;
        lines_.push_back(std::move(own));
      }
      last_line = place.line;
      forced = true;
      first = false;
    }
    const bool at_start = opens && first;
    if (i < pieces_.size() && pieces_[i].line > last_line + 1 && last_line > 0 && !closes && !at_start &&
        !in_bracket()) {
      blank_pending_ = true;
    }
    return forced;
  }

  size_t remark_indent(size_t i) const {
    if (!open_.empty())
      return open_.back().indent == kUnknown ? open_.back().line_indent + kIndent : open_.back().indent;
    const bool inside = i > 0 && i < pieces_.size() && !pieces_[i].starts;
    return inside ? statement_indent_ + kIndent : 0;
  }

  // ---- pieces

  void put(size_t i) {
    const Piece& piece = pieces_[i];
    if (i > 0 && pieces_[i - 1].opens && !in_flat_block() && open_.back().fresh &&
        pieces_[i - 1].brace != Brace::Block) {
      // A bracket whose contents begin on the next line is indented by a level.
      if (piece.line != pieces_[i - 1].line)
        open_.back().spread = true, open_.back().indent = open_.back().line_indent + kIndent;
    }
    const bool forced = remarks(i);
    if (!piece.opens && piece.brace != Brace::None) return put_closing(i, forced);
    if (piece.starts) {
      put_first(i, forced);
    } else {
      put_next(i, forced);
    }
    if (piece.opens) open(i);
  }

  void put_first(size_t i, bool forced) {
    const Piece& piece = pieces_[i];
    if (in_flat_block() && !forced && started_) {
      const bool fresh = open_.back().fresh;
      open_.back().fresh = false;
      if (!fresh) line_.text += ';', ++column_;
      append(piece, true);
      return;
    }
    statement_ = i;
    statement_indent_ = level();
    value_column_ = kUnknown;
    if (!open_.empty()) open_.back().fresh = false;
    begin_line(statement_indent_, i);
    append(piece, false);
  }

  void put_next(size_t i, bool forced) {
    const Piece& piece = pieces_[i];
    const bool broken = piece.line != pieces_[i - 1].line && !piece.joins;
    if (forced || broken || i == break_before_) {
      begin_line(continued_indent(i), i);
      append(piece, false);
    } else {
      append_padding(i);
      append(piece, piece.space);
    }
    note_columns(i);
  }

  void append_padding(size_t i) {
    const size_t blanks = pieces_[i].padding;
    line_.text.append(blanks, ' ');
    column_ += blanks;
  }

  void note_columns(size_t i) {
    const size_t begin = column_ - pieces_[i].width;
    if (!open_.empty() && open_.back().fresh) {
      open_.back().fresh = false;
      if (in_bracket() && open_.back().indent == kUnknown) open_.back().indent = begin;
    }
    if (value_column_ == kUnknown && pieces_[i - 1].before_value && !in_bracket()) value_column_ = begin;
  }

  // Where a line goes on that does not begin a statement.
  size_t continued_indent(size_t i) const {
    if (in_bracket())
      return open_.back().indent == kUnknown ? open_.back().line_indent + kIndent : open_.back().indent;
    const Piece& piece = pieces_[i];
    const bool by_author = piece.line != pieces_[i - 1].line;
    const bool under_value = !by_author || piece.column > pieces_[statement_].column + kIndent;
    if (piece.joins) return statement_indent_;
    return under_value && value_column_ != kUnknown ? value_column_ : statement_indent_ + kIndent;
  }

  void open(size_t i) {
    const Piece& piece = pieces_[i];
    Open opened{piece.brace, false, line_.indent, kUnknown};
    if (piece.brace == Brace::Block) {
      opened.spread = spreads(i);
      opened.line_indent = statement_indent_;
      opened.indent = opened.spread ? statement_indent_ + kIndent : statement_indent_;
    }
    open_.push_back(opened);
    if (opened.spread) outer_.push_back({statement_, statement_indent_});
  }

  // A block stands on one line where the source has it so and it fits.
  bool spreads(size_t i) const {
    const size_t close = pieces_[i].partner;
    if (close == i + 1)
      return pieces_[close].line != pieces_[i].line && commented(pieces_[i].begin, pieces_[close].begin);
    if (in_flat_block()) return false;
    if (pieces_[close].line != pieces_[i].line) return true;
    size_t width = statement_indent_;
    for (size_t k = statement_; k < pieces_.size() && width <= kWidth; ++k) {
      if (k > close && pieces_[k].starts && pieces_[k].depth <= pieces_[statement_].depth) break;
      width += pieces_[k].width;
      if (k == statement_) continue;
      const bool parted = pieces_[k].starts && !pieces_[k - 1].opens;  // by a `;`
      width += pieces_[k].space + pieces_[k].padding + parted;
    }
    return width > kWidth;
  }

  bool commented(uint32_t begin, uint32_t end) const {
    const auto first = std::lower_bound(comments_.begin(), comments_.end(), begin,
                                        [](const Comment& c, uint32_t at) { return c.span.begin < at; });
    return first != comments_.end() && first->span.begin < end;
  }

  void put_closing(size_t i, bool forced) {
    const Piece& piece = pieces_[i];
    const Open closed = open_.back();
    open_.pop_back();
    if (closed.kind == Brace::Block && closed.spread) {
      statement_ = outer_.back().first;
      statement_indent_ = outer_.back().second;
      outer_.pop_back();
      value_column_ = kUnknown;
      blank_pending_ = false;
      begin_line(closed.line_indent, i);
      append(piece, false);
    } else if (forced || (closed.kind != Brace::Block && piece.line != pieces_[i - 1].line)) {
      begin_line(closed.line_indent, i);
      append(piece, false);
    } else {
      append(piece, piece.space);
    }
  }

  // ---- lines that are too long

  // Chooses where the line that begins with piece `first` is broken, if it has to be: at the outermost
  // bracket that offers a place, as late as it fits.
  void plan_break(size_t first) {
    break_before_ = pieces_.size();
    size_t width = column_, best = pieces_.size();
    int best_cost = 1 << 30;
    for (size_t k = first; k < pieces_.size(); ++k) {
      const Piece& piece = pieces_[k];
      if (k > first && (piece.starts || (piece.line != pieces_[k - 1].line && !piece.joins))) return;
      if (k > first && piece.breakable) {
        const int cost = piece.depth * 8 + piece.breakable + (width < kNarrow ? 1 << 20 : 0);
        if (cost <= best_cost) best = k, best_cost = cost;
      }
      width += piece.width + (k > first ? piece.space + piece.padding : 0);
      if (width > kWidth) {
        break_before_ = best;
        return;
      }
      if (piece.opens && piece.brace == Brace::Block) {
        if (pieces_[piece.partner].line != piece.line) return;
      }
    }
  }

  // ---- alignment

  // `=` of neighbouring bindings, and `{` of neighbouring phases, where the source aligns them.
  void align_signs() {
    struct Row {
      size_t sign, width, offset;  // offset: columns from the statement's start to the sign, in the source
      uint32_t line, last_line;
      int depth;
      bool phase, padded;
    };
    std::vector<Row> run;
    const auto settle = [&] {
      const bool padded = std::any_of(run.begin(), run.end(), [](const Row& r) { return r.padded; });
      size_t widest = 0;
      for (const Row& row : run) widest = std::max(widest, row.width);
      for (const Row& row : run) {
        if (padded && run.size() > 1) pieces_[row.sign].padding = static_cast<uint16_t>(widest - row.width);
      }
      run.clear();
    };
    for (size_t i = 0; i < pieces_.size();) {
      size_t end = i + 1;
      while (end < pieces_.size() && !pieces_[end].starts) ++end;
      const bool own_line = i == 0 || pieces_[i - 1].line != pieces_[i].line;
      size_t sign = pieces_.size(), width = pieces_[i].width;
      for (size_t k = i + 1; own_line && k < end && pieces_[k].line == pieces_[i].line; ++k) {
        if (pieces_[k].aligns) {
          sign = k;
          break;
        }
        width += pieces_[k].width + pieces_[k].space;
      }
      if (sign == pieces_.size() || width > 40) {
        settle();
      } else {
        const Piece& mark = pieces_[sign];
        Row row{sign,
                width,
                mark.column - pieces_[i].column,
                pieces_[i].line,
                pieces_[end - 1].line,
                pieces_[i].depth,
                mark.text == "{",
                mark.column > pieces_[sign - 1].column + pieces_[sign - 1].width + 1};
        const bool goes_on = !run.empty() && run.back().last_line + 1 == row.line &&
                             run.back().offset == row.offset && run.back().phase == row.phase &&
                             run.back().depth == row.depth;
        if (!goes_on) settle();
        run.push_back(row);
      }
      i = end;
    }
    settle();
  }

  // Comments behind neighbouring lines share a column: the one most of them have in the source, if all lines
  // end before it.
  void align_comments() {
    for (size_t i = 0; i < lines_.size();) {
      if (lines_[i].comment.empty()) {
        ++i;
        continue;
      }
      size_t end = i + 1;
      while (end < lines_.size() && !lines_[end].comment.empty() && !lines_[end].blank_before) ++end;
      align_block(i, end);
      i = end;
    }
  }

  void align_block(size_t begin, size_t end) {
    size_t longest = 0;
    std::vector<uint32_t> columns;
    bool paired = true;  // every column is shared by neighbours
    for (size_t i = begin; i < end; ++i) {
      longest = std::max(longest, lines_[i].width());
      columns.push_back(lines_[i].comment_column);
    }
    for (size_t k = 0; k < columns.size(); ++k) {
      const bool shared =
          (k > 0 && columns[k - 1] == columns[k]) || (k + 1 < columns.size() && columns[k + 1] == columns[k]);
      paired = paired && shared && columns[k] > lines_[begin + k].width();
    }
    if (paired) {
      for (size_t i = begin; i < end; ++i) pad_comment(lines_[i], lines_[i].comment_column);
      return;
    }
    std::vector<uint32_t> sorted = columns;
    sort_range(sorted.begin(), sorted.end());
    size_t column = 0, most = 0;
    for (size_t k = 0; k < sorted.size();) {
      size_t next = k;
      while (next < sorted.size() && sorted[next] == sorted[k]) ++next;
      if (next - k > most && sorted[k] > longest) most = next - k, column = sorted[k];
      k = next;
    }
    if (most == 0) column = longest + 2;
    for (size_t i = begin; i < end; ++i) pad_comment(lines_[i], column);
  }

  static void pad_comment(Line& line, size_t column) {
    line.text.append(column - line.width(), ' ');
    line.text += line.comment;
  }

  std::string joined() const {
    std::string out;
    out.reserve(source_.text().size() + source_.text().size() / 8);
    for (const Line& line : lines_) {
      if (line.blank_before) out += '\n';
      out.append(line.indent, ' ');
      out += line.text;
      out += '\n';
    }
    return out;
  }

  static constexpr size_t kUnknown = SIZE_MAX;

  const SourceText& source_;
  std::vector<Piece> pieces_;
  std::vector<Comment> comments_;
  size_t next_comment_ = 0;

  std::vector<Line> lines_;
  Line line_;
  bool started_ = false;        // line_ holds something
  bool blank_pending_ = false;  // before the next line
  size_t column_ = 0;           // where line_ ends
  size_t break_before_ = 0;     // the piece that begins a new line because this one is too long
  std::vector<Open> open_;
  std::vector<std::pair<size_t, size_t>> outer_;  // statement and its indent around each block that is spread
  size_t statement_ = 0;                          // its first piece
  size_t statement_indent_ = 0;
  size_t value_column_ = kUnknown;  // where the statement's value begins
};

}  // namespace

std::optional<std::string> format(const SourceText& source, Diagnostics& diagnostics) {
  Diagnostics own;
  const syntax::Tree tree = syntax::parse(source, own);
  if (own.has_errors()) {
    syntax::parse(source, diagnostics);
    return std::nullopt;
  }
  return Formatter(source, tree).text();
}

}  // namespace irplan
