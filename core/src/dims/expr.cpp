#include "dims/expr.h"

#include <algorithm>
#include <charconv>
#include <climits>
#include <system_error>

#include "base/keyed_hash.h"
#include "base/sort.h"

namespace irplan {
namespace {

bool add_to(int64_t& total, int64_t n) { return !__builtin_add_overflow(total, n, &total); }
bool multiply_into(int64_t& total, int64_t n) { return !__builtin_mul_overflow(total, n, &total); }

uint64_t pair_key(uint32_t a, uint32_t b) { return scattered((static_cast<uint64_t>(a) << 32) | b); }

// What a pair of terms counts as work where two sums are multiplied, in bytes: it is sorted among all.
constexpr size_t kPairWork = 128;

// Terms of higher degree first, then by the bytes of their factors' text; the constant last.
bool before(const Monomial* a, const Monomial* b) {
  if (a->factors.size() != b->factors.size()) return a->factors.size() > b->factors.size();
  return a->text < b->text;
}

void append_number(std::string& out, uint64_t n) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
  out.append(digits, end);
}

uint64_t magnitude(int64_t n) { return n < 0 ? 0 - static_cast<uint64_t>(n) : static_cast<uint64_t>(n); }

std::string make_text(const std::vector<Term>& terms) {
  if (terms.empty()) return "0";
  std::string out;
  for (const Term& term : terms) {
    const bool first = out.empty();
    if (term.coefficient < 0) {
      out += first ? "-" : " - ";
    } else if (!first) {
      out += " + ";
    }
    const uint64_t n = magnitude(term.coefficient);
    if (term.monomial->factors.empty()) {
      append_number(out, n);
    } else {
      if (n != 1) {
        append_number(out, n);
        out += '*';
      }
      out += term.monomial->text;
    }
  }
  return out;
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0); }

// None where the function has no value there.
std::optional<int64_t> apply(Function function, int64_t a, int64_t b) {
  switch (function) {
    case Function::Min: return std::min(a, b);
    case Function::Max: return std::max(a, b);
    default: break;
  }
  if (b <= 0) return std::nullopt;
  switch (function) {
    case Function::Floordiv: return floor_div(a, b);
    case Function::Mod: return a - floor_div(a, b) * b;
    default: return a == INT64_MIN ? std::nullopt : std::optional<int64_t>(-floor_div(-a, b));
  }
}

}  // namespace

const char* name(Function function) {
  constexpr const char* kNames[] = {"min", "max", "ceildiv", "floordiv", "mod"};
  return kNames[static_cast<int>(function)];
}

const char* symbol(Relation relation) {
  constexpr const char* kSymbols[] = {"<=", ">=", "=="};
  return kSymbols[static_cast<int>(relation)];
}

// ------------------------------------------------------------------------------------------------ Expr

bool Expr::overflowed() const { return node_->overflowed; }
bool Expr::sprawling() const { return node_ == node_->pool->sprawl_.node_; }

bool Expr::is_constant() const {
  return !node_->overflowed &&
         (node_->terms.empty() || (node_->terms.size() == 1 && node_->terms[0].monomial->factors.empty()));
}

int64_t Expr::constant() const {
  if (node_->terms.empty()) return 0;
  const Term& last = node_->terms.back();
  return last.monomial->factors.empty() ? last.coefficient : 0;
}

const std::string& Expr::text() const {
  if (node_->text.empty()) node_->text = node_->overflowed ? "overflow" : make_text(node_->terms);
  return node_->text;
}

uint32_t Expr::index() const { return node_->index; }
Dims& Expr::pool() const { return *node_->pool; }

Expr operator+(Expr a, Expr b) { return a.pool().add(a, b); }
Expr operator-(Expr a, Expr b) { return a.pool().sub(a, b); }
Expr operator*(Expr a, Expr b) { return a.pool().mul(a, b); }
Expr operator+(Expr a, int64_t n) { return a + a.pool().constant(n); }
Expr operator-(Expr a, int64_t n) { return a - a.pool().constant(n); }
Expr operator*(Expr a, int64_t n) { return a * a.pool().constant(n); }

