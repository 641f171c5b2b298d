#include "syntax/lexer.h"

#include <algorithm>
#include <cmath>

#include "base/decimal.h"
#include "base/limits.h"
#include "syntax/parser.h"

namespace irplan::syntax {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

// Bytes of the UTF-8 character that begins here; 0 where it is none.
size_t utf8_length(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = lead < 0x80                   ? 1
                        : lead >= 0xc2 && lead < 0xe0 ? 2
                        : lead >= 0xe0 && lead < 0xf0 ? 3
                        : lead >= 0xf0 && lead < 0xf5 ? 4
                                                      : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

struct Unit {
  const char* name;
  int64_t bytes;
};
constexpr Unit kUnits[] = {
    {"B", 1},           {"KB", 1000},        {"KiB", 1024},         {"MB", 1000000},       {"MiB", 1048576},
    {"GB", 1000000000}, {"GiB", 1073741824}, {"TB", 1000000000000}, {"TiB", 1099511627776}};

class Lexer {
 public:
  Lexer(const SourceText& source, Span part, Diagnostics& diagnostics)
      : text_(source.text()),
        at_(part.begin),
        end_(std::min<size_t>(part.end, source.text().size())),
        diagnostics_(diagnostics) {}

  std::vector<Token> run() {
    tokens_.reserve((end_ - at_) / 4 + 8);
    if (at_ == 0 && text_.compare(0, 3, "\xEF\xBB\xBF") == 0) at_ = 3;  // a byte order mark
    if (!is_text()) stopped_ = true;
    while (at_ < end_ && !stopped_) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\r') {
        ++at_;
      } else if (c == '#') {
        while (at_ < end_ && text_[at_] != '\n') ++at_;
      } else if (c == '\n' || c == ';') {
        add(TokenKind::Newline, 1);
      } else if (is_letter(c) || c == '_') {
        word();
      } else if (is_digit(c)) {
        number();
      } else if (c == '"') {
        string();
      } else {
        symbol();
      }
      if (diagnostics_.errors() >= Diagnostics::kMaxKept) stopped_ = true;  // nobody reads more
      if (tokens_.size() > kMaxTokens) {
        diagnostics_.report(Code::TooManyTokens, here(1), {std::to_string(kMaxTokens)});
        tokens_.clear();  // what is cut off in the middle would only make more errors
        stopped_ = true;
      }
    }
    Token end;
    end.span = {static_cast<uint32_t>(end_), static_cast<uint32_t>(end_)};
    tokens_.push_back(end);
    return std::move(tokens_);
  }

 private:
  Span here(size_t length) const {
    return {static_cast<uint32_t>(at_), static_cast<uint32_t>(std::min(at_ + length, end_))};
  }
  Token& add(TokenKind kind, size_t length) {
    Token& token = tokens_.emplace_back();
    token.kind = kind;
    token.span = here(length);
    at_ += length;
    return token;
  }

  // One report for a file that is no text, wherever in it that shows.
  bool is_text() {
    for (size_t i = at_; i < end_;) {
      const auto c = static_cast<unsigned char>(text_[i]);
      const size_t length = utf8_length(text_, i);
      if (length == 0 || (c < 0x20 && c != '\n' && c != '\t' && c != '\r')) {
        const auto place = static_cast<uint32_t>(i);
        constexpr const char* kHex = "0123456789abcdef";
        const std::string byte = {'0', 'x', kHex[c >> 4], kHex[c & 15]};
        diagnostics_.report(Code::NotText, {place, place + 1}, {byte})
            .rule("a program is UTF-8 text without control characters");
        return false;
      }
      i += length;
    }
    return true;
  }

  void word() {
    size_t length = 1;
    while (at_ + length < end_ && is_word(text_[at_ + length])) ++length;
    Token& token = add(TokenKind::Name, length);
    if (length > kMaxNameBytes)
      diagnostics_.report(Code::NameTooLong, token.span, {"a name", std::to_string(kMaxNameBytes)});
    if (text_[token.span.begin] != '_') return;
    const std::string_view name =
        std::string_view(text_).substr(token.span.begin, std::min<size_t>(length, 60));
    diagnostics_.report(Code::NameStartsWrong, token.span, {name}).rule("a name begins with a letter");
  }

