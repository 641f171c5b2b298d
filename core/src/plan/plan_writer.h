// A plan's records as JSON text: keys in the order of fields.h, `, ` and `: ` between, shortest-form numbers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/text_writer.h"
#include "plan/fields.h"

namespace irplan {

class PlanWriter {
 public:
  static constexpr bool kReads = false;
  using Note = plan_fields::Note;

  PlanWriter(const Plan& plan, size_t expected) : plan_(plan), out_(expected) {}

  std::string take() { return out_.take(); }

  // The whole file: a line for each record of a list, and for each other key that is no text.
  void file() {
    out_ += "{\n";
    at_top_ = true;
    plan_fields::fields(*this, plan_);
    out_ += "\n}\n";
  }

  // Before `file`: values, buffers and ops are not wanted.
  void leave_out_records() { records_ = false; }

  // ---- a walker of fields.h
  void record(const char*, const char*) {}
  void needs(const char*, const char*, std::initializer_list<const char*>) {}
  template <class T>
  void always(const char* key, const T& x, const Note& = {}) {
    if (is_record_list<T> && at_top_ && !records_) return;
    if (!first_) out_ += at_top_ && !std::is_same_v<T, std::string> ? ",\n" : ", ";
    first_ = false;
    out_ += '"', out_ += key, out_ += "\": ";
    put(x);
  }
  template <class T>
  void added(const char* key, const T& x, const Note& = {}) {
    always(key, x);
  }
  template <class T>
  void nullable(const char* key, const T& x, const Note& = {}) {
    plan_fields::is_set(x) ? always(key, x) : always(key, nullptr);
  }
  template <class T>
  void set(const char* key, const T& x, const Note& = {}) {
    if (plan_fields::is_set(x)) always(key, x);
  }
  template <class T>
  void only(bool where, const char* key, const T& x, const Note& = {}) {
    if (where) always(key, x);
  }

  // ---- what a key holds
  void put(std::nullptr_t) { out_ += "null"; }
  void put(bool x) { out_ += x ? "true" : "false"; }
  void put(int64_t x) { out_.number(x); }
  void put(uint32_t x) { put(static_cast<int64_t>(x)); }
  void put(double x) { out_ += nlohmann::ordered_json(x).dump(); }
  void put(const std::string& x) { out_.quote(x); }
  void put(Expr x) { out_ += '"', out_ += x.text(), out_ += '"'; }
  void put(DType x) { out_.quote(name(x)); }
  void put(const OpRow* x) { out_.quote(x->name); }
  void put(const Attr& x);
  template <class E>
  requires std::is_enum_v<E>
  void put(E x) { out_ += '"', out_ += plan_fields::Words<E>::kAll[static_cast<size_t>(x)], out_ += '"'; }
  template <class T>
  void put(const std::optional<T>& x) {
    x ? put(*x) : put(nullptr);
  }
  template <class A, class B>
  void put(const std::pair<A, B>& x) {
    out_ += '[', put(x.first), out_ += ", ", put(x.second), out_ += ']';
  }
  void put(const Shape& x) { list(x); }
  template <class T>
  void put(const std::vector<T>& x) {
    list(x);
  }
  void put(const Plan::Sizes& x) {
    out_ += '{';
    for (size_t i = 0; i < x.size(); ++i)
      out_ += i ? ", " : "", put(x[i].first), out_ += ": ", put(x[i].second);
    out_ += '}';
  }
  template <class T>
  void put(const plan_fields::Ref<T>& x) {
    out_.quote(id(x.to, x.index));
  }
  template <class T>
  void put(const plan_fields::Refs<T>& x) {
    out_ += '[';
    for (size_t i = 0; i < x.indices.size(); ++i) {
      if (i) out_ += ", ";
      x.indices[i] == kAbsent ? void(out_ += "\"\"") : out_.quote(id(x.to, x.indices[i]));
    }
    out_ += ']';
  }
  template <class T>
  void put(const plan_fields::Span<T>& x) {
    out_ += '[', put(x.begin), out_ += ", ", put(x.end), out_ += ']';
  }
  template <class E, class R>
  void put(const plan_fields::Comparison<E, R>& x) {
    out_ += '"', out_ += x.left.text(), out_ += ' ', out_ += symbol(x.relation), out_ += ' ';
    out_ += x.right.text(), out_ += '"';
  }
  template <class T>
  void put(const plan_fields::ByName<T>& x) {
    out_ += '{';
    for (size_t i = 0; i < x.records.size(); ++i)
      out_ += i ? ", " : "", put(x.records[i].name), out_ += ": ", put(x.records[i]);
    out_ += '}';
  }
  template <class T>
  void put(const plan_fields::DimPair<T>& x) {
    out_ += '[', put(x.first), out_ += ", ", put(x.second), out_ += ']';
  }
  template <class O>
  void put(const plan_fields::Attributes<O>& x) {
    attributes(x.op);
  }
  template <class T>
  void put(const plan_fields::Verbatim<T>& x) {
    out_ += x.json;
  }
  // A record.
  template <class R>
  requires std::is_class_v<R>
  void put(const R& x) {
    out_ += '{';
    const bool at_top = std::exchange(at_top_, false);
    first_ = true;
    plan_fields::fields(*this, x);
    first_ = false;
    at_top_ = at_top;
    out_ += '}';
  }

 private:
  template <class T>
  static constexpr bool is_record_list =
      std::is_same_v<T, std::vector<Plan::Value>> || std::is_same_v<T, std::vector<Plan::Buffer>> ||
      std::is_same_v<T, std::vector<Plan::Op>>;

  template <class List>
  void list(const List& x) {
    if (at_top_) return lines(x);
    out_ += '[';
    for (size_t i = 0; i < x.size(); ++i) out_ += i ? ", " : "", put(x[i]);
    out_ += ']';
  }
  template <class List>
  void lines(const List& x) {
    out_ += '[';
    for (size_t i = 0; i < x.size(); ++i) out_ += i ? ",\n  " : "\n  ", put(x[i]);
    out_ += x.empty() ? "]" : "\n]";
  }
  void attributes(const Plan::Op& op);
  const std::string& id(plan_fields::To to, uint32_t index) const {
    return to == plan_fields::To::Values ? plan_.values[index].id : plan_.buffers[index].id;
  }

  const Plan& plan_;
  TextWriter out_;
  bool first_ = true;    // no key of the record has been written yet
  bool records_ = true;  // values, buffers and ops are written
  bool at_top_ = false;  // in the plan itself, not in a record of it
};

}  // namespace irplan