// ------------------------------------------------------------------------------------------------ Dims: the
// pool

size_t Dims::TermsHash::operator()(const std::vector<Term>* terms) const {
  uint64_t hash = terms->size();
  for (const Term& term : *terms) {
    hash = hashed(hash, static_cast<uint64_t>(term.coefficient));
    hash = hashed(hash, term.monomial->index);
  }
  return static_cast<size_t>(hash);
}

Dims::Dims() {
  one_ = monomial({});
  for (Expr* failed : {&overflow_, &sprawl_}) {
    ExprNode& node = nodes_.emplace_back();
    node.overflowed = true;
    node.index = static_cast<uint32_t>(nodes_.size() - 1);
    node.pool = this;
    *failed = Expr(&node);
  }
}

bool Dims::afford(size_t bytes) { return (work_ += bytes) <= kMaxWork; }
bool Dims::keep(size_t bytes) { return (kept_ += bytes) <= kMaxKept; }

Expr Dims::intern(std::vector<Term> terms) {
  if (terms.size() > static_cast<size_t>(kMaxTerms) || !afford(terms.size() * sizeof(Term))) return sprawl_;
  const auto found = node_by_terms_.find(&terms);
  if (found != node_by_terms_.end()) return Expr(found->second);
  if (!keep(sizeof(ExprNode) + terms.size() * sizeof(Term))) return sprawl_;
  ExprNode& node = nodes_.emplace_back();
  node.terms = std::move(terms);
  node.index = static_cast<uint32_t>(nodes_.size() - 1);
  node.pool = this;
  node_by_terms_.emplace(&node.terms, &node);
  return Expr(&node);
}

Expr Dims::constant(int64_t n) {
  if (n == INT64_MIN) return overflow_;
  const auto [slot, fresh] =
      constants_.try_emplace(static_cast<int64_t>(scattered(static_cast<uint64_t>(n))));
  if (fresh) slot->second = n == 0 ? intern({}) : intern({{n, one_}});
  return slot->second;
}

const Monomial* Dims::monomial(std::vector<const Atom*> factors) {
  size_t length = factors.size();
  for (const Atom* factor : factors) length += factor->text.size();
  if (length > kMaxProduct || !afford(length)) return nullptr;
  std::string text;
  for (const Atom* factor : factors) {
    if (!text.empty()) text += '*';
    text += factor->text;
  }
  const auto found = monomial_by_text_.find(text);
  if (found != monomial_by_text_.end()) return found->second;
  if (!keep(sizeof(Monomial) + 2 * length)) return nullptr;
  Monomial& m = monomials_.emplace_back();
  m.factors = std::move(factors);
  m.text = std::move(text);
  m.index = static_cast<uint32_t>(monomials_.size() - 1);
  monomial_by_text_.emplace(m.text, &m);
  return &m;
}

const Monomial* Dims::multiply(const Monomial* a, const Monomial* b) {
  if (a->factors.empty()) return b;
  if (b->factors.empty()) return a;
  const uint64_t key = pair_key(std::min(a->index, b->index), std::max(a->index, b->index));
  const auto found = products_.find(key);
  if (found != products_.end()) return found->second;
  std::vector<const Atom*> factors(a->factors.size() + b->factors.size());
  std::merge(a->factors.begin(), a->factors.end(), b->factors.begin(), b->factors.end(), factors.begin(),
             [](const Atom* x, const Atom* y) { return x->text < y->text; });
  const Monomial* product = monomial(std::move(factors));
  if (product) products_.emplace(key, product);
  return product;
}

Expr Dims::from_atom(const Atom* atom) {
  if (!atom->self) {
    const Monomial* alone = monomial({atom});
    atom->self = alone ? intern({{1, alone}}) : sprawl_;
  }
  return atom->self;
}

const Atom* Dims::dim_atom(DimIndex dim) {
  const std::string& name = dim_names_[dim];
  const auto found = atom_by_text_.find(name);
  if (found != atom_by_text_.end()) return found->second;
  Atom& atom = atoms_.emplace_back();
  atom.text = name;
  atom.dim = dim;
  atom.index = static_cast<uint32_t>(atoms_.size() - 1);
  atom_by_text_.emplace(atom.text, &atom);
  return &atom;
}