  // NUMBER = digits [ "." digits ] [ exponent ] [ unit ]; `1..2` is a range, not a fraction.
  void number() {
    const size_t begin = at_;
    size_t i = at_;
    std::string digits;
    int64_t scale = 0;
    bool whole = true;
    const auto take_digits = [&](bool fraction) {
      while (i < end_ && (is_digit(text_[i]) || text_[i] == '_')) {
        if (text_[i] != '_') digits += text_[i], scale -= fraction;
        ++i;
      }
    };
    take_digits(false);
    if (i + 1 < end_ && text_[i] == '.' && is_digit(text_[i + 1])) {
      whole = false;
      ++i;
      take_digits(true);
    }
    const bool exponent = i < end_ && (text_[i] == 'e' || text_[i] == 'E') && i + 1 < end_ &&
                          (is_digit(text_[i + 1]) || ((text_[i + 1] == '+' || text_[i + 1] == '-') &&
                                                      i + 2 < end_ && is_digit(text_[i + 2])));
    if (exponent) {
      whole = false;
      const bool negative = text_[++i] == '-';
      if (text_[i] == '-' || text_[i] == '+') ++i;
      int64_t power = 0;
      for (; i < end_ && is_digit(text_[i]); ++i)
        power = std::min<int64_t>(power * 10 + (text_[i] - '0'), 100000);
      scale += negative ? -power : power;
    }
    size_t unit_end = i;
    while (unit_end < end_ && is_word(text_[unit_end])) ++unit_end;
    const std::string_view unit = std::string_view(text_).substr(i, unit_end - i);
    const bool point =
        whole && unit.empty() && i < end_ && text_[i] == '.' && (i + 1 >= end_ || text_[i + 1] != '.');
    Token& token = add(whole ? TokenKind::Int : TokenKind::Float, unit_end - begin);
    if (point) {
      bad(Code::NotANumber, token, std::string_view(text_).substr(begin, i + 1 - begin))
          .rule("a number has digits on both sides of its point");
      return;
    }
    int64_t factor = unit.empty() ? 1 : 0;
    for (const Unit& u : kUnits) {
      if (unit == u.name) factor = u.bytes;
    }
    if (factor == 0)
      return unknown_unit(token, std::string_view(text_).substr(begin, unit_end - begin), unit);
    if (whole || !unit.empty()) {
      token.kind = TokenKind::Int;
      exact(token, digits, scale, factor);
      return;
    }
    token.number = decimal_to_double(digits, scale);
    if (!std::isfinite(token.number)) bad(Code::NumberTooLarge, token);
  }

  Diagnostic& bad(Taking<1> code, Token& token, std::string_view argument) {
    token.kind = TokenKind::Bad;
    const std::string_view shown[] = {argument.substr(0, 60)};
    return diagnostics_.add(code.code, token.span, shown);
  }
  Diagnostic& bad(Taking<0> code, Token& token) {
    token.kind = TokenKind::Bad;
    return diagnostics_.add(code.code, token.span, {});
  }

  void unknown_unit(Token& token, std::string_view number, std::string_view unit) {
    const auto place = token.span.end - static_cast<uint32_t>(unit.size());
    if (number.size() > 1 && number[0] == '0' && (unit[0] == 'x' || unit[0] == 'b' || unit[0] == 'o')) {
      bad(Code::NotANumber, token, number).rule("numbers are decimal");
      return;
    }
    std::vector<std::string> names;
    for (const Unit& u : kUnits) names.emplace_back(u.name);
    Diagnostic& d = bad(Code::UnknownUnit, token, unit);
    d.rule("units are B, KB, KiB, MB, MiB, GB, GiB, TB and TiB");
    const std::string near = nearest(unit, names);
    if (!near.empty()) d.fix("did you mean `" + near + "`", {place, token.span.end}, near);
  }

