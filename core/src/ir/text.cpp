// The dump of a graph between two passes.
#include <cstdio>

#include "ir/elaborate.h"

namespace irplan {
namespace {

std::string show(const Attr& attr) {
  if (const auto* b = attr.get<bool>()) return *b ? "true" : "false";
  if (const auto* n = attr.get<int64_t>()) return std::to_string(*n);
  if (const auto* d = attr.get<double>()) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.9g", *d);
    return buffer;
  }
  if (const auto* s = attr.get<std::string>()) return '"' + *s + '"';
  if (const auto* t = attr.get<DType>()) return name(*t);
  if (const Expr e = attr.expr()) return e.text();
  if (attr.record()) return "{…}";
  if (attr.is_none()) return "none";
  std::string out = "[";
  for (const Attr& item : attr.list()) out += (out.size() > 1 ? ", " : "") + show(item);
  return out + "]";
}

std::string typed(const Graph& graph, ValueId id) {
  const Value& value = graph.values[id];
  std::string out = value.id;
  if (!value.type.shape.empty()) out += ": " + text(value.type);
  return out;
}

const char* kind_name(ValueKind kind) {
  constexpr const char* kNames[] = {"input", "param", "state", "folded", "temp"};
  return kNames[static_cast<int>(kind)];
}

}  // namespace

std::string to_text(const Graph& graph) {
  std::string out;
  for (const Dim& dim : graph.dim_list) {
    out += "dim " + dim.name + (dim.per.empty() ? "" : "[" + dim.per + "]") + " in " +
           std::to_string(dim.range.lo) + ".." +
           (dim.range.hi == Interval::kUnbounded ? "" : std::to_string(dim.range.hi)) + "\n";
  }
  for (const Guard& guard : graph.guards) {
    const Constraint& c = guard.constraint;
    out += "guard " + irplan::text(c);
    out += (guard.phase == kNoPhase ? "" : " in " + graph.phases[guard.phase].name) +
           (guard.budget ? " (budget)" : "") + "\n";
  }
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    const Value& value = graph.values[id];
    if (value.kind != ValueKind::Temp && value.kind != ValueKind::Folded) {
      out += std::string(kind_name(value.kind)) + " " + typed(graph, id) +
             (value.layout == Layout::Ring ? " ring" : "") + "\n";
    }
  }
  uint32_t phase = kNoPhase;
  for (const Op& op : graph.ops) {
    if (op.phase != phase) {
      phase = op.phase;
      out += "\nphase " + (phase == kLoadPhase ? std::string("load") : graph.phases[phase].name) + "\n";
    }
    out += "  ";
    for (size_t i = 0; i < op.out.size(); ++i) out += (i ? ", " : "") + typed(graph, op.out[i]);
    out += " = " + std::string(op.row->name) + "(";
    bool first = true;
    for (const ValueId id : op.in) {
      out += (first ? "" : ", ") + (id == kNone ? std::string("none") : graph.values[id].id);
      first = false;
    }
    for (size_t i = 0; i < op.attrs.values().size(); ++i) {
      const AttrSpec& spec = op.row->attributes[i];
      if (spec.implicit && (op.attrs.values()[i].is_none() || op.attrs.values()[i] == Attr(false))) continue;
      out += (first ? "" : ", ") + std::string(spec.name) + "=" + show(op.attrs.values()[i]);
      first = false;
    }
    out += ")\n";
  }
  for (const Value& value : graph.values) {
    if (value.buffer == kNone) continue;
    out += "window " + value.id + " in " + graph.buffers[value.buffer].id;
    if (value.offset && !value.offset.is(0)) out += " +" + value.offset.text();
    out += "\n";
  }
  for (const Buffer& buffer : graph.buffers) {
    if (buffer.segment != Segment::Arena) continue;
    out += "buffer " + buffer.id + " [" + std::to_string(buffer.live_begin) + ", " +
           std::to_string(buffer.live_end) + ") " + buffer.bytes.text() + " bytes";
    for (size_t i = 0; i < buffer.above.size(); ++i)
      out += (i ? ", " : " above ") + graph.buffers[buffer.above[i]].id;
    out += "\n";
  }
  return out;
}

}  // namespace irplan
