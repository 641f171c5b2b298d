// Writes plan.json: the contract's keys in their order, a line for each record.
#include "plan/plan_writer.h"

namespace irplan {

void PlanWriter::put(const Attr& a) {
  if (a.is_none()) return put(nullptr);
  if (const auto* b = a.get<bool>()) return put(*b);
  if (const auto* n = a.get<int64_t>()) return put(*n);
  if (const auto* d = a.get<double>()) return put(*d);
  if (const auto* s = a.get<std::string>()) return put(*s);
  if (const auto* t = a.get<DType>()) return put(*t);
  if (const Expr e = a.expr()) return put(e);
  const auto* record = a.record();
  bool first = true;
  out_ += record ? '{' : '[';
  const auto next = [&] { out_ += std::exchange(first, false) ? "" : ", "; };
  if (record) {
    for (const auto& [key, item] : *record) next(), put(key), out_ += ": ", put(item);
  } else {
    for (const Attr& item : a.list()) next(), put(item);
  }
  out_ += record ? '}' : ']';
}

void PlanWriter::attributes(const Plan::Op& op) {
  out_ += '{';
  bool first = true;
  for (size_t i = 0; i < op.row->attributes.size(); ++i) {
    const AttrSpec& spec = op.row->attributes[i];
    const Attr& a = op.attrs.values()[i];
    if (spec.implicit && (a.is_none() || a == Attr(false))) continue;
    out_ += std::exchange(first, false) ? "\"" : ", \"";
    out_ += spec.name, out_ += "\": ";
    put(a);
  }
  out_ += '}';
}

std::string write_plan(const Plan& plan) {
  constexpr size_t kRecordBytes = 320;  // of an op or a value with its buffer, in models
  PlanWriter writer(plan, kRecordBytes * (plan.ops.size() + plan.values.size()) + 4096);
  writer.file();
  return writer.take();
}

std::string write_outline(const Plan& plan) {
  PlanWriter writer(plan, 4096);
  writer.leave_out_records();
  writer.file();
  return writer.take();
}

}  // namespace irplan
