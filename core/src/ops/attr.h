// Attribute values of operators: what a program writes by keyword and a plan stores under "attrs".
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dims/expr.h"
#include "irplan/dtype.h"

namespace irplan {

struct Attr;
using AttrList = std::vector<Attr>;
using AttrRecord = std::vector<std::pair<std::string, Attr>>;

// One value. Lists and records are shared and never change.
struct Attr {
  std::variant<std::monostate, bool, int64_t, double, std::string, DType, Expr,
               std::shared_ptr<const AttrList>, std::shared_ptr<const AttrRecord>>
      value;

  Attr() = default;  // none
  template <class T>
  explicit Attr(T v) : value(std::move(v)) {}

  bool is_none() const { return value.index() == 0; }
  template <class T>
  const T* get() const {
    return std::get_if<T>(&value);
  }

  bool boolean() const { return get<bool>() && *get<bool>(); }
  // int64 or double as a double; 0 for anything else.
  double number() const;
  // The integer; `otherwise` for anything else.
  int64_t integer(int64_t otherwise = 0) const { return get<int64_t>() ? *get<int64_t>() : otherwise; }
  Expr expr() const { return get<Expr>() ? *get<Expr>() : Expr(); }
  const AttrList& list() const;      // empty for anything else
  const AttrRecord* record() const;  // null for anything else
  std::string word() const { return get<std::string>() ? *get<std::string>() : std::string(); }

  static Attr of(AttrList list) { return Attr(std::make_shared<const AttrList>(std::move(list))); }
  static Attr of(AttrRecord record) { return Attr(std::make_shared<const AttrRecord>(std::move(record))); }
  static Attr of(const Shape& extents);
};
bool operator==(const Attr& a, const Attr& b);  // floats by their bits: 0.0 is not -0.0

// The record's entry, or null where it lacks the key or holds none there.
const Attr* find(const AttrRecord& record, std::string_view key);

}  // namespace irplan
