// Records in words, and what two of them differ in.
#include <cstdio>

#include "runtime/schedule.h"

namespace irplan {
namespace {

const char* name(MemorySegment segment) {
  constexpr const char* kNames[] = {"inputs", "weights", "state", "arena", "loading", "constants"};
  return segment == MemorySegment::None ? "none" : kNames[static_cast<int>(segment)];
}

std::string text(const Tensor& t) {
  if (t.segment == MemorySegment::None) return "";
  std::string out = std::string(name(t.segment)) + "+" + std::to_string(t.offset) + " " + name(t.dtype) + "[";
  for (int i = 0; i < t.rank; ++i) out += (i ? ", " : "") + std::to_string(t.shape[i]);
  out += "]";
  if (t.dense()) return out;
  out += "/[";
  for (int i = 0; i < t.rank; ++i) out += (i ? ", " : "") + std::to_string(t.stride[i]);
  return out + "]";
}

std::string text(const Table& t) { return t.place < 0 ? "" : "#" + std::to_string(t.place); }

std::string text(const Scratch& s) {
  return s.segment == MemorySegment::None ? ""
                                          : std::string(name(s.segment)) + "+" + std::to_string(s.offset);
}

std::string text(float x) {
  char out[32];
  std::snprintf(out, sizeof out, "%.9g", static_cast<double>(x));
  return out;
}
std::string text(bool x) { return x ? "yes" : "no"; }
std::string text(int64_t x) { return std::to_string(x); }
std::string text(int32_t x) { return std::to_string(x); }
std::string text(Unary x) { return std::to_string(static_cast<int>(x)); }
std::string text(Binary x) { return std::to_string(static_cast<int>(x)); }
std::string text(Reduce x) { return std::to_string(static_cast<int>(x)); }
std::string text(const DataFault*) { return ""; }

using Fields = std::vector<std::pair<std::string, std::string>>;

Fields fields(const Record& record) {
  Fields out;
  Call call = record.call;
  std::visit(
      [&](auto& c) { c.each([&](const char* field, auto& value) { out.emplace_back(field, text(value)); }); },
      call);
  return out;
}

std::string text(const ControlSlot& slot) {
  switch (slot.role) {
    case ControlSlot::Role::Value: return slot.a.text();
    case ControlSlot::Role::Rows: return slot.a.text() + ", of rows";
    case ControlSlot::Role::Reach: return slot.a ? slot.a.text() : "without limit";
    case ControlSlot::Role::Slot: return "the slot";
    case ControlSlot::Role::First: break;
  }
  return slot.a.text() + " + " + slot.b.text() + " - (" + slot.c.text() + ")";
}

}  // namespace

std::string text(const Plan& plan, const Record& record) {
  const Plan::Op& op = plan.ops[record.op];
  std::string out = op.id + "  " + (record.kernel ? record.kernel->name() : op.kernel);
  for (const auto& [field, value] : fields(record)) {
    const bool quiet = value.empty() || value == "no" || value == "0" || field == "op" ||
                       field == "function" || field == "what";
    if (!quiet) out += "  " + field + "=" + value;
  }
  return out;
}

std::string text(const Plan& plan, const Schedule& schedule) {
  std::string out;
  for (size_t i = 0; i < schedule.records.size(); ++i) {
    std::string number = std::to_string(i);
    number.insert(0, number.size() < 4 ? 4 - number.size() : 0, ' ');
    out += number + "  " + text(plan, schedule.records[i]) + "\n";
  }
  for (const ControlSlot& slot : schedule.slots) {
    out += "  #" + std::to_string(slot.place) + "  " + text(slot) + ", of " + std::to_string(slot.sequences) +
           (slot.sequences == 1 ? " sequence\n" : " sequences\n");
  }
  if (!schedule.fixed_slots.empty())
    out += "  slots are fixed: ops " + schedule.fixed_slots + " reads a state row by row\n";
  out += std::to_string(schedule.records.size()) + " records, " + std::to_string(schedule.control_count) +
         " control numbers; ";
  if (schedule.capturable()) return out + "capturable: one schedule serves every position\n";
  out += "not capturable:\n";
  for (const Obstacle& o : schedule.obstacles) out += "  " + o.where + ": " + o.what + " moves\n";
  return out;
}

std::string difference(const Record& a, const Record& b) {
  if (a.op != b.op) return "op";
  if (a.kernel != b.kernel) return "kernel";
  if (a.call.index() != b.call.index()) return "call";
  const Fields left = fields(a), right = fields(b);
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] != right[i]) return left[i].first + ": " + left[i].second + " and " + right[i].second;
  }
  return "";
}

std::string text(const DataFault& fault, const FaultNames& names) {
  const std::string found = std::to_string(fault.found), place = std::to_string(fault.place),
                    limit = std::to_string(fault.limit);
  if (names.expert) {
    return "ops " + names.op + ": expert " + found + " at place " + place + " of " + names.element +
           " is none of the " + limit + " of " + names.table;
  }
  return "ops " + names.op + ": id " + found + " at place " + place + " of " + names.element +
         " is outside of the " + limit + " rows of " + names.table;
}

}  // namespace irplan