  // digits * 10^scale * factor as an integer, rounded down to whole bytes: 23.58GiB is 25318832046 bytes.
  void exact(Token& token, std::string digits, int64_t scale, int64_t factor) {
    constexpr size_t kMostDigits = 18;  // that surely fit 64 bits; behind the point more are below any byte
    const auto last_counts = [&] { return digits.back() != '0' && digits.size() <= kMostDigits; };
    while (!digits.empty() && scale < 0 && !last_counts()) digits.pop_back(), ++scale;
    int64_t n = 0;
    bool fits = true;
    for (const char c : digits) {
      fits = fits && !__builtin_mul_overflow(n, 10, &n) && !__builtin_add_overflow(n, c - '0', &n);
    }
    // What the digits leave behind the point, the unit's factors of 2 and 5 take as far as they go.
    int64_t fives = std::max<int64_t>(-scale, 0), twos = fives;
    for (; n != 0 && fives > 0 && factor % 5 == 0; --fives) factor /= 5;
    for (; n != 0 && twos > 0 && factor % 2 == 0; --twos) factor /= 2;
    for (; n != 0 && fits && fives > 0 && n % 5 == 0; --fives) n /= 5;
    for (; n != 0 && fits && twos > 0 && n % 2 == 0; --twos) n /= 2;
    const bool something = n != 0;
    __int128 product = static_cast<__int128>(n) * factor;
    for (; product != 0 && fives > 0; --fives) product /= 5;
    for (; product != 0 && twos > 0; --twos) product /= 2;
    for (int64_t i = 0; i < scale && product != 0 && fits; ++i) {
      product *= 10;
      fits = product <= INT64_MAX;
    }
    fits = fits && product <= INT64_MAX;
    token.integer = fits ? static_cast<int64_t>(product) : 0;
    token.number = static_cast<double>(token.integer);
    if (!fits) {
      bad(Code::NumberTooLarge, token);
    } else if (something && product == 0) {
      bad(Code::NotWholeBytes, token,
          std::string_view(text_).substr(token.span.begin, token.span.end - token.span.begin));
    }
  }

  // Up to the closing quote on the same line; quotes inside `{ }` belong to the interpolated expression.
  void string() {
    const size_t close = closing_of(text_, at_ + 1, end_, true);
    if (close != std::string::npos) {
      add(TokenKind::String, close + 1 - at_);
      return;
    }
    const size_t newline = std::min(text_.find('\n', at_), end_);
    diagnostics_.report(Code::StringNotClosed, here(1))
        .at("it begins here")
        .rule("a string ends on its line, with a quote");
    add(TokenKind::Bad, newline - at_);
  }

  // `//` that begins a line outside of brackets is meant as a comment; its words need not be words of the
  // language.
  bool foreign_comment() {
    const bool line_start = tokens_.empty() || tokens_.back().kind == TokenKind::Newline;
    if (!line_start || brackets_ > 0) return false;
    diagnostics_.report(Code::ForeignComment, here(2)).fix("write `#`", here(2), "#");
    add(TokenKind::Bad, std::min(text_.find('\n', at_), end_) - at_);
    return true;
  }

  void symbol() {
    const char c = text_[at_], next = at_ + 1 < end_ ? text_[at_ + 1] : '\0';
    if (c == '(' || c == '[') ++brackets_;
    if ((c == ')' || c == ']') && brackets_ > 0) --brackets_;
    if (c == '/' && (next == '/' || next == '*') && foreign_comment()) return;
    constexpr const char* kTwo[] = {"==", "!=", "<=", ">=", "//", "&&", "||", "??", ".."};
    for (const char* two : kTwo) {
      if (c == two[0] && next == two[1]) {
        add(TokenKind::Punct, 2).punct = punct(two);
        return;
      }
    }
    if (c != '\0' && std::string_view("()[]{},:?.=<>+-*/%!").find(c) != std::string_view::npos) {
      add(TokenKind::Punct, 1).punct = static_cast<uint16_t>(static_cast<unsigned char>(c) * 256);
      return;
    }
    unexpected();
  }

