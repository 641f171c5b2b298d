// Symbolic extents: exact integer expressions over run-time dims, in one normal form.
//
//   An expression is a sum of terms; a term is a coefficient times a monomial; a monomial is a sorted
//   multiset of atoms; an atom is a dim, or min, max, ceildiv, floordiv or mod of two expressions.
//
//       2*B*S*min(C, P + S) + 64      terms by falling degree, then by the bytes of their factors' text, the
//       constant last
//
// Expressions are interned in a `Dims` pool: equal expressions are the same pointer, so comparing is free,
// identical layers of a model share everything, and the text is made once. Arithmetic is int64; what does not
// fit is the overflow value, which swallows whatever it meets (`overflowed()`), so that callers check once at
// the end instead of after each step.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/inline_vector.h"
#include "irplan/result.h"

namespace irplan {

class Dims;
struct ExprNode;
struct Atom;

using DimIndex = uint32_t;  // position of a dim in its pool

enum class Function : uint8_t { Min, Max, Ceildiv, Floordiv, Mod };
const char* name(Function function);

class Expr {
 public:
  Expr() = default;  // no expression; every other Expr comes from a pool
  explicit operator bool() const { return node_ != nullptr; }

  bool overflowed() const;   // exceeds 64 bits, or what a pool keeps
  bool sprawling() const;    // overflowed because of its length, depth or number
  bool is_constant() const;  // false for the overflow value
  int64_t constant() const;  // the constant term, 0 where there is none
  bool is(int64_t n) const { return is_constant() && constant() == n; }
  const std::string& text() const;  // the normal form; "overflow" for the overflow value
  uint32_t index() const;           // a dense number in the pool, for side tables

  const ExprNode& node() const { return *node_; }
  Dims& pool() const;

  friend bool operator==(Expr a, Expr b) { return a.node_ == b.node_; }

 private:
  friend class Dims;
  explicit Expr(const ExprNode* node) : node_(node) {}
  const ExprNode* node_ = nullptr;
};

// Extents of a tensor's axes, or strides of them.
using Shape = InlineVector<Expr, 4>;

struct Monomial {
  std::vector<const Atom*> factors;  // sorted by text
  std::string text;                  // "B*S"
  uint32_t index = 0;
};

struct Term {
  int64_t coefficient;
  const Monomial* monomial;  // the empty one for the constant term
  friend bool operator==(const Term&, const Term&) = default;
};

struct Atom {
  std::string text;
  std::optional<DimIndex> dim;  // a dim, or else
  Function function{};          // a function of two expressions
  Expr a, b;
  int depth = 0;  // functions in each other
  uint32_t index = 0;
  mutable Expr self;  // the atom as an expression, once it was asked for
};

struct ExprNode {
  std::vector<Term> terms;  // in normal order; no zero coefficient
  bool overflowed = false;
  mutable std::string text;
  uint32_t index = 0;
  Dims* pool = nullptr;
};

Expr operator+(Expr a, Expr b);
Expr operator-(Expr a, Expr b);
Expr operator*(Expr a, Expr b);
Expr operator+(Expr a, int64_t n);
Expr operator-(Expr a, int64_t n);
Expr operator*(Expr a, int64_t n);

// Numbers for dims, by DimIndex.
using Binding = std::vector<int64_t>;

// Inclusive bounds; kUnbounded stands for no upper bound.
struct Interval {
  static constexpr int64_t kUnbounded = INT64_MAX;
  int64_t lo = 0;
  int64_t hi = kUnbounded;
  bool contains(int64_t n) const { return lo <= n && n <= hi; }
  friend bool operator==(const Interval&, const Interval&) = default;
};
using Ranges = std::vector<Interval>;  // by DimIndex

enum class Truth { No, Yes, Unknown };
enum class Relation { LessEqual, GreaterEqual, Equal };

// As it reads from the other side: a <= b is b >= a.
constexpr Relation mirrored(Relation relation) {
  return relation == Relation::LessEqual      ? Relation::GreaterEqual
         : relation == Relation::GreaterEqual ? Relation::LessEqual
                                              : Relation::Equal;
}
const char* symbol(Relation relation);  // "<=", ">=", "=="
constexpr bool holds(int64_t a, Relation relation, int64_t b) {
  return relation == Relation::LessEqual ? a <= b : relation == Relation::GreaterEqual ? a >= b : a == b;
}

// Of counts and sizes; none where it exceeds 64 bits.
std::optional<int64_t> sum_of_products(std::initializer_list<std::pair<int64_t, int64_t>> parts);

// The pool. Expressions live as long as it does. Not thread-safe.
class Dims {
 public:
  static constexpr int kMaxTerms = 4096;               // a sum longer than this is the overflow value
  static constexpr int kMaxDegree = 64;                // factors of one monomial
  static constexpr size_t kMaxText = 1 << 20;          // bytes of text that parse() accepts
  static constexpr int kMaxFunctions = 64;             // in each other
  static constexpr size_t kMaxProduct = 1 << 14;       // bytes of text of one monomial
  static constexpr size_t kMaxKept = size_t{1} << 28;  // bytes of all expressions
  static constexpr size_t kMaxWork = size_t{1} << 30;  // bytes of text and terms that were put together

  Dims();
  Dims(const Dims&) = delete;
  Dims& operator=(const Dims&) = delete;

