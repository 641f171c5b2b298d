#include "service/language/cursor.h"

#include <algorithm>

#include "syntax/lexer.h"
#include "syntax/words.h"

namespace irplan::language {

using ast::punct;
using ast::Token;
using ast::TokenKind;

namespace {

bool opens(const Token& token) {
  return token.punct == punct("(") || token.punct == punct("[") || token.punct == punct("{");
}
bool closes(const Token& token) {
  return token.punct == punct(")") || token.punct == punct("]") || token.punct == punct("}");
}

}  // namespace

Cursor::Cursor(Document& document, uint32_t place)
    : source_(document.source()),
      place_(std::min<uint32_t>(place, static_cast<uint32_t>(document.source().text().size()))) {
  look(document.tree().tokens);
}

// Columns before the first word of the line that the place is in.
uint32_t Cursor::column(uint32_t place) const {
  const std::string& all = source_.text();
  const size_t line = place == 0 ? 0 : all.rfind('\n', place - 1) + 1;
  const size_t first = all.find_first_not_of(" \t", line);
  return static_cast<uint32_t>(std::min<size_t>(first, std::max<size_t>(place, line)) - line);
}

void Cursor::look(const std::vector<Token>& tokens) {
  if (tokens.empty()) return;
  // The first token that ends at or behind the place.
  const auto at = std::lower_bound(tokens.begin(), tokens.end(), place_,
                                   [](const Token& t, uint32_t p) { return t.span.end < p; });
  size_t i = static_cast<size_t>(at - tokens.begin());
  if (i >= tokens.size()) i = tokens.size() - 1;
  const Token& token = tokens[i];
  const bool inside = token.span.begin < place_;
  if (inside &&
      (token.kind == TokenKind::String || (token.kind == TokenKind::Bad && text(token)[0] == '"'))) {
    const bool ended = token.kind == TokenKind::String && place_ == token.span.end;
    if (!ended) {
      string = token.span;
      // Up to the place: an interpolation that is open there is looked into.
      const std::string_view part = source_.slice({token.span.begin + 1, place_});
      size_t open = std::string_view::npos;
      for (size_t k = 0; k < part.size(); ++k) {
        if (part[k] == '\\')
          ++k;
        else if (part[k] == '{')
          open = k;
        else if (part[k] == '}')
          open = std::string_view::npos;
      }
      if (open == std::string_view::npos) {
        in_text = true;
        word = {token.span.begin + 1, place_};
      } else {
        Diagnostics ignored;
        const auto inner =
            ast::lex(source_, {token.span.begin + 2 + static_cast<uint32_t>(open), place_}, ignored);
        const bool named = inner.size() > 1 && inner[inner.size() - 2].span.end == place_ &&
                           inner[inner.size() - 2].kind == TokenKind::Name;
        const size_t last = inner.size() - 1 - (named ? 1 : 0);  // End, or the word
        word = named ? inner[last].span : Span{place_, place_};
        in_brackets = true;
        scan(inner, last);
        starts = false;
        return;
      }
      scan(tokens, i);
      return;
    }
  }
  // Between two tokens there are blanks, and a comment up to the end of its line.
  const uint32_t from = i > 0 ? tokens[i - 1].span.end : 0;
  if (!inside && source_.slice({from, place_}).find('#') != std::string_view::npos) {
    in_comment = true;
    return;
  }
  const bool is_word = inside && (token.kind == TokenKind::Name || token.kind == TokenKind::Int ||
                                  token.kind == TokenKind::Float || token.kind == TokenKind::Bad);
  if (is_word) {
    word = token.span;
    const char first = text(token)[0];
    in_number = first >= '0' && first <= '9';
    scan(tokens, i);
    return;
  }
  word = {place_, place_};
  // A word that begins right here is the one that is meant, too.
  if (!inside && token.span.begin == place_ && token.kind == TokenKind::Name) word = token.span;
  scan(tokens, inside ? i + 1 : i);
}

// All tokens before `at`, which holds the word or stands behind the place: which brackets are open there, and
// where the statement begins. A line that stands no further to the right than a statement whose bracket is
// open is a statement of its own, as the parser has it after an error.
void Cursor::scan(const std::vector<Token>& tokens, size_t at) {
  if (at > 0 && tokens[at - 1].kind != TokenKind::Newline) before = text(tokens[at - 1]);
  if (at > 1 && !before.empty() && tokens[at - 2].kind != TokenKind::Newline) before2 = text(tokens[at - 2]);
  if (before == ".") read_path(tokens, at - 1);
  struct Open {
    size_t token;
    bool block, phase;
    size_t commas;
    std::string_view key;
    std::vector<std::string_view> keys;
  };
  std::vector<Open> open;
  size_t statement = 0;
  uint32_t indent = 0;
  bool fresh = true;  // the next token begins a statement
  const auto bracketed = [&] { return !open.empty() && !open.back().block; };
  const auto line_of_its_own = [&](uint32_t place) {
    if (!bracketed() || column(place) > indent) return;
    while (bracketed()) open.pop_back();
    fresh = true;
  };
  for (size_t k = 0; k < at; ++k) {
    const Token& token = tokens[k];
    const Token* last = k > 0 ? &tokens[k - 1] : nullptr;
    const bool sign = last && last->kind == TokenKind::Punct;
    if (token.kind == TokenKind::Newline) {
      const bool goes_on = sign && !closes(*last) && !(opens(*last) && open.size() && open.back().block);
      if (!bracketed() && !goes_on) fresh = true;
      continue;
    }
    if (token.kind == TokenKind::Name && last && last->kind == TokenKind::Newline)
      line_of_its_own(token.span.begin);
    if (fresh) {
      statement = k;
      indent = column(token.span.begin);
      fresh = false;
    }
    if (opens(token)) {
      const bool brace = token.punct == punct("{"), record = brace && sign && !closes(*last);
      const bool phase = brace && k > 1 && text(tokens[k - 2]) == "phase";
      open.push_back({k, brace && !record && !phase, phase, 0, {}, {}});
      fresh = open.back().block;
    } else if (closes(token)) {
      const bool block = !open.empty() && open.back().block;
      if (!open.empty()) open.pop_back();
      fresh = block;
    } else if (token.punct == punct(",") && !open.empty()) {
      ++open.back().commas;
      open.back().key = {};
    } else if (token.punct == punct("=") && !open.empty() && last && last->kind == TokenKind::Name) {
      open.back().key = text(*last);
      open.back().keys.push_back(open.back().key);
    }
  }
  if (before.empty()) line_of_its_own(place_);
  starts = fresh;
  if (!starts) opener = text(tokens[statement]);
  in_brackets = in_brackets || bracketed();
  in_phase = bracketed() && open.back().phase;
  for (size_t k = open.size(); k-- > 0 && !open[k].block;) {
    const size_t token = open[k].token;
    if (tokens[token].punct != punct("(") || token == 0 || tokens[token - 1].kind != TokenKind::Name)
      continue;
    call = OpenCall{
        text(tokens[token - 1]), tokens[token - 1].span, open[k].commas, k + 1 == open.size(), open[k].key,
        std::move(open[k].keys)};
    keywords_behind(tokens, at);
    break;
  }
}

// Keywords of the call that stand behind the place.
void Cursor::keywords_behind(const std::vector<Token>& tokens, size_t at) {
  int level = call->direct ? 0 : 1;
  const uint32_t indent = column(call->span.begin);
  for (size_t k = std::max<size_t>(at, 1); k + 1 < tokens.size(); ++k) {
    if (opens(tokens[k])) ++level;
    if (closes(tokens[k]) && level-- == 0) return;
    const bool line = tokens[k - 1].kind == TokenKind::Newline && tokens[k].kind == TokenKind::Name;
    if (line && column(tokens[k].span.begin) <= indent) return;
    const bool key = tokens[k].punct == punct("=") && tokens[k - 1].kind == TokenKind::Name;
    if (key && level == 0 && tokens[k - 1].span.begin != word.begin)
      call->given.push_back(text(tokens[k - 1]));
  }
}

// Backwards from a point: names, and numbers in brackets.
void Cursor::read_path(const std::vector<Token>& tokens, size_t point) {
  std::vector<std::string_view> reversed;
  size_t i = point;
  while (i > 0) {
    if (tokens[i - 1].punct == punct("]") && i >= 4 && tokens[i - 3].punct == punct("[")) {
      reversed.push_back(text(tokens[i - 2]));
      i -= 3;
      continue;
    }
    if (tokens[i - 1].kind != TokenKind::Name) return;
    reversed.push_back(text(tokens[i - 1]));
    if (i < 2 || tokens[i - 2].punct != punct(".")) break;
    i -= 2;
  }
  path.assign(reversed.rbegin(), reversed.rend());
}

}  // namespace irplan::language