  // Signs that word processors and other languages have for ours.
  static const char* meant(std::string_view sign) {
    constexpr std::pair<const char*, const char*> kSigns[] = {
        {"\u00d7", "*"}, {"\u2264", "<="}, {"\u2265", ">="}, {"\u2260", "!="}, {"\u2212", "-"},
        {"\u2013", "-"}, {"\u201c", "\""}, {"\u201d", "\""}, {"\u2026", ".."}, {"\u00a0", " "},
        {"&", "&&"},     {"|", "||"},      {"'", "\""}};
    for (const auto& [wrong, right] : kSigns) {
      if (sign == wrong) return right;
    }
    return nullptr;
  }

  // A run of the same kind is told once.
  void unexpected() {
    const size_t length = std::max<size_t>(1, utf8_length(text_, at_));
    const std::string shown = text_.substr(at_, length);
    Diagnostic& d = diagnostics_.report(Code::UnexpectedCharacter, here(length), {shown});
    if (const char* right = meant(shown))
      d.fix(std::string("did you mean `") + right + "`", here(length), right);
    if (shown == "^") d.help("there is no power operator: x * x");
    if (shown == "@") d.help("products of matrices are calls: linear(x, w), matmul(a, b)");
    if (shown == "'") return quoted(d);
    size_t run = length;
    while (at_ + run < end_ && text_.compare(at_ + run, length, shown) == 0) run += length;
    add(TokenKind::Bad, run);
  }

  // 'text' to its end, told once.
  void quoted(Diagnostic& d) {
    const size_t line_end = std::min(text_.find('\n', at_), end_);
    const size_t close = text_.find('\'', at_ + 1);
    if (close >= line_end) {
      add(TokenKind::Bad, 1);
      return;
    }
    d.span = here(close + 1 - at_);
    d.fixes.clear();
    d.fix("strings are written in double quotes", d.span, '"' + text_.substr(at_ + 1, close - at_ - 1) + '"');
    add(TokenKind::Bad, close + 1 - at_);
  }

  const std::string& text_;
  size_t at_;
  size_t end_;
  Diagnostics& diagnostics_;
  std::vector<Token> tokens_;
  int brackets_ = 0;  // ( and [ that are open
  bool stopped_ = false;
};

}  // namespace

size_t closing_of(std::string_view text, size_t at, size_t end, bool in_string) {
  constexpr int kString = -1;
  std::vector<int> open = {in_string ? kString
                                     : 0};  // a string, or an interpolation with so many braces open in it
  for (; at < end && text[at] != '\n'; ++at) {
    const char c = text[at];
    if (open.back() == kString) {
      if (c == '\\') {
        if (at + 1 < end && text[at + 1] != '\n') ++at;
      } else if (c == '{') {
        open.push_back(0);
      } else if (c == '"') {
        open.pop_back();
      }
    } else if (c == '"') {
      open.push_back(kString);
    } else if (c == '{') {
      ++open.back();
    } else if (c == '}' && open.back()-- == 0) {
      open.pop_back();
    }
    if (open.empty()) return at;
  }
  return std::string::npos;
}

std::vector<Token> lex(const SourceText& source, Span part, Diagnostics& diagnostics) {
  return Lexer(source, part, diagnostics).run();
}

std::vector<Comment> comments_of(const SourceText& source, const std::vector<Token>& tokens) {
  std::vector<Comment> out;
  size_t at = 0;
  for (const Token& token : tokens) {
    const size_t gap = token.span.begin > at ? token.span.begin - at : 0;
    const size_t in_gap = std::string_view(source.text()).substr(at, gap).find('#');
    if (in_gap != std::string_view::npos) {
      const size_t hash = at + in_gap;
      size_t end = source.text().find('\n', hash);
      if (end == std::string::npos) end = source.text().size();
      const size_t line = source.text().rfind('\n', hash) + 1;
      const bool own = source.text().find_first_not_of(" \t", line) == hash;
      out.push_back({{static_cast<uint32_t>(hash), static_cast<uint32_t>(end)}, own});
    }
    at = token.span.end;
  }
  return out;
}

}  // namespace irplan::syntax