  Expr constant(int64_t n);
  Expr overflow() const { return overflow_; }
  Expr dim(std::string_view name);  // makes the dim where it is new
  std::optional<DimIndex> find(std::string_view name) const;
  const std::string& dim_name(DimIndex dim) const { return dim_names_[dim]; }
  size_t dim_count() const { return dim_names_.size(); }
  size_t expr_count() const { return nodes_.size(); }

  Expr add(Expr a, Expr b);
  Expr sub(Expr a, Expr b);
  Expr mul(Expr a, Expr b);
  Expr min(Expr a, Expr b) { return call(Function::Min, a, b); }
  Expr max(Expr a, Expr b) { return call(Function::Max, a, b); }
  Expr ceildiv(Expr a, Expr b) { return call(Function::Ceildiv, a, b); }
  Expr floordiv(Expr a, Expr b) { return call(Function::Floordiv, a, b); }
  Expr mod(Expr a, Expr b) { return call(Function::Mod, a, b); }
  // Folded and normalised. Division by a constant that is not positive is the overflow value.
  Expr call(Function function, Expr a, Expr b);
  // The least multiple of `alignment` (a power of two) that is at least `bytes`.
  Expr align(Expr bytes, int64_t alignment);
  Expr product(const Shape& factors);
  // a / b where b divides a for every binding, by polynomial division; none where that cannot be shown.
  std::optional<Expr> divide_exactly(Expr a, Expr b);
  // `e` with the dim replaced by an expression.
  Expr substitute(Expr e, DimIndex dim, Expr with);

  // Reads the normal form (grammar in plan.md). Fails where the text is not of the grammar, not in normal
  // form, or names a dim that is not in the pool.
  Result<Expr> parse(std::string_view text);

 private:
  friend class Expr;
  const Atom* dim_atom(DimIndex dim);
  const Atom* function_atom(Function function, Expr a, Expr b);
  Expr function_of(Function function, Expr a, Expr b);
  bool afford(size_t bytes);  // counts work; false where it is too much
  bool keep(size_t bytes);    // counts what the pool holds; likewise
  // Null where it would be too long; the same holds of the next two.
  const Monomial* monomial(std::vector<const Atom*> factors);
  const Monomial* multiply(const Monomial* a, const Monomial* b);
  Expr intern(std::vector<Term> sorted_terms);
  Expr from_atom(const Atom* atom);
  Expr combine(Expr a, Expr b, int64_t sign);

  struct TermsHash {
    size_t operator()(const std::vector<Term>* terms) const;
  };
  struct TermsEqual {
    bool operator()(const std::vector<Term>* a, const std::vector<Term>* b) const { return *a == *b; }
  };

  std::vector<std::string> dim_names_;
  std::unordered_map<std::string, DimIndex> dim_by_name_;
  std::deque<Atom> atoms_;
  std::unordered_map<std::string, const Atom*> atom_by_text_;
  std::deque<Monomial> monomials_;
  std::unordered_map<std::string, const Monomial*> monomial_by_text_;
  std::unordered_map<uint64_t, const Monomial*> products_;  // pairs of monomial indices
  std::deque<ExprNode> nodes_;
  std::unordered_map<const std::vector<Term>*, const ExprNode*, TermsHash, TermsEqual> node_by_terms_;
  std::unordered_map<int64_t, Expr> constants_;
  std::unordered_map<uint64_t, Expr> sums_, differences_, multiples_;  // pairs of expression indices
  const Monomial* one_ = nullptr;
  Expr overflow_, sprawl_;
  size_t kept_ = 0, work_ = 0;  // bytes
};

// ------------------------------------------------------------------------------------------------ numbers

// Evaluates expressions of one pool at one binding; each distinct expression once.
class Evaluator {
 public:
  Evaluator(const Dims& dims, Binding binding);
  // None where the value exceeds int64, a divisor is not positive, or a dim is not bound.
  std::optional<int64_t> operator()(Expr e);
  const Binding& binding() const { return binding_; }

 private:
  std::optional<int64_t> atom(const Atom& atom);
  Binding binding_;
  std::vector<int64_t> values_;  // by Expr::index
  std::vector<uint8_t> known_;   // 0 not yet, 1 known, 2 has no value
};

std::optional<int64_t> evaluate(Expr e, const Binding& binding);

// ------------------------------------------------------------------------------------------------ facts over
// ranges

// The least interval that term-wise interval arithmetic proves; lo may be INT64_MIN where nothing is known.
Interval bounds(Expr e, const Ranges& ranges);
// Decides a relation by intervals of the difference, then by its values at monotone endpoints.
// `looks`: how many endpoints were tried, for who counts what it costs.
Truth decide(Expr a, Relation relation, Expr b, const Ranges& ranges, int* looks = nullptr);
// True where e provably never falls as the dim rises, the others fixed.
bool non_decreasing(Expr e, DimIndex dim, const Ranges& ranges);
// `e` with each function that the ranges settle as what it is there: min(S, 8) of an S in 1..4 as S.
Expr resolved(Expr e, const Ranges& ranges);
// The dims that occur in e, each once, ascending.
std::vector<DimIndex> dims_of(Expr e);
bool contains(const std::vector<DimIndex>& dims, DimIndex dim);

}  // namespace irplan