namespace {

int depth_of(Expr e) {
  int depth = 0;
  for (const Term& term : e.node().terms) {
    for (const Atom* factor : term.monomial->factors) depth = std::max(depth, factor->depth);
  }
  return depth;
}

// Bytes of an expression's text at most, without making it.
size_t length_of(Expr e) {
  size_t length = 0;
  for (const Term& term : e.node().terms) length += term.monomial->text.size() + 24;
  return length;
}

}  // namespace

const Atom* Dims::function_atom(Function function, Expr a, Expr b) {
  const size_t length = length_of(a) + length_of(b);
  const int depth = 1 + std::max(depth_of(a), depth_of(b));
  if (depth > kMaxFunctions || length > kMaxProduct || !afford(length)) return nullptr;
  std::string text = std::string(irplan::name(function)) + "(" + a.text() + ", " + b.text() + ")";
  const auto found = atom_by_text_.find(text);
  if (found != atom_by_text_.end()) return found->second;
  if (!keep(sizeof(Atom) + 2 * length)) return nullptr;
  Atom& atom = atoms_.emplace_back();
  atom.text = std::move(text);
  atom.depth = depth;
  atom.function = function;
  atom.a = a;
  atom.b = b;
  atom.index = static_cast<uint32_t>(atoms_.size() - 1);
  atom_by_text_.emplace(atom.text, &atom);
  return &atom;
}

Expr Dims::function_of(Function function, Expr a, Expr b) {
  const Atom* atom = function_atom(function, a, b);
  return atom ? from_atom(atom) : sprawl_;
}

Expr Dims::dim(std::string_view name) {
  auto index = find(name);
  if (!index) {
    index = static_cast<DimIndex>(dim_names_.size());
    dim_names_.emplace_back(name);
    dim_by_name_.emplace(dim_names_.back(), *index);
  }
  return from_atom(dim_atom(*index));
}

std::optional<DimIndex> Dims::find(std::string_view name) const {
  const auto found = dim_by_name_.find(std::string(name));
  if (found == dim_by_name_.end()) return std::nullopt;
  return found->second;
}

Expr Dims::combine(Expr a, Expr b, int64_t sign) {
  const auto& x = a.node().terms;
  const auto& y = b.node().terms;
  std::vector<Term> sum;
  sum.reserve(x.size() + y.size());
  size_t i = 0, j = 0;
  while (i < x.size() || j < y.size()) {
    if (j == y.size() || (i < x.size() && before(x[i].monomial, y[j].monomial))) {
      sum.push_back(x[i++]);
    } else if (i == x.size() || before(y[j].monomial, x[i].monomial)) {
      sum.push_back({sign * y[j].coefficient, y[j].monomial});
      ++j;
    } else {
      Term term = x[i++];
      if (!add_to(term.coefficient, sign * y[j++].coefficient) || term.coefficient == INT64_MIN)
        return overflow_;
      if (term.coefficient != 0) sum.push_back(term);
    }
  }
  return intern(std::move(sum));
}

Expr Dims::add(Expr a, Expr b) {
  if (a.overflowed() || b.overflowed()) return a.overflowed() ? a : b;
  const uint64_t key = pair_key(std::min(a.index(), b.index()), std::max(a.index(), b.index()));
  const auto [slot, fresh] = sums_.try_emplace(key);
  if (fresh) slot->second = combine(a, b, 1);
  return slot->second;
}

Expr Dims::sub(Expr a, Expr b) {
  if (a.overflowed() || b.overflowed()) return a.overflowed() ? a : b;
  const auto [slot, fresh] = differences_.try_emplace(pair_key(a.index(), b.index()));
  if (fresh) slot->second = combine(a, b, -1);
  return slot->second;
}

