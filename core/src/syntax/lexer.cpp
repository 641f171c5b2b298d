#include "syntax/lexer.h"

#include <cmath>
#include <cstdlib>

#include "syntax/parser.h"

namespace irplan::syntax {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

// Bytes of the UTF-8 character that begins here; 0 where it is none.
size_t utf8_length(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
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
constexpr Unit kUnits[] = {{"B", 1},
                           {"KB", 1000},
                           {"KiB", 1024},
                           {"MB", 1000000},
                           {"MiB", 1048576},
                           {"GB", 1000000000},
                           {"GiB", 1073741824},
                           {"TB", 1000000000000},
                           {"TiB", 1099511627776}};

// The double nearest to digits * 10^exponent, the same on every machine: exact where both fit a double, else by long division
// of big integers. `strtod` would follow the locale.
double decimal_to_double(const std::string& digits, int64_t exponent) {
  size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return 0;
  std::string d = digits.substr(first);
  while (d.size() > 1 && d.back() == '0') d.pop_back(), ++exponent;
  if (static_cast<int64_t>(d.size()) + exponent > 310) return HUGE_VAL;
  if (static_cast<int64_t>(d.size()) + exponent < -330) return 0;
  if (d.size() <= 15 && exponent >= -22 && exponent <= 22) {
    double n = 0, power = 1;
    for (const char c : d) n = n * 10 + (c - '0');
    for (int64_t i = 0; i < std::llabs(exponent); ++i) power *= 10;
    return exponent < 0 ? n / power : n * power;
  }
  // numerator / denominator as little-endian 32-bit limbs
  using Big = std::vector<uint32_t>;
  const auto times = [](Big& n, uint32_t by, uint32_t add) {
    uint64_t carry = add;
    for (uint32_t& limb : n) {
      carry += static_cast<uint64_t>(limb) * by;
      limb = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry) n.push_back(static_cast<uint32_t>(carry));
  };
  const auto bits = [](const Big& n) {
    size_t i = n.size();
    while (i > 0 && n[i - 1] == 0) --i;
    return i == 0 ? int64_t{0} : static_cast<int64_t>(i - 1) * 32 + (32 - __builtin_clz(n[i - 1]));
  };
  const auto shift = [&](Big& n, int64_t by) {
    n.insert(n.begin(), static_cast<size_t>(by / 32), 0);
    for (int64_t i = 0; i < by % 32; ++i) times(n, 2, 0);
  };
  const auto less = [](const Big& a, const Big& b) {
    const size_t size = std::max(a.size(), b.size());
    for (size_t i = size; i-- > 0;) {
      const uint32_t x = i < a.size() ? a[i] : 0, y = i < b.size() ? b[i] : 0;
      if (x != y) return x < y;
    }
    return false;
  };
  const auto subtract = [](Big& a, const Big& b) {
    int64_t borrow = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      int64_t n = static_cast<int64_t>(a[i]) - (i < b.size() ? b[i] : 0) - borrow;
      borrow = n < 0;
      a[i] = static_cast<uint32_t>(n + (borrow << 32));
    }
  };
  Big top = {0}, bottom = {1};
  for (const char c : d.substr(0, 800)) times(top, 10, static_cast<uint32_t>(c - '0'));
  exponent += static_cast<int64_t>(d.size() > 800 ? d.size() - 800 : 0);
  for (int64_t i = 0; i < exponent; ++i) times(top, 10, 0);
  for (int64_t i = 0; i < -exponent; ++i) times(bottom, 10, 0);
  // Scale so that the quotient has 54 bits (or fewer below the normal range), then round half to even.
  int64_t power = bits(top) - bits(bottom) - 54;
  power = std::max<int64_t>(power, -1075);
  shift(power > 0 ? bottom : top, std::llabs(power));
  uint64_t quotient = 0;
  Big part = bottom;
  std::vector<Big> doubled = {bottom};
  while (!less(top, doubled.back()) && doubled.size() < 60) {
    Big next = doubled.back();
    times(next, 2, 0);
    doubled.push_back(std::move(next));
  }
  for (size_t i = doubled.size(); i-- > 0;) {
    quotient <<= 1;
    if (!less(top, doubled[i])) subtract(top, doubled[i]), quotient |= 1;
  }
  bool rest = false;
  for (const uint32_t limb : top) rest = rest || limb != 0;
  while (quotient >> 54) rest = rest || (quotient & 1), quotient >>= 1, ++power;
  const bool half = quotient & 1;
  uint64_t rounded = quotient >> 1;
  if (half && (rest || (rounded & 1))) ++rounded;
  return std::ldexp(static_cast<double>(rounded), static_cast<int>(power + 1));
}

class Lexer {
 public:
  Lexer(const SourceText& source, Span part, Diagnostics& diagnostics)
      : text_(source.text()), at_(part.begin), end_(std::min<size_t>(part.end, source.text().size())), diagnostics_(diagnostics) {}

