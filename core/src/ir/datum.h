// What an expression is worth while a program is elaborated: a compile-time value, a dim expression, or a
// tensor.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dims/expr.h"
#include "ir/config.h"
#include "ir/graph.h"
#include "irplan/dtype.h"

namespace irplan {

namespace syntax {
struct Expr;
}
struct DatumList;
struct DatumRecord;

// An error was reported; whatever meets it stays silent.
struct Poison {};
// A key or index that is not there: an error unless `??` follows.
struct Missing {
  const ConfigNode* record = nullptr;   // of a config, where it is one
  const syntax::Expr* at = nullptr;     // the field or index that is not there
  const syntax::Expr* whole = nullptr;  // what asked for it: config.a.b, even where a is missing
};
struct Tensors {
  Ids ids;  // several of an op with several results
};

struct Datum {
  std::variant<Poison, std::monostate, Missing, bool, int64_t, double, std::string, DType, Expr,
               const ConfigNode*, std::shared_ptr<const DatumList>, std::shared_ptr<const DatumRecord>,
               Tensors>
      value = Poison{};
  // For messages: the config's value that it is, or of a float, that it was reckoned from.
  const ConfigNode* origin = nullptr;

  Datum() = default;
  template <class T>
  explicit Datum(T v) : value(std::move(v)) {}
  static Datum none() { return Datum(std::monostate{}); }
  static Datum tensor(ValueId id) { return Datum(Tensors{{id}}); }

  template <class T>
  const T* get() const {
    return std::get_if<T>(&value);
  }
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(value);
  }

  bool poisoned() const { return is<Poison>(); }
  bool is_none() const { return is<std::monostate>(); }
  bool missing() const { return is<Missing>(); }
  bool is_tensor() const { return is<Tensors>(); }
  bool is_number() const { return is<int64_t>() || is<double>(); }
  bool is_extent() const { return is<int64_t>() || is<Expr>(); }
  double number() const { return is<int64_t>() ? static_cast<double>(*get<int64_t>()) : *get<double>(); }
  ValueId tensor() const { return get<Tensors>()->ids.front(); }
};

// Values in values: `depth` counts the levels, so that whoever descends them knows that there are few.
struct DatumList : std::vector<Datum> {
  int depth = 1;
};
struct DatumRecord : std::vector<std::pair<std::string, Datum>> {
  int depth = 1;
};
// Levels of lists and records in it: 0 for a number.
int depth_of(const Datum& datum);

// "an integer", "a string", …
const char* kind_name(const Datum& datum);
// The value as a message shows it: 3, "abc", [1, 2], none; cut when long.
std::string show(const Datum& datum);
std::string show(const ConfigNode& node);  // as it is written in the config
// Equality of compile-time values; a dtype equals its name and its config spelling. Counts what it compares
// in `steps`, and gives up (false) beyond `most`: a value that holds another twice, sixty levels deep, has
// 2^60 parts.
bool equal(const Datum& a, const Datum& b, size_t& steps, size_t most);
// The dtype that it is or names, as "bfloat16" does.
std::optional<DType> as_dtype(const Datum& datum);

// ln x for finite x > 0, by the same additions and multiplications on every machine (libm differs between
// them).
double portable_log(double x);
// The number of `dtype` nearest to x, ties to even.
double round_to(double x, DType dtype);

}  // namespace irplan