Expr Dims::mul(Expr a, Expr b) {
  if (a.overflowed() || b.overflowed()) return a.overflowed() ? a : b;
  const uint64_t key = pair_key(std::min(a.index(), b.index()), std::max(a.index(), b.index()));
  const auto found = multiples_.find(key);
  if (found != multiples_.end()) return found->second;
  const auto& x = a.node().terms;
  const auto& y = b.node().terms;
  Expr product = sprawl_;
  const size_t pairs = x.size() * y.size();
  const bool sums = x.size() > 1 && y.size() > 1;  // whose terms are sorted
  if (pairs <= static_cast<size_t>(kMaxTerms) && (!sums || afford(pairs * kPairWork))) {
    std::vector<Term> terms;
    terms.reserve(pairs);
    bool fits = true, short_enough = true;
    for (const Term& s : x) {
      for (const Term& t : y) {
        const size_t degree = s.monomial->factors.size() + t.monomial->factors.size();
        const Monomial* both =
            degree > static_cast<size_t>(kMaxDegree) ? nullptr : multiply(s.monomial, t.monomial);
        if (!both) short_enough = false;
        if (!short_enough || !fits) break;
        Term term{s.coefficient, both};
        fits = multiply_into(term.coefficient, t.coefficient) && term.coefficient != INT64_MIN;
        terms.push_back(term);
      }
    }
    std::sort(terms.begin(), terms.end(),
              [](const Term& s, const Term& t) { return before(s.monomial, t.monomial); });
    std::vector<Term> merged;
    for (const Term& term : terms) {
      if (!merged.empty() && merged.back().monomial == term.monomial) {
        fits = fits && add_to(merged.back().coefficient, term.coefficient) &&
               merged.back().coefficient != INT64_MIN;
      } else {
        merged.push_back(term);
      }
    }
    std::erase_if(merged, [](const Term& t) { return t.coefficient == 0; });
    if (short_enough) product = fits ? intern(std::move(merged)) : overflow_;
  }
  multiples_.emplace(key, product);
  return product;
}

Expr Dims::product(const Shape& factors) {
  Expr total = constant(1);
  for (Expr factor : factors) total = mul(total, factor);
  return total;
}

Expr Dims::call(Function function, Expr a, Expr b) {
  if (a.overflowed() || b.overflowed()) return a.overflowed() ? a : b;
  if (a.is_constant() && b.is_constant()) {
    const auto n = apply(function, a.constant(), b.constant());
    return n ? constant(*n) : overflow_;
  }
  if (function == Function::Min || function == Function::Max) {
    if (a == b) return a;
    // Flat, without repeats, constants as one, and folded from the left in byte order.
    std::vector<Expr> parts;
    std::optional<int64_t> number;
    std::vector<Expr> todo = {a, b};
    while (!todo.empty()) {
      const Expr e = todo.back();
      todo.pop_back();
      const auto& terms = e.node().terms;
      const bool nested = terms.size() == 1 && terms[0].coefficient == 1 &&
                          terms[0].monomial->factors.size() == 1 && !terms[0].monomial->factors[0]->dim &&
                          terms[0].monomial->factors[0]->function == function;
      if (nested) {
        todo.push_back(terms[0].monomial->factors[0]->a);
        todo.push_back(terms[0].monomial->factors[0]->b);
      } else if (e.is_constant()) {
        number = number ? apply(function, *number, e.constant()) : e.constant();
      } else if (std::find(parts.begin(), parts.end(), e) == parts.end()) {
        parts.push_back(e);
      }
    }
    if (number) parts.push_back(constant(*number));
    const auto by_text = [](Expr x, Expr y) { return x.text() < y.text(); };
    sort_range(parts.begin(), parts.end(), by_text);
    Expr folded = parts[0];
    for (size_t i = 1; i < parts.size(); ++i) {
      const bool swap = by_text(parts[i], folded);
      folded = function_of(function, swap ? parts[i] : folded, swap ? folded : parts[i]);
      if (folded.overflowed()) return folded;
    }
    return folded;
  }
  if (b.is_constant()) {
    const int64_t divisor = b.constant();
    if (divisor <= 0) return overflow_;
    if (divisor == 1) return function == Function::Mod ? constant(0) : a;
    // Whole multiples of the divisor leave the function: floordiv(4*S + 3, 4) = S + floordiv(3, 4).
    std::vector<Term> whole, rest;
    for (const Term& term : a.node().terms) {
      if (term.coefficient % divisor == 0) {
        whole.push_back({term.coefficient / divisor, term.monomial});
      } else {
        rest.push_back(term);
      }
    }
    if (!whole.empty()) {
      const Expr outside = function == Function::Mod ? constant(0) : intern(std::move(whole));
      return rest.empty() ? outside : add(outside, call(function, intern(std::move(rest)), b));
    }
  } else if (a == b) {
    return constant(function == Function::Mod ? 0 : 1);
  }
  if (a.is(0)) return a;
  return function_of(function, a, b);
}

