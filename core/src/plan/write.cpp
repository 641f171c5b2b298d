// Writes plan.json: the contract's keys in their order, a line for each record.
#include <nlohmann/json.hpp>

#include "base/text_writer.h"
#include "plan/plan.h"

namespace irplan {
namespace {

constexpr const char* kKinds[] = {"input", "param", "state", "folded", "temp"};
constexpr const char* kSegments[] = {"inputs", "weights", "state", "arena"};
constexpr const char* kStrengths[] = {"portfolio", "exact", "limited"};
constexpr const char* kLayouts[] = {"", "contiguous", "ring"};

class Writer {
 public:
  explicit Writer(const Plan& plan)
      : plan_(plan), out_(kRecordBytes * (plan.ops.size() + plan.values.size()) + 4096) {}

  std::string run() {
    out_ += "{\n\"version\": ";
    text(plan_.version);
    out_ += ", \"producer\": ";
    text(plan_.producer);
    out_ += ",\n\"source\": {\"file\": ";
    text(plan_.source_file);
    out_ += ", \"sha256\": ";
    text(plan_.source_sha256);
    out_ += ", \"config_sha256\": ";
    plan_.config_sha256.empty() ? void(out_ += "null") : text(plan_.config_sha256);
    out_ += "},\n\"target\": {\"name\": ";
    text(plan_.target);
    out_ += ", \"arch\": ";
    text(plan_.arch);
    out_ += ", \"align\": " + std::to_string(plan_.align) + "},\n";
    list("dims", plan_.dims, [&](const Plan::Dim& d) { dim(d); });
    list("guards", plan_.guards, [&](const Plan::Guard& g) { guard(g); });
    list("phases", plan_.phases, [&](const Plan::Phase& p) { phase(p); });
    list("outputs", plan_.outputs, [&](const Plan::Output& o) { output(o); });
    list("values", plan_.values, [&](const Plan::Value& v) { value(v); });
    list("buffers", plan_.buffers, [&](const Plan::Buffer& b) { buffer(b); });
    list("ops", plan_.ops, [&](const Plan::Op& o) { op(o); });
    memory();
    list("budget", plan_.budget, [&](const Plan::Budget& b) { budget(b); });
    out_ += "\"diagnostics\": " + plan_.diagnostics + "\n}\n";
    return out_.take();
  }

 private:
  static constexpr size_t kRecordBytes = 320;  // of an op or a value with its buffer, in models

  template <class Records, class Record>
  void list(const char* key, const Records& records, Record record) {
    out_ += '"';
    out_ += key;
    out_ += "\": [";
    bool first = true;
    for (const auto& r : records) {
      out_ += first ? "\n  {" : ",\n  {";
      first = false;
      record(r);
      out_ += '}';
    }
    out_ += first ? "],\n" : "\n],\n";
  }

  void text(const std::string& s) { out_.quote(s); }
  void expr(Expr e) { out_ += '"', out_ += e.text(), out_ += '"'; }
  void number(double d) { out_ += nlohmann::json(d).dump(); }
  void key(const char* k) { out_ += ", \"", out_ += k, out_ += "\": "; }
  void texts(const std::vector<std::string>& list) {
    out_ += '[';
    for (size_t i = 0; i < list.size(); ++i) out_ += i ? ", " : "", text(list[i]);
    out_ += ']';
  }
  template <class Get>
  void ids(const Plan::Ids& list, Get get) {
    out_ += '[';
    for (size_t i = 0; i < list.size(); ++i) {
      if (i) out_ += ", ";
      list[i] == kAbsent ? void(out_ += "\"\"") : text(get(list[i]));
    }
    out_ += ']';
  }
  void exprs(const Shape& list) {
    out_ += '[';
    for (size_t i = 0; i < list.size(); ++i) out_ += i ? ", " : "", expr(list[i]);
    out_ += ']';
  }

