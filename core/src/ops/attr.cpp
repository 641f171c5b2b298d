#include "ops/attr.h"

#include <cstring>

namespace irplan {

double Attr::number() const {
  if (const auto* n = get<int64_t>()) return static_cast<double>(*n);
  if (const auto* d = get<double>()) return *d;
  return 0;
}

const AttrList& Attr::list() const {
  static const AttrList empty;
  const auto* shared = get<std::shared_ptr<const AttrList>>();
  return shared && *shared ? **shared : empty;
}

const AttrRecord* Attr::record() const {
  const auto* shared = get<std::shared_ptr<const AttrRecord>>();
  return shared ? shared->get() : nullptr;
}

Attr Attr::of(const Shape& extents) {
  AttrList list;
  list.reserve(extents.size());
  for (const Expr extent : extents) list.emplace_back(extent);
  return of(std::move(list));
}

bool operator==(const Attr& a, const Attr& b) {
  if (a.value.index() != b.value.index()) return false;
  if (a.get<std::shared_ptr<const AttrList>>()) return a.list() == b.list();
  if (const AttrRecord* record = a.record()) return b.record() && *record == *b.record();
  // By bits: -0 is not 0, and a NaN is itself. (libc++ 14 has no bit_cast.)
  if (const auto* x = a.get<double>())
    return std::memcmp(x, b.get<double>(), sizeof *x) == 0;  // NOLINT(bugprone-suspicious-memory-comparison)
  return a.value == b.value;
}

const Attr* find(const AttrRecord& record, std::string_view key) {
  for (const auto& [name, value] : record) {
    if (name == key) return value.is_none() ? nullptr : &value;
  }
  return nullptr;
}

}  // namespace irplan