Expr Dims::align(Expr bytes, int64_t alignment) {
  return mul(call(Function::Ceildiv, bytes, constant(alignment)), constant(alignment));
}

std::optional<Expr> Dims::divide_exactly(Expr a, Expr b) {
  if (a.overflowed() || b.overflowed() || b.is(0)) return std::nullopt;
  if (b.is(1)) return a;
  if (a == b) return constant(1);
  const Term lead = b.node().terms.front();
  Expr quotient = constant(0);
  Expr rest = a;
  for (int step = 0; step < kMaxTerms && !rest.is(0); ++step) {
    const Term term = rest.node().terms.front();
    if (term.coefficient % lead.coefficient != 0) return std::nullopt;
    std::vector<const Atom*> factors = term.monomial->factors;
    for (const Atom* factor : lead.monomial->factors) {
      const auto at = std::find(factors.begin(), factors.end(), factor);
      if (at == factors.end()) return std::nullopt;
      factors.erase(at);
    }
    const Monomial* left = monomial(std::move(factors));
    if (!left) return std::nullopt;
    const Expr part = intern({{term.coefficient / lead.coefficient, left}});
    quotient = add(quotient, part);
    rest = sub(rest, mul(part, b));
    if (rest.overflowed() || quotient.overflowed()) return std::nullopt;
  }
  return rest.is(0) ? std::optional<Expr>(quotient) : std::nullopt;
}

Expr Dims::substitute(Expr e, DimIndex dim, Expr with) {
  if (e.overflowed()) return e;
  Expr total = constant(0);
  for (const Term& term : e.node().terms) {
    Expr product = constant(term.coefficient);
    for (const Atom* factor : term.monomial->factors) {
      Expr value;
      if (factor->dim) {
        value = *factor->dim == dim ? with : from_atom(factor);
      } else {
        value = call(factor->function, substitute(factor->a, dim, with), substitute(factor->b, dim, with));
      }
      product = mul(product, value);
    }
    total = add(total, product);
  }
  return total;
}

// ------------------------------------------------------------------------------------------------ reading
// text

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// expr = ["-"] term { (" + "|" - ") term }     term = INT | [INT "*"] atom { "*" atom }
class Reader {
 public:
  Reader(Dims& dims, std::string_view text) : dims_(dims), text_(text) {}

  std::optional<Expr> all() {
    auto e = expr(0);
    if (e && at_ != text_.size()) return fail("unexpected text after the expression");
    return e;
  }
  std::string why;

 private:
  static constexpr int kMaxDepth = 64;

  std::nullopt_t fail(std::string what) {
    if (why.empty()) why = std::move(what);
    return std::nullopt;
  }
  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  std::optional<Expr> expr(int depth) {
    if (depth > kMaxDepth) return fail("nested deeper than 64");
    const bool negative = take("-");
    auto total = term(depth);
    if (!total) return std::nullopt;
    if (negative) total = dims_.constant(0) - *total;
    while (true) {
      const bool plus = take(" + ");
      if (!plus && !take(" - ")) return total;
      const auto next = term(depth);
      if (!next) return std::nullopt;
      total = plus ? *total + *next : *total - *next;
    }
  }