  void dim(const Plan::Dim& d) {
    out_ += "\"name\": ";
    text(d.name);
    out_ += ", \"min\": " + std::to_string(d.min) +
            ", \"max\": " + (d.max ? std::to_string(*d.max) : "null") +
            ", \"value\": " + std::to_string(d.value);
    if (d.assumed) out_ += ", \"assumed\": true";
    if (!d.per.empty()) key("per"), text(d.per);
  }
  void guard(const Plan::Guard& g) {
    out_ += "\"expr\": \"" + g.left.text() + " " + symbol(g.relation) + " " + g.right.text() +
            "\", \"line\": " + std::to_string(g.line);
    if (!g.phase.empty()) key("phase"), text(g.phase);
    if (g.budget) out_ += ", \"budget\": true";
  }
  void phase(const Plan::Phase& p) {
    out_ += "\"name\": ";
    text(p.name);
    out_ += ", \"dims\": {";
    for (size_t i = 0; i < p.dims.size(); ++i) {
      const auto& d = p.dims[i];
      if (i) out_ += ", ";
      text(d.name);
      out_ += ": {\"min\": " + std::to_string(d.min) +
              ", \"max\": " + (d.max ? std::to_string(*d.max) : "null") +
              ", \"value\": " + std::to_string(d.value) + "}";
    }
    out_ += "}, \"ops\": [" + std::to_string(p.ops_begin) + ", " + std::to_string(p.ops_end) +
            "], \"peak_bytes\": " + std::to_string(p.peak_bytes);
    key("peak"), p.peak ? expr(*p.peak) : void(out_ += "null");
    key("flops"), expr(p.flops);
    key("bytes"), expr(p.bytes);
    if (!p.peak_op.empty()) key("peak_op"), text(p.peak_op);
    if (!p.at_peak.empty()) key("at_peak"), at_peak(p.at_peak);
    const Plan::Tokens& t = p.tokens;
    out_ += ", \"tokens\": {\"a_step\": " + std::to_string(t.a_step) +
            ", \"arena_bytes_each\": " + std::to_string(t.arena_bytes_each) +
            ", \"state_bytes_each\": " + std::to_string(t.state_bytes_each) +
            ", \"ring_bytes_each_sequence\": " + std::to_string(t.ring_bytes_each_sequence) + "}";
  }
  void at_peak(const std::vector<Plan::AtPeak>& all) {
    for (size_t i = 0; i < all.size(); ++i) {
      out_ += i ? ", {\"buffer\": " : "[{\"buffer\": ";
      text(all[i].buffer);
      out_ +=
          ", \"bytes\": " + std::to_string(all[i].bytes) + ", \"line\": " + std::to_string(all[i].line) + "}";
    }
    out_ += ']';
  }
  void output(const Plan::Output& o) {
    out_ += "\"name\": ";
    text(o.name);
    key("value"), text(plan_.values[o.value].id);
    key("phase"), text(o.phase);
  }
  void value(const Plan::Value& v) {
    out_ += "\"id\": ";
    text(v.id);
    key("kind"), text(kKinds[static_cast<int>(v.kind)]);
    if (!v.phase.empty()) key("phase"), text(v.phase);
    key("dtype"), text(name(v.dtype));
    key("shape"), exprs(v.shape);
    key("buffer"), text(plan_.buffers[v.buffer].id);
    if (v.offset) key("offset"), expr(*v.offset);
    if (v.strides) key("strides"), exprs(*v.strides);
    if (!v.of.empty())
      key("of"), ids(v.of, [&](uint32_t i) -> const std::string& { return plan_.values[i].id; });
    if (!v.source.empty()) key("source"), text(v.source);
    if (v.layout != Plan::Layout::None) key("layout"), text(kLayouts[static_cast<int>(v.layout)]);
    if (v.packed) key("layout"), text(v.packed->name);
    if (v.capacity) key("capacity"), expr(*v.capacity);
  }
  void buffer(const Plan::Buffer& b) {
    out_ += "\"id\": ";
    text(b.id);
    key("segment"), text(kSegments[static_cast<int>(b.segment)]);
    if (!b.phase.empty()) key("phase"), text(b.phase);
    key("bytes"), expr(b.bytes);
    if (b.segment != Plan::Segment::Arena) return;
    out_ += ", \"live\": [" + std::to_string(b.live_begin) + ", " + std::to_string(b.live_end) + "]";
    key("above"), ids(b.above, [&](uint32_t i) -> const std::string& { return plan_.buffers[i].id; });
    out_ += ", \"offset\": " + std::to_string(b.offset);
  }
  void attr(const Attr& a) {
    if (a.is_none())
      out_ += "null";
    else if (const auto* b = a.get<bool>())
      out_ += *b ? "true" : "false";
    else if (const auto* n = a.get<int64_t>())
      out_ += std::to_string(*n);
    else if (const auto* d = a.get<double>())
      number(*d);
    else if (const auto* s = a.get<std::string>())
      text(*s);
    else if (const auto* t = a.get<DType>())
      text(name(*t));
    else if (const Expr e = a.expr())
      expr(e);
    else if (const auto* record = a.record()) {
      out_ += '{';
      for (size_t i = 0; i < record->size(); ++i) {
        if (i) out_ += ", ";
        text((*record)[i].first);
        out_ += ": ";
        attr((*record)[i].second);
      }
      out_ += '}';
    } else {
      out_ += '[';
      bool first = true;
      for (const Attr& item : a.list()) out_ += first ? "" : ", ", first = false, attr(item);
      out_ += ']';
    }
  }
  void op(const Plan::Op& o) {
    out_ += "\"id\": ";
    text(o.id);
    key("op"), text(o.row->name);
    key("kernel"), text(o.kernel);
    const auto id = [&](uint32_t i) -> const std::string& { return plan_.values[i].id; };
    key("in"), ids(o.in, id);
    key("out"), ids(o.out, id);
    key("attrs");
    out_ += '{';
    bool first = true;
    for (size_t i = 0; i < o.row->attributes.size(); ++i) {
      const AttrSpec& spec = o.row->attributes[i];
      const Attr& a = o.attrs.values()[i];
      if (spec.implicit && (a.is_none() || a == Attr(false))) continue;
      if (!first) out_ += ", ";
      first = false;
      text(spec.name);
      out_ += ": ";
      attr(a);
    }
    out_ += '}';
    key("flops"), expr(o.flops);
    key("bytes"), expr(o.bytes);
    out_ += ", \"line\": " + std::to_string(o.line);
    key("scope"), text(o.scope);
    key("phase"), text(o.phase);
    if (!o.parts.empty()) key("parts"), texts(o.parts);
    if (!o.scratch.empty())
      key("scratch"), ids(o.scratch, [&](uint32_t i) -> const std::string& { return plan_.buffers[i].id; });
  }
  void memory() {
    const Plan::Memory& m = plan_.memory;
    out_ += "\"memory_plan\": {\"peak_bytes\": " + std::to_string(m.peak_bytes) +
            ", \"reuse_buffers\": " + (m.reuse_buffers ? "true" : "false");
    key("peak"), m.peak ? expr(*m.peak) : void(out_ += "null");
    key("peak_op"), m.peak_op.empty() ? void(out_ += "null") : text(m.peak_op);
    out_ += ", \"lower_bound_bytes\": " + std::to_string(m.lower_bound_bytes);
    key("lower_bound"), m.lower_bound ? expr(*m.lower_bound) : void(out_ += "null");
    out_ += std::string(", \"optimal\": ") + (m.optimal ? "true" : "false") +
            ", \"no_reuse_bytes\": " + std::to_string(m.no_reuse_bytes);
    out_ += ", \"range\": {\"worst_ratio\": ";
    number(m.range.worst_ratio);
    out_ += std::string(", \"proven\": ") + (m.range.proven ? "true" : "false") + "}";
    key("strength"), text(kStrengths[static_cast<int>(m.strength)]);
    const auto& s = m.segments;
    out_ += ", \"segments\": {\"weights\": " + std::to_string(s.weights) +
            ", \"state\": " + std::to_string(s.state) + ", \"inputs\": " + std::to_string(s.inputs) +
            ", \"arena\": " + std::to_string(s.arena) + "}";
    if (!m.lighter.empty()) key("lighter"), lighter(m.lighter);
    out_ += "},\n";
  }
  void lighter(const std::vector<Plan::Lighter>& all) {
    for (size_t i = 0; i < all.size(); ++i) {
      out_ += i ? ", {\"change\": " : "[{\"change\": ";
      text(all[i].change);
      key("what"), text(all[i].what);
      out_ += ", \"bytes\": " + std::to_string(all[i].bytes) + "}";
    }
    out_ += ']';
  }
  void budget(const Plan::Budget& b) {
    out_ += "\"expr\": ";
    text(b.expr);
    out_ += ", \"line\": " + std::to_string(b.line);
    if (!b.phase.empty()) key("phase"), text(b.phase);
    out_ += std::string(", \"ok\": ") + (b.ok ? "true" : "false");
    if (b.used_bytes) out_ += ", \"used_bytes\": " + std::to_string(*b.used_bytes);
    if (b.limit_bytes) out_ += ", \"limit_bytes\": " + std::to_string(*b.limit_bytes);
    if (b.limit) {
      key("limit"), expr(*b.limit);
      key("counts"), sizes({{"weights", b.counts.weights},
                            {"state", b.counts.state},
                            {"inputs", b.counts.inputs},
                            {"arena", b.counts.arena}});
    }
    admits(b);
    if (!b.phases.empty()) key("phases"), answers(b.phases);
    if (!b.changes.empty()) key("changes"), changes(b.changes);
  }
  void admits(const Plan::Answer& a) {
    key("max"), sizes(a.max);
    if (!a.beyond.empty()) key("beyond"), sizes(a.beyond);
    if (!a.frontier.empty()) key("frontier"), frontiers(a.frontier);
  }
  void answers(const std::vector<Plan::Answer>& all) {
    for (size_t i = 0; i < all.size(); ++i) {
      out_ += i ? ", {\"phase\": " : "[{\"phase\": ";
      text(all[i].phase);
      out_ += std::string(", \"ok\": ") + (all[i].ok ? "true" : "false");
      if (all[i].used_bytes) out_ += ", \"used_bytes\": " + std::to_string(*all[i].used_bytes);
      admits(all[i]);
      out_ += '}';
    }
    out_ += ']';
  }
  void sizes(const Plan::Sizes& sizes) {
    out_ += '{';
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (i) out_ += ", ";
      text(sizes[i].first);
      out_ += ": " + std::to_string(sizes[i].second);
    }
    out_ += '}';
  }
  void frontiers(const std::vector<Plan::Frontier>& all) {
    for (size_t i = 0; i < all.size(); ++i) {
      out_ += i ? ", {\"dims\": [" : "[{\"dims\": [";
      text(all[i].first);
      out_ += ", ";
      text(all[i].second);
      out_ += "], \"points\": [";
      for (size_t k = 0; k < all[i].points.size(); ++k) {
        const auto& [a, b] = all[i].points[k];
        out_ += (k ? ", [" : "[") + std::to_string(a) + ", " + std::to_string(b) + "]";
      }
      out_ += "]}";
    }
    out_ += ']';
  }
  void changes(const std::vector<Plan::Change>& all) {
    for (size_t i = 0; i < all.size(); ++i) {
      out_ += i ? ", {\"change\": " : "[{\"change\": ";
      text(all[i].change);
      out_ += std::string(", \"ok\": ") + (all[i].ok ? "true" : "false");
      out_ += ", \"bytes\": " + std::to_string(all[i].bytes);
      if (!all[i].max.empty()) key("max"), sizes(all[i].max);
      out_ += '}';
    }
    out_ += ']';
  }

  const Plan& plan_;
  TextWriter out_;
};

}  // namespace

std::string write_plan(const Plan& plan) { return Writer(plan).run(); }

}  // namespace irplan
