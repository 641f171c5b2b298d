#include "plan/proof/budget_text.h"

#include <algorithm>
#include <cstdlib>

namespace irplan::proof {
namespace {

struct Unit {
  std::string_view name;
  int64_t bytes;
};
constexpr Unit kUnits[] = {
    {"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30}, {"TiB", 1LL << 40},    {"kB", 1000},
    {"KB", 1000},       {"MB", 1000000},    {"GB", 1000000000}, {"TB", 1000000000000}, {"B", 1}};
constexpr int64_t Plan::Segments::*kSegments[] = {&Plan::Segments::weights, &Plan::Segments::state,
                                                  &Plan::Segments::inputs, &Plan::Segments::arena};
constexpr std::string_view kSegmentNames[] = {"weights", "state", "inputs", "arena"};
constexpr int kMostNesting = 64;

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

// Sums and products of one side. What it does not know ends it.
class SideReader {
 public:
  SideReader(std::string_view text, const Plan& plan, BudgetText& out)
      : text_(text), plan_(plan), out_(out) {}

  std::optional<BudgetSide> run() {
    auto side = sum(0);
    return known_ && at_ == text_.size() ? std::optional(side) : std::nullopt;
  }

 private:
  void skip() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    skip();
    return true;
  }
  BudgetSide constant(int64_t n) const { return {{}, plan_.pool->constant(n)}; }
  BudgetSide unknown() { return known_ = false, constant(0); }
  static bool plain(const BudgetSide& s) {
    return std::all_of(std::begin(kSegments), std::end(kSegments), [&](auto m) { return s.counts.*m == 0; });
  }

  BudgetSide sum(int depth) {
    BudgetSide out = product(depth);
    while (known_) {
      const bool plus = take('+'), minus = !plus && take('-');
      if (!plus && !minus) break;
      const BudgetSide next = product(depth);
      for (const auto m : kSegments) {
        if (__builtin_add_overflow(out.counts.*m, plus ? next.counts.*m : -(next.counts.*m),
                                   &(out.counts.*m)))
          return unknown();
      }
      out.rest = plus ? out.rest + next.rest : out.rest - next.rest;
    }
    return out;
  }

  BudgetSide product(int depth) {
    BudgetSide out = factor(depth);
    while (known_) {
      if (take('*')) {
        out = times(out, factor(depth));
      } else if (take('%')) {
        const BudgetSide by = factor(depth);
        if (!plain(out) || !plain(by)) return unknown();
        out.rest = plan_.pool->mod(out.rest, by.rest);
      } else {
        break;
      }
    }
    skip();
    if (at_ < text_.size() && text_[at_] == '/') return unknown();
    return out;
  }

  BudgetSide times(const BudgetSide& a, const BudgetSide& b) {
    BudgetSide out{{}, a.rest * b.rest};
    const bool scaled = plain(b) ? b.rest.is_constant() : plain(a) && a.rest.is_constant();
    if (plain(a) && plain(b)) return out;
    if (!scaled) return unknown();
    const BudgetSide& counted = plain(b) ? a : b;
    const int64_t by = (plain(b) ? b : a).rest.constant();
    for (const auto m : kSegments) {
      if (__builtin_mul_overflow(counted.counts.*m, by, &(out.counts.*m))) return unknown();
    }
    return out;
  }

  BudgetSide factor(int depth) {
    skip();
    if (depth > kMostNesting || at_ == text_.size()) return unknown();
    if (take('-')) return times(constant(-1), factor(depth + 1));
    if (take('(')) {
      const BudgetSide inside = sum(depth + 1);
      return take(')') ? inside : unknown();
    }
    return digit(text_[at_]) ? number() : name();
  }

  BudgetSide number() {
    int64_t whole = 0, scale = 1;
    bool fits = true, point = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '_') continue;
      if (c == '.' && !point && at_ + 1 < text_.size() && digit(text_[at_ + 1])) {
        point = true;
        continue;
      }
      if (!digit(c)) break;
      fits = fits && !__builtin_mul_overflow(whole, int64_t{10}, &whole) &&
             !__builtin_add_overflow(whole, int64_t{c - '0'}, &whole);
      if (point) fits = fits && !__builtin_mul_overflow(scale, int64_t{10}, &scale);
    }
    size_t end = at_;
    while (end < text_.size() && letter(text_[end])) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    int64_t unit = word.empty() ? 1 : 0;
    for (const Unit& u : kUnits) {
      if (u.name == word) unit = u.bytes;
    }
    at_ = end;
    if (unit == 0 || !fits) return unknown();
    // A fraction of a unit counts whole bytes where it comes out even.
    const __int128 product = static_cast<__int128>(whole) * unit;
    if (product % scale != 0 || product / scale > INT64_MAX) return unknown();
    return constant(static_cast<int64_t>(product / scale));
  }

  std::string_view word() {
    const size_t begin = at_;
    while (at_ < text_.size() && (letter(text_[at_]) || digit(text_[at_]))) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  BudgetSide name() {
    std::string_view first = word();
    if (first.empty()) return unknown();
    const auto is_phase = [&](const Plan::Phase& p) { return p.name == first; };
    if (at_ < text_.size() && text_[at_] == '.') {
      if (std::none_of(plan_.phases.begin(), plan_.phases.end(), is_phase)) return unknown();
      out_.phase = first;
      ++at_;
      first = word();
    }
    BudgetSide out = constant(0);
    for (size_t i = 0; i < std::size(kSegments); ++i) {
      if (first == kSegmentNames[i] || first == "memory") out.counts.*kSegments[i] = 1, out_.bytes = true;
    }
    if (!plain(out)) return out;
    const auto dim = plan_.pool->find(first);
    if (!dim || *dim >= plan_.dims.size()) return unknown();
    out.rest = plan_.pool->dim(first);
    return out;
  }

  std::string_view text_;
  const Plan& plan_;
  BudgetText& out_;
  size_t at_ = 0;
  bool known_ = true;
};

}  // namespace

std::optional<BudgetText> read_budget(std::string_view text, const Plan& plan) {
  struct Sign {
    std::string_view text;
    Relation relation;
    int64_t off;  // a < b is a <= b - 1
  };
  static constexpr Sign kSigns[] = {{"<=", Relation::LessEqual, 0},
                                    {">=", Relation::GreaterEqual, 0},
                                    {"==", Relation::Equal, 0},
                                    {"<", Relation::LessEqual, -1},
                                    {">", Relation::GreaterEqual, 1}};
  for (const Sign& sign : kSigns) {
    const size_t at = text.find(sign.text);
    if (at == std::string_view::npos) continue;
    BudgetText out;
    out.relation = sign.relation;
    out.left = SideReader(text.substr(0, at), plan, out).run();
    out.right = SideReader(text.substr(at + sign.text.size()), plan, out).run();
    if (out.right) out.right->rest = out.right->rest + sign.off;
    return out;
  }
  return std::nullopt;
}

}  // namespace irplan::proof