  std::vector<Token> run() {
    tokens_.reserve((end_ - at_) / 4 + 8);
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
      if (tokens_.size() > kMaxTokens) {
        diagnostics_.report(Code::E0109, here(1), {std::to_string(kMaxTokens)});
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

  void word() {
    size_t length = 1;
    while (at_ + length < end_ && is_word(text_[at_ + length])) ++length;
    add(TokenKind::Name, length);
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
                          (is_digit(text_[i + 1]) || ((text_[i + 1] == '+' || text_[i + 1] == '-') && i + 2 < end_ && is_digit(text_[i + 2])));
    if (exponent) {
      whole = false;
      const bool negative = text_[++i] == '-';
      if (text_[i] == '-' || text_[i] == '+') ++i;
      int64_t power = 0;
      for (; i < end_ && is_digit(text_[i]); ++i) power = std::min<int64_t>(power * 10 + (text_[i] - '0'), 100000);
      scale += negative ? -power : power;
    }
    size_t unit_end = i;
    while (unit_end < end_ && is_word(text_[unit_end])) ++unit_end;
    const std::string_view unit = std::string_view(text_).substr(i, unit_end - i);
    int64_t factor = unit.empty() ? 1 : 0;
    for (const Unit& u : kUnits) {
      if (unit == u.name) factor = u.bytes;
    }
    Token& token = add(whole ? TokenKind::Int : TokenKind::Float, unit_end - begin);
    if (factor == 0) {
      diagnostics_.report(Code::E0105, token.span, {std::string_view(text_).substr(begin, std::min<size_t>(unit_end - begin, 60))})
          .help("units are B, KB, KiB, MB, MiB, GB, GiB, TB and TiB");
      token.kind = TokenKind::Bad;
      return;
    }
    if (!whole) {
      token.number = decimal_to_double(digits, scale) * static_cast<double>(factor);
      if (!std::isfinite(token.number)) {
        diagnostics_.report(Code::E0104, token.span);
        token.kind = TokenKind::Bad;
      } else if (!unit.empty() && token.number == std::floor(token.number) && token.number < 9e18) {
        token.kind = TokenKind::Int;  // 1.5GiB is whole bytes
        token.integer = static_cast<int64_t>(token.number);
      }
      return;
    }
    int64_t n = 0;
    bool fits = true;
    for (const char c : digits) fits = fits && !__builtin_mul_overflow(n, 10, &n) && !__builtin_add_overflow(n, c - '0', &n);
    fits = fits && !__builtin_mul_overflow(n, factor, &n);
    token.integer = n;
    token.number = static_cast<double>(n);
    if (!fits) {
      diagnostics_.report(Code::E0104, token.span);
      token.kind = TokenKind::Bad;
    }
  }

  // Up to the closing quote on the same line; quotes inside `{ }` belong to the interpolated expression.
  void string() {
    size_t i = at_ + 1;
    int braces = 0;
    bool inner = false;
    for (; i < end_ && text_[i] != '\n'; ++i) {
      const char c = text_[i];
      if (c == '\\') {
        ++i;
      } else if (braces > 0 && c == '"') {
        inner = !inner;
      } else if (c == '"') {
        add(TokenKind::String, i + 1 - at_);
        return;
      } else if (!inner && c == '{') {
        ++braces;
      } else if (!inner && c == '}' && braces > 0) {
        --braces;
      }
    }
    const size_t length = std::min(i, end_) - at_;
    diagnostics_.report(Code::E0102, here(std::min<size_t>(length, 60))).help("a string ends on its line, with a quote");
    add(TokenKind::Bad, length);
  }

  void symbol() {
    const char c = text_[at_], next = at_ + 1 < end_ ? text_[at_ + 1] : '\0';
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
    unexpected(c);
  }

  void unexpected(char c) {
    const size_t length = utf8_length(text_, at_);
    if (length == 0 || (static_cast<unsigned char>(c) < 0x20 && c != '\f')) {
      diagnostics_.report(Code::E0107, here(1)).help("a program is UTF-8 text");
      stopped_ = true;
      return;
    }
    std::string shown = text_.substr(at_, length);
    Diagnostic& d = diagnostics_.report(Code::E0101, here(length), {shown});
    if (c == '&' || c == '|') d.fix("did you mean `" + shown + shown + "`", here(1), shown + shown);
    if (c == '\'') d.help("strings stand in double quotes");
    if (c == '^') d.help("there is no power operator: x * x");
    add(TokenKind::Bad, length);
  }

  const std::string& text_;
  size_t at_;
  size_t end_;
  Diagnostics& diagnostics_;
  std::vector<Token> tokens_;
  bool stopped_ = false;
};

}  // namespace

std::vector<Token> lex(const SourceText& source, Span part, Diagnostics& diagnostics) {
  return Lexer(source, part, diagnostics).run();
}

std::vector<Comment> comments_of(const SourceText& source) {
  std::vector<Comment> out;
  Diagnostics ignored;
  const auto tokens = lex(source, {0, static_cast<uint32_t>(source.text().size())}, ignored);
  // Between two tokens there are only blanks and comments.
  size_t at = 0;
  for (const Token& token : tokens) {
    const size_t hash = source.text().find('#', at);
    if (hash != std::string::npos && hash < token.span.begin) {
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