  std::optional<Expr> term(int depth) {
    Expr product = dims_.constant(1);
    if (at_ < text_.size() && is_digit(text_[at_])) {
      int64_t n = 0;
      const char* begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), n);
      if (error != std::errc()) return fail("a number exceeds 64 bits");
      if (*begin == '0' && end != begin + 1) return fail("a number begins with 0");
      at_ += static_cast<size_t>(end - begin);
      product = dims_.constant(n);
      if (!take("*")) return product;
    }
    do {
      const auto factor = atom(depth);
      if (!factor) return std::nullopt;
      product = product * *factor;
    } while (take("*"));
    return product;
  }

  std::optional<Expr> atom(int depth) {
    const size_t begin = at_;
    if (at_ >= text_.size() || !is_letter(text_[at_])) return fail("expected a name");
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '_')) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (!take("(")) {
      if (!dims_.find(word)) return fail("no dim named " + std::string(word.substr(0, 60)));
      return dims_.dim(word);
    }
    for (const Function f :
         {Function::Min, Function::Max, Function::Ceildiv, Function::Floordiv, Function::Mod}) {
      if (word != name(f)) continue;
      const auto a = expr(depth + 1);
      if (!a) return std::nullopt;
      if (!take(", ")) return fail("expected a comma");
      const auto b = expr(depth + 1);
      if (!b) return std::nullopt;
      if (!take(")")) return fail("expected )");
      return dims_.call(f, *a, *b);
    }
    return fail("no function named " + std::string(word.substr(0, 60)));
  }

  Dims& dims_;
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

Result<Expr> Dims::parse(std::string_view text) {
  if (text.size() > kMaxText) return Error{"longer than 1 MiB"};
  Reader reader(*this, text);
  const auto e = reader.all();
  if (!e) return Error{reader.why};
  if (e->overflowed()) return Error{"exceeds 64 bits"};
  if (e->text() != text) return Error{"not in normal form: should read " + e->text().substr(0, 80)};
  return *e;
}

// ------------------------------------------------------------------------------------------------ numbers

Evaluator::Evaluator(const Dims& dims, Binding binding) : binding_(std::move(binding)) {
  values_.resize(dims.expr_count());
  known_.resize(dims.expr_count());
}

std::optional<int64_t> Evaluator::atom(const Atom& atom) {
  if (atom.dim) {
    if (*atom.dim >= binding_.size()) return std::nullopt;
    return binding_[*atom.dim];
  }
  const auto a = (*this)(atom.a);
  const auto b = (*this)(atom.b);
  if (!a || !b) return std::nullopt;
  return apply(atom.function, *a, *b);
}

std::optional<int64_t> Evaluator::operator()(Expr e) {
  const uint32_t index = e.index();
  if (index >= known_.size()) {
    values_.resize(e.pool().expr_count());
    known_.resize(e.pool().expr_count());
  }
  if (known_[index] == 1) return values_[index];
  if (known_[index] == 2 || e.overflowed()) return std::nullopt;
  known_[index] = 2;
  int64_t total = 0;
  for (const Term& term : e.node().terms) {
    int64_t product = term.coefficient;
    for (const Atom* factor : term.monomial->factors) {
      const auto n = atom(*factor);
      if (!n || !multiply_into(product, *n)) return std::nullopt;
    }
    if (!add_to(total, product)) return std::nullopt;
  }
  known_[index] = 1;
  values_[index] = total;
  return total;
}

std::optional<int64_t> evaluate(Expr e, const Binding& binding) {
  if (e.overflowed()) return std::nullopt;
  int64_t total = 0;
  for (const Term& term : e.node().terms) {
    int64_t product = term.coefficient;
    for (const Atom* factor : term.monomial->factors) {
      std::optional<int64_t> n;
      if (factor->dim) {
        if (*factor->dim < binding.size()) n = binding[*factor->dim];
      } else {
        const auto a = evaluate(factor->a, binding);
        const auto b = evaluate(factor->b, binding);
        if (a && b) n = apply(factor->function, *a, *b);
      }
      if (!n || !multiply_into(product, *n)) return std::nullopt;
    }
    if (!add_to(total, product)) return std::nullopt;
  }
  return total;
}

std::optional<int64_t> sum_of_products(std::initializer_list<std::pair<int64_t, int64_t>> parts) {
  int64_t sum = 0;
  for (const auto& [count, size] : parts) {
    int64_t part = 0;
    if (__builtin_mul_overflow(count, size, &part) || __builtin_add_overflow(sum, part, &sum))
      return std::nullopt;
  }
  return sum;
}

}  // namespace irplan
