// plan.json to data: form and references. Whether the plan is true is validate's question.
#include <algorithm>
#include <unordered_map>

#include "kernels/kernel.h"
#include "plan/json_tree.h"
#include "plan/plan.h"

namespace irplan {
namespace {

using Kind = JsonNode::Kind;

constexpr size_t kMaxRecords = 1000000;  // of one list
constexpr size_t kMaxIdBytes = 4096;
constexpr size_t kMaxAxes = 16;

std::string cut(const std::string& text) { return text.size() > 60 ? text.substr(0, 60) + "…" : text; }

template <size_t N>
int word_of(const std::string& text, const char* const (&words)[N]) {
  for (size_t i = 0; i < N; ++i) {
    if (text == words[i]) return static_cast<int>(i);
  }
  return -1;
}

class Reader {
 public:
  explicit Reader(std::string& why) : why_(why) {}

  std::optional<Plan> run(std::string_view text) {
    std::string wrong;
    const auto tree = JsonTree::parse(text, &wrong);
    if (!tree) return fail("plan", wrong), std::nullopt;
    const JsonNode& root = tree->root();
    if (root.kind != Kind::Record) return fail("plan", "no JSON object"), std::nullopt;
    // `diagnostics` is kept as it stands; a reader has no use for it.
    const bool good = head(root) && dims(root) && guards(root) && phases(root) && buffer_ids(root) &&
                      value_ids(root) && values(root) && buffers(root) && ops(root) && outputs(root) &&
                      memory(root) && budgets(root) && list(root, "plan", "diagnostics");
    return good ? std::optional<Plan>(std::move(plan_)) : std::nullopt;
  }

 private:
  bool fail(const std::string& where, const std::string& what) {
    if (why_.empty()) why_ = where + ": " + what;
    return false;
  }

  // ---- fields
  const JsonNode* get(const JsonNode& record, const std::string& where, const char* key) {
    const JsonNode* node = record.find(key);
    if (!node) fail(where, std::string("lacks \"") + key + "\"");
    return node;
  }
  const JsonNode* typed(const JsonNode& record, const std::string& where, const char* key, Kind kind,
                        const char* wanted) {
    const JsonNode* node = get(record, where, key);
    if (node && node->kind != kind) return fail(where + "." + key, std::string("is no ") + wanted), nullptr;
    return node;
  }
  const JsonNode* list(const JsonNode& record, const std::string& where, const char* key) {
    const JsonNode* node = typed(record, where, key, Kind::List, "list");
    if (node && node->items.size() > kMaxRecords)
      return fail(where + "." + key, "more than a million records"), nullptr;
    return node;
  }
  bool text(const JsonNode& record, const std::string& where, const char* key, std::string& out) {
    const JsonNode* node = typed(record, where, key, Kind::String, "string");
    if (!node) return false;
    if (node->string.size() > kMaxIdBytes) return fail(where + "." + key, "longer than 4 KiB");
    // What is shown on terminals must not steer them; a budget may go over lines.
    const auto steers = [](unsigned char c) {
      return (c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7F;
    };
    if (std::any_of(node->string.begin(), node->string.end(), steers))
      return fail(where + "." + key, "holds a control character");
    out = node->string;
    return true;
  }
  bool number(const JsonNode& record, const std::string& where, const char* key, int64_t& out) {
    const JsonNode* node = typed(record, where, key, Kind::Int, "integer");
    if (!node) return false;
    if (node->integer < 0) return fail(where + "." + key, std::to_string(node->integer) + " is negative");
    out = node->integer;
    return true;
  }
  bool flag(const JsonNode& record, const std::string& where, const char* key, bool& out) {
    const JsonNode* node = typed(record, where, key, Kind::Bool, "true or false");
    if (node) out = node->boolean;
    return node != nullptr;
  }
  bool line(const JsonNode& record, const std::string& where, uint32_t& out) {
    int64_t n = 0;
    if (!number(record, where, "line", n)) return false;
    out = static_cast<uint32_t>(std::min<int64_t>(n, UINT32_MAX));
    return true;
  }
  bool expr(const JsonNode& node, const std::string& where, Expr& out) {
    if (node.kind != Kind::String) return fail(where, "is no expression");
    const auto known = exprs_.find(node.string);
    if (known != exprs_.end()) return out = known->second, true;
    std::string wrong;
    const auto e = plan_.pool->parse(node.string, &wrong);
    if (!e) return fail(where, "\"" + cut(node.string) + "\": " + wrong);
    out = *e;
    exprs_.emplace(node.string, *e);
    return true;
  }
  bool expr(const JsonNode& record, const std::string& where, const char* key, Expr& out) {
    const JsonNode* node = get(record, where, key);
    return node && expr(*node, where + "." + key, out);
  }
  bool optional_expr(const JsonNode& record, const std::string& where, const char* key,
                     std::optional<Expr>& out) {
    const JsonNode* node = get(record, where, key);
    if (!node) return false;
    if (node->kind == Kind::Null) return true;
    Expr e;
    if (!expr(*node, where + "." + key, e)) return false;
    out = e;
    return true;
  }
  bool exprs(const JsonNode& node, const std::string& where, Shape& out) {
    if (node.kind != Kind::List) return fail(where, "is no list");
    if (node.items.size() > kMaxAxes)
      return fail(where, "more than " + std::to_string(kMaxAxes) + " entries");
    for (const JsonNode* item : node.items) {
      Expr e;
      if (!expr(*item, where, e)) return false;
      out.push_back(e);
    }
    return true;
  }
  template <class Each>
  bool each(const JsonNode& root, const char* key, Each each_record) {
    const JsonNode* records = list(root, "plan", key);
    if (!records) return false;
    for (size_t i = 0; i < records->items.size(); ++i) {
      const JsonNode& record = *records->items[i];
      std::string where = std::string(key) + "[" + std::to_string(i) + "]";
      if (record.kind != Kind::Record) return fail(where, "is no object");
      for (const char* name : {"id", "name"}) {
        const JsonNode* id = record.find(name);
        if (id && id->kind == Kind::String) where = std::string(key) + " " + cut(id->string);
      }
      if (!each_record(record, where)) return false;
    }
    return true;
  }

  // ---- records
  bool head(const JsonNode& root) {
    if (!text(root, "plan", "version", plan_.version)) return false;
    if (plan_.version != kPlanVersion)
      return fail("version", "\"" + cut(plan_.version) + "\" is not " + kPlanVersion);
    if (!text(root, "plan", "producer", plan_.producer)) return false;
    const JsonNode* source = typed(root, "plan", "source", Kind::Record, "object");
    if (!source || !text(*source, "source", "file", plan_.source_file) ||
        !text(*source, "source", "sha256", plan_.source_sha256))
      return false;
    const JsonNode* config = get(*source, "source", "config_sha256");
    if (!config) return false;
    if (config->kind == Kind::String)
      plan_.config_sha256 = config->string;
    else if (config->kind != Kind::Null)
      return fail("source.config_sha256", "is no string or null");
    const JsonNode* target = typed(root, "plan", "target", Kind::Record, "object");
    if (!target || !text(*target, "target", "name", plan_.target) ||
        !text(*target, "target", "arch", plan_.arch) || !number(*target, "target", "align", plan_.align)) {
      return false;
    }
    if (plan_.align < 1 || (plan_.align & (plan_.align - 1)) || plan_.align > 1 << 20) {
      return fail("target.align", std::to_string(plan_.align) + " is no power of two up to 1 MiB");
    }
    return true;
  }

  static bool is_name(const std::string& text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !text.empty() && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
      return letter(c) || (c >= '0' && c <= '9') || c == '_';
    });
  }

  bool range(const JsonNode& record, const std::string& where, int64_t& min, std::optional<int64_t>& max,
             int64_t& value) {
    if (!number(record, where, "min", min) || !number(record, where, "value", value)) return false;
    const JsonNode* top = get(record, where, "max");
    if (!top) return false;
    if (top->kind == Kind::Int && top->integer >= 0)
      max = top->integer;
    else if (top->kind != Kind::Null)
      return fail(where + ".max", "is no size or null");
    if (value < min || value > max.value_or(kMaxJsonInt) || min > max.value_or(kMaxJsonInt)) {
      return fail(where, "value " + std::to_string(value) + " outside of " + std::to_string(min) + ".." +
                             (max ? std::to_string(*max) : ""));
    }
    return true;
  }

  bool dims(const JsonNode& root) {
    return each(root, "dims", [&](const JsonNode& record, const std::string& where) {
      Plan::Dim dim;
      if (!text(record, where, "name", dim.name)) return false;
      if (!is_name(dim.name)) return fail(where, "\"" + cut(dim.name) + "\" is no name");
      if (plan_.pool->find(dim.name)) return fail(where, "the name is taken");
      if (!range(record, where, dim.min, dim.max, dim.value)) return false;
      if (record.find("assumed") && !flag(record, where, "assumed", dim.assumed)) return false;
      if (record.find("per") && !text(record, where, "per", dim.per)) return false;
      plan_.pool->dim(dim.name);
      plan_.dims.push_back(std::move(dim));
      return true;
    });
  }

  bool guards(const JsonNode& root) {
    return each(root, "guards", [&](const JsonNode& record, const std::string& where) {
      Plan::Guard guard;
      std::string all;
      const JsonNode* node = typed(record, where, "expr", Kind::String, "string");
      if (!node || !line(record, where, guard.line)) return false;
      all = node->string;
      for (const Relation relation : {Relation::LessEqual, Relation::GreaterEqual, Relation::Equal}) {
        const std::string sign = std::string(" ") + symbol(relation) + " ";
        const size_t at = all.find(sign);
        if (at == std::string::npos) continue;
        std::string wrong;
        const auto left = plan_.pool->parse(all.substr(0, at), &wrong);
        const auto right = left ? plan_.pool->parse(all.substr(at + sign.size()), &wrong) : std::nullopt;
        if (!right) return fail(where, "\"" + cut(all) + "\": " + wrong);
        guard.left = *left;
        guard.relation = relation;
        guard.right = *right;
        if (record.find("phase") && !text(record, where, "phase", guard.phase)) return false;
        if (record.find("budget") && !flag(record, where, "budget", guard.budget)) return false;
        plan_.guards.push_back(std::move(guard));
        return true;
      }
      return fail(where, "\"" + cut(all) + "\" is no comparison with <=, >= or ==");
    });
  }

  bool phases(const JsonNode& root) {
    return each(root, "phases", [&](const JsonNode& record, const std::string& where) {
      Plan::Phase phase;
      if (!text(record, where, "name", phase.name)) return false;
      for (const Plan::Phase& other : plan_.phases) {
        if (other.name == phase.name) return fail(where, "the name is taken");
      }
      const JsonNode* narrowed = typed(record, where, "dims", Kind::Record, "object");
      if (!narrowed) return false;
      for (const auto& [name, entry] : narrowed->entries) {
        Plan::PhaseDim dim;
        dim.name = name;
        const std::string place = where + ".dims." + cut(name);
        const auto known = std::find_if(plan_.dims.begin(), plan_.dims.end(),
                                        [&, n = name](const Plan::Dim& d) { return d.name == n; });
        if (known == plan_.dims.end()) return fail(place, "no dim of the plan");
        if (entry->kind != Kind::Record) return fail(place, "is no object");
        if (!range(*entry, place, dim.min, dim.max, dim.value)) return false;
        if (dim.min < known->min || dim.max.value_or(kMaxJsonInt) > known->max.value_or(kMaxJsonInt))
          return fail(place, "outside of the dim's range");
        phase.dims.push_back(std::move(dim));
      }
      const JsonNode* span = list(record, where, "ops");
      if (!span || !pair(*span, where + ".ops", phase.ops_begin, phase.ops_end)) return false;
      if (!number(record, where, "peak_bytes", phase.peak_bytes) ||
          !optional_expr(record, where, "peak", phase.peak) || !expr(record, where, "flops", phase.flops) ||
          !expr(record, where, "bytes", phase.bytes)) {
        return false;
      }
      if (record.find("peak_op") && !text(record, where, "peak_op", phase.peak_op)) return false;
      if (!at_peak(record, where, phase) || !tokens(record, where, phase.tokens)) return false;
      plan_.phases.push_back(std::move(phase));
      return true;
    });
  }

  bool at_peak(const JsonNode& record, const std::string& where, Plan::Phase& phase) {
    return if_there(record, where, "at_peak", [&](const JsonNode& item, const std::string& place) {
      Plan::AtPeak& entry = phase.at_peak.emplace_back();
      return text(item, place, "buffer", entry.buffer) && number(item, place, "bytes", entry.bytes) &&
             line(item, place, entry.line);
    });
  }

  bool tokens(const JsonNode& record, const std::string& where, Plan::Tokens& out) {
    if (!record.find("tokens")) return true;
    const JsonNode* found = typed(record, where, "tokens", Kind::Record, "object");
    const std::string place = where + ".tokens";
    return found && number(*found, place, "a_step", out.a_step) &&
           number(*found, place, "arena_bytes_each", out.arena_bytes_each) &&
           number(*found, place, "state_bytes_each", out.state_bytes_each) &&
           number(*found, place, "ring_bytes_each_sequence", out.ring_bytes_each_sequence);
  }

  // The objects of a list that may be absent.
  template <class Read>
  bool if_there(const JsonNode& record, const std::string& where, const char* key, Read read) {
    if (!record.find(key)) return true;
    const std::string place = where + "." + key;
    const JsonNode* all = list(record, where, key);
    if (!all) return false;
    for (const JsonNode* item : all->items) {
      if (item->kind != Kind::Record) return fail(place, "holds what is no object");
      if (!read(*item, place)) return false;
    }
    return true;
  }

  bool pair(const JsonNode& node, const std::string& where, uint32_t& begin, uint32_t& end) {
    if (node.items.size() != 2) return fail(where, "is no pair of indices");
    for (const JsonNode* item : node.items) {
      if (item->kind != Kind::Int || item->integer < 0 || item->integer > static_cast<int64_t>(kMaxRecords))
        return fail(where, "is no pair of indices");
    }
    begin = static_cast<uint32_t>(node.items[0]->integer);
    end = static_cast<uint32_t>(node.items[1]->integer);
    return begin <= end ||
           fail(where, "[" + std::to_string(begin) + ", " + std::to_string(end) + "] runs backwards");
  }

  bool ids(const JsonNode& root, const char* key, std::unordered_map<std::string, uint32_t>& out) {
    return each(root, key, [&](const JsonNode& record, const std::string& where) {
      std::string id;
      if (!text(record, where, "id", id)) return false;
      if (id.empty()) return fail(where, "the id is empty");
      return out.emplace(id, static_cast<uint32_t>(out.size())).second || fail(where, "the id is taken");
    });
  }
  bool buffer_ids(const JsonNode& root) { return ids(root, "buffers", buffers_); }
  bool value_ids(const JsonNode& root) { return ids(root, "values", values_); }

  bool reference(const JsonNode& node, const std::string& where, const char* what,
                 const std::unordered_map<std::string, uint32_t>& known, uint32_t& out) {
    if (node.kind != Kind::String) return fail(where, "is no string");
    const auto found = known.find(node.string);
    if (found == known.end()) return fail(where, std::string("no ") + what + " \"" + cut(node.string) + "\"");
    out = found->second;
    return true;
  }
  bool references(const JsonNode& record, const std::string& where, const char* key, const char* what,
                  const std::unordered_map<std::string, uint32_t>& known, Plan::Ids& out,
                  bool may_be_absent = false) {
    const JsonNode* node = list(record, where, key);
    if (!node) return false;
    for (const JsonNode* item : node->items) {
      uint32_t id = kAbsent;
      const bool absent = may_be_absent && item->kind == Kind::String && item->string.empty();
      if (!absent && !reference(*item, where + "." + key, what, known, id)) return false;
      out.push_back(id);
    }
    return true;
  }

  bool values(const JsonNode& root) {
    static constexpr const char* kKinds[] = {"input", "param", "state", "folded", "temp"};
    static constexpr const char* kLayouts[] = {"", "contiguous", "ring"};
    return each(root, "values", [&](const JsonNode& record, const std::string& where) {
      Plan::Value value;
      std::string kind, dtype;
      if (!text(record, where, "id", value.id) || !text(record, where, "kind", kind) ||
          !text(record, where, "dtype", dtype))
        return false;
      const int which = word_of(kind, kKinds);
      if (which < 0) return fail(where, "no kind \"" + cut(kind) + "\"");
      value.kind = static_cast<Plan::Kind>(which);
      const auto type = find_dtype(dtype);
      if (!type) return fail(where, "no dtype \"" + cut(dtype) + "\"");
      value.dtype = *type;
      if (record.find("phase") && !text(record, where, "phase", value.phase)) return false;
      const JsonNode* shape = get(record, where, "shape");
      if (!shape || !exprs(*shape, where + ".shape", value.shape)) return false;
      const JsonNode* buffer = get(record, where, "buffer");
      if (!buffer || !reference(*buffer, where + ".buffer", "buffer", buffers_, value.buffer)) return false;
      if (const JsonNode* offset = record.find("offset")) {
        Expr e;
        if (offset->kind == Kind::Int && offset->integer >= 0)
          e = plan_.pool->constant(offset->integer);
        else if (!expr(*offset, where + ".offset", e))
          return false;
        value.offset = e;
      }
      if (const JsonNode* strides = record.find("strides")) {
        Shape found;
        if (!exprs(*strides, where + ".strides", found)) return false;
        if (found.size() != value.shape.size()) return fail(where, "strides and shape differ in axes");
        value.strides = std::move(found);
      }
      if (record.find("of") && !references(record, where, "of", "value", values_, value.of)) return false;
      if (record.find("source") && !text(record, where, "source", value.source)) return false;
      if (record.find("layout")) {
        std::string layout;
        if (!text(record, where, "layout", layout)) return false;
        const int found = value.kind == Plan::Kind::Folded ? -1 : word_of(layout, kLayouts);
        if (found < 0) value.packed = find_weight_layout(layout);
        if (found < 1 && !value.packed) return fail(where, "no layout \"" + cut(layout) + "\"");
        if (found > 0) value.layout = static_cast<Plan::Layout>(found);
      }
      if (record.find("capacity")) {
        Expr e;
        if (!expr(record, where, "capacity", e)) return false;
        value.capacity = e;
      }
      plan_.values.push_back(std::move(value));
      return true;
    });
  }

  bool buffers(const JsonNode& root) {
    static constexpr const char* kSegments[] = {"inputs", "weights", "state", "arena"};
    return each(root, "buffers", [&](const JsonNode& record, const std::string& where) {
      Plan::Buffer buffer;
      std::string segment;
      if (!text(record, where, "id", buffer.id) || !text(record, where, "segment", segment) ||
          !expr(record, where, "bytes", buffer.bytes))
        return false;
      const int which = word_of(segment, kSegments);
      if (which < 0) return fail(where, "no segment \"" + cut(segment) + "\"");
      buffer.segment = static_cast<Plan::Segment>(which);
      if (buffer.segment == Plan::Segment::Arena) {
        if (!text(record, where, "phase", buffer.phase)) return false;
        const JsonNode* live = list(record, where, "live");
        if (!live || !pair(*live, where + ".live", buffer.live_begin, buffer.live_end)) return false;
        if (!references(record, where, "above", "buffer", buffers_, buffer.above) ||
            !number(record, where, "offset", buffer.offset))
          return false;
      }
      plan_.buffers.push_back(std::move(buffer));
      return true;
    });
  }

  bool kernel(const std::string& where, const std::string& kernel, const OpRow& row) {
    return kernel_version(kernel, plan_.target, row) > 0 ||
           fail(where, "the kernel \"" + cut(kernel) + "\" is no " + plan_.target + "_" + row.name + "_v<N>");
  }

  bool ops(const JsonNode& root) {
    std::unordered_map<std::string, uint32_t> seen;
    return each(root, "ops", [&](const JsonNode& record, const std::string& where) {
      Plan::Op op;
      std::string name;
      if (!text(record, where, "id", op.id) || !text(record, where, "op", name) ||
          !text(record, where, "kernel", op.kernel))
        return false;
      if (!seen.emplace(op.id, 0).second) return fail(where, "the id is taken");
      op.row = find_op(name);
      if (!op.row) return fail(where, "no operator \"" + cut(name) + "\"");
      if (!kernel(where, op.kernel, *op.row)) return false;
      if (!references(record, where, "in", "value", values_, op.in, true) ||
          !references(record, where, "out", "value", values_, op.out))
        return false;
      if (op.out.empty() || plan_.values[op.out[0]].id != op.id)
        return fail(where, "the first result is not of its id");
      const JsonNode* attrs = typed(record, where, "attrs", Kind::Record, "object");
      if (!attrs || !attributes(*attrs, where, op)) return false;
      if (!expr(record, where, "flops", op.flops) || !expr(record, where, "bytes", op.bytes) ||
          !line(record, where, op.line) || !text(record, where, "scope", op.scope) ||
          !text(record, where, "phase", op.phase)) {
        return false;
      }
      if (const JsonNode* parts = record.find("parts")) {
        if (parts->kind != Kind::List || parts->items.size() > 64)
          return fail(where + ".parts", "is no short list");
        for (const JsonNode* part : parts->items) {
          if (part->kind != Kind::String) return fail(where + ".parts", "is no list of ids");
          op.parts.push_back(part->string);
        }
      }
      if (record.find("scratch") && !references(record, where, "scratch", "buffer", buffers_, op.scratch))
        return false;
      plan_.ops.push_back(std::move(op));
      return true;
    });
  }

  bool attributes(const JsonNode& record, const std::string& where, Plan::Op& op) {
    op.attrs = Attrs(*op.row);
    for (const AttrSpec& spec : op.row->attributes) {
      const JsonNode* node = record.find(spec.name);
      if (!node) {
        if (spec.implicit) continue;
        return fail(where, std::string("lacks the attribute \"") + spec.name + "\"");
      }
      Attr value;
      if (!attribute(*node, where + ".attrs." + spec.name, spec, value)) return false;
      op.attrs.set(spec.name, std::move(value));
    }
    for (const auto& [key, node] : record.entries) {
      const auto known = [&, k = key](const AttrSpec& spec) { return k == spec.name; };
      if (std::none_of(op.row->attributes.begin(), op.row->attributes.end(), known)) {
        return fail(where, "no attribute \"" + cut(key) + "\" of " + op.row->name);
      }
    }
    return true;
  }

  bool attribute(const JsonNode& node, const std::string& where, const AttrSpec& spec, Attr& out) {
    if (node.kind == Kind::Null) return true;
    const auto wrong = [&] { return fail(where, "is of another type"); };
    switch (spec.kind) {
      case AttrKind::Bool:
        if (node.kind != Kind::Bool) return wrong();
        out = Attr(node.boolean);
        return true;
      case AttrKind::Int:
        if (node.kind != Kind::Int) return wrong();
        out = Attr(node.integer);
        return true;
      case AttrKind::Number:
        if (node.kind == Kind::Int)
          out = Attr(node.integer);
        else if (node.kind == Kind::Float)
          out = Attr(node.number);
        else
          return wrong();
        return true;
      case AttrKind::Extent: {
        Expr e;
        if (node.kind == Kind::Int)
          e = plan_.pool->constant(node.integer);
        else if (!expr(node, where, e))
          return false;
        out = Attr(e);
        return true;
      }
      case AttrKind::Extents: {
        if (node.kind != Kind::List) return wrong();
        AttrList list;
        for (const JsonNode* item : node.items) {
          Expr e;
          if (item->kind == Kind::Int)
            e = plan_.pool->constant(item->integer);
          else if (!expr(*item, where, e))
            return false;
          list.push_back(Attr(e));
        }
        out = Attr::of(std::move(list));
        return true;
      }
      case AttrKind::Ints: {
        if (node.kind != Kind::List) return wrong();
        AttrList list;
        for (const JsonNode* item : node.items) {
          if (item->kind != Kind::Int) return wrong();
          list.push_back(Attr(item->integer));
        }
        out = Attr::of(std::move(list));
        return true;
      }
      case AttrKind::Dtype: {
        const auto dtype = node.kind == Kind::String ? find_dtype(node.string) : std::nullopt;
        if (!dtype) return fail(where, "is no dtype");
        out = Attr(*dtype);
        return true;
      }
      case AttrKind::Word: {
        const std::string choices = std::string("|") + spec.choices + "|";
        if (node.kind != Kind::String || choices.find("|" + node.string + "|") == std::string::npos) {
          return fail(where, std::string("is none of ") + spec.choices);
        }
        out = Attr(node.string);
        return true;
      }
      case AttrKind::Record:
        if (node.kind != Kind::Record) return wrong();
        out = any(node);
        return true;
    }
    return wrong();
  }

  static Attr any(const JsonNode& node) {
    switch (node.kind) {
      case Kind::Null: return Attr();
      case Kind::Bool: return Attr(node.boolean);
      case Kind::Int: return Attr(node.integer);
      case Kind::Float: return Attr(node.number);
      case Kind::String: return Attr(node.string);
      case Kind::List: {
        AttrList list;
        for (const JsonNode* item : node.items) list.push_back(any(*item));
        return Attr::of(std::move(list));
      }
      case Kind::Record: break;
    }
    AttrRecord record;
    for (const auto& [key, item] : node.entries) record.emplace_back(key, any(*item));
    return Attr::of(std::move(record));
  }

  bool outputs(const JsonNode& root) {
    return each(root, "outputs", [&](const JsonNode& record, const std::string& where) {
      Plan::Output output;
      const JsonNode* value = get(record, where, "value");
      if (!value || !text(record, where, "name", output.name) ||
          !reference(*value, where + ".value", "value", values_, output.value) ||
          !text(record, where, "phase", output.phase)) {
        return false;
      }
      const auto named = [&](const Plan::Phase& p) { return p.name == output.phase; };
      if (std::none_of(plan_.phases.begin(), plan_.phases.end(), named))
        return fail(where, "no phase \"" + cut(output.phase) + "\"");
      plan_.outputs.push_back(std::move(output));
      return true;
    });
  }

  bool memory(const JsonNode& root) {
    static constexpr const char* kStrengths[] = {"portfolio", "exact", "limited"};
    const std::string where = "memory_plan";
    const JsonNode* record = typed(root, "plan", "memory_plan", Kind::Record, "object");
    if (!record) return false;
    Plan::Memory& m = plan_.memory;
    if (!number(*record, where, "peak_bytes", m.peak_bytes) ||
        !flag(*record, where, "reuse_buffers", m.reuse_buffers) ||
        !optional_expr(*record, where, "peak", m.peak) ||
        !number(*record, where, "lower_bound_bytes", m.lower_bound_bytes) ||
        !optional_expr(*record, where, "lower_bound", m.lower_bound) ||
        !flag(*record, where, "optimal", m.optimal) ||
        !number(*record, where, "no_reuse_bytes", m.no_reuse_bytes)) {
      return false;
    }
    const JsonNode* peak_op = get(*record, where, "peak_op");
    if (!peak_op) return false;
    if (peak_op->kind == Kind::String)
      m.peak_op = peak_op->string;
    else if (peak_op->kind != Kind::Null)
      return fail(where + ".peak_op", "is no string or null");
    const JsonNode* range = typed(*record, where, "range", Kind::Record, "object");
    if (!range || !flag(*range, where + ".range", "proven", m.range.proven)) return false;
    const JsonNode* ratio = get(*range, where + ".range", "worst_ratio");
    if (!ratio || (ratio->kind != Kind::Float && ratio->kind != Kind::Int))
      return fail(where + ".range.worst_ratio", "is no number");
    m.range.worst_ratio = ratio->number;
    if (!(m.range.worst_ratio >= 1)) return fail(where + ".range.worst_ratio", "is less than 1");
    std::string strength;
    if (!text(*record, where, "strength", strength)) return false;
    const int which = word_of(strength, kStrengths);
    if (which < 0) return fail(where + ".strength", "no strength \"" + cut(strength) + "\"");
    m.strength = static_cast<Plan::Strength>(which);
    const JsonNode* segments = typed(*record, where, "segments", Kind::Record, "object");
    return segments && number(*segments, where + ".segments", "weights", m.segments.weights) &&
           number(*segments, where + ".segments", "state", m.segments.state) &&
           number(*segments, where + ".segments", "inputs", m.segments.inputs) &&
           number(*segments, where + ".segments", "arena", m.segments.arena) &&
           if_there(*record, where, "lighter", [&](const JsonNode& item, const std::string& place) {
             Plan::Lighter& out = m.lighter.emplace_back();
             return text(item, place, "change", out.change) && text(item, place, "what", out.what) &&
                    number(item, place, "bytes", out.bytes);
           });
  }

  bool budgets(const JsonNode& root) {
    return each(root, "budget", [&](const JsonNode& record, const std::string& where) {
      Plan::Budget budget;
      if (!text(record, where, "expr", budget.expr) || !line(record, where, budget.line) ||
          !answer(record, where, budget) ||
          !number_if_there(record, where, "limit_bytes", budget.limit_bytes))
        return false;
      const auto phase = [&](const JsonNode& item, const std::string& place) {
        return answer(item, place, budget.phases.emplace_back());
      };
      if (record.find("limit") && !limit(record, where, budget)) return false;
      if (!if_there(record, where, "phases", phase) || !changes(record, where, budget)) return false;
      plan_.budget.push_back(std::move(budget));
      return true;
    });
  }

  bool limit(const JsonNode& record, const std::string& where, Plan::Budget& out) {
    Expr e;
    const JsonNode* counts = typed(record, where, "counts", Kind::Record, "object");
    if (!counts || !expr(record, where, "limit", e)) return false;
    out.limit = e;
    const std::string place = where + ".counts";
    return number(*counts, place, "weights", out.counts.weights) &&
           number(*counts, place, "state", out.counts.state) &&
           number(*counts, place, "inputs", out.counts.inputs) &&
           number(*counts, place, "arena", out.counts.arena);
  }

  bool answer(const JsonNode& record, const std::string& where, Plan::Answer& out) {
    return (!record.find("phase") || text(record, where, "phase", out.phase)) &&
           flag(record, where, "ok", out.ok) &&
           number_if_there(record, where, "used_bytes", out.used_bytes) &&
           sizes(record, where, "max", out.max) && sizes(record, where, "beyond", out.beyond) &&
           frontiers(record, where, out);
  }

  bool number_if_there(const JsonNode& record, const std::string& where, const char* key,
                       std::optional<int64_t>& out) {
    int64_t n = 0;
    if (!record.find(key)) return true;
    if (!number(record, where, key, n)) return false;
    out = n;
    return true;
  }

  // Absent is empty.
  bool sizes(const JsonNode& record, const std::string& where, const char* key, Plan::Sizes& out) {
    const JsonNode* all = record.find(key);
    if (!all) return true;
    const std::string place = where + "." + key;
    if (all->kind != Kind::Record) return fail(place, "is no object");
    for (const auto& [name, entry] : all->entries) {
      if (entry->kind != Kind::Int) return fail(place + "." + cut(name), "is no integer");
      out.emplace_back(name, entry->integer);
    }
    return true;
  }

  bool frontiers(const JsonNode& record, const std::string& where, Plan::Answer& answer) {
    return if_there(record, where, "frontier", [&](const JsonNode& one, const std::string& place) {
      Plan::Frontier& out = answer.frontier.emplace_back();
      const JsonNode *dims = list(one, place, "dims"), *points = list(one, place, "points");
      if (!dims || !points) return false;
      const auto is_text = [](const JsonNode* n) { return n->kind == Kind::String; };
      const auto is_size = [](const JsonNode* n) { return n->kind == Kind::Int; };
      if (dims->items.size() != 2 || !std::all_of(dims->items.begin(), dims->items.end(), is_text))
        return fail(place + ".dims", "is no pair of dims");
      out.first = dims->items[0]->string, out.second = dims->items[1]->string;
      for (const JsonNode* point : points->items) {
        if (point->items.size() != 2 || !std::all_of(point->items.begin(), point->items.end(), is_size))
          return fail(place + ".points", "holds what is no pair of sizes");
        out.points.emplace_back(point->items[0]->integer, point->items[1]->integer);
      }
      return true;
    });
  }

  bool changes(const JsonNode& record, const std::string& where, Plan::Budget& budget) {
    return if_there(record, where, "changes", [&](const JsonNode& one, const std::string& place) {
      Plan::Change& out = budget.changes.emplace_back();
      return text(one, place, "change", out.change) && flag(one, place, "ok", out.ok) &&
             (!one.find("bytes") || number(one, place, "bytes", out.bytes)) &&
             sizes(one, place, "max", out.max);
    });
  }

  std::string& why_;
  Plan plan_;
  std::unordered_map<std::string, Expr> exprs_;
  std::unordered_map<std::string, uint32_t> values_, buffers_;
};

}  // namespace

std::optional<Plan> read_plan(std::string_view text, std::string* why) {
  std::string wrong;
  auto plan = Reader(wrong).run(text);
  if (!plan && why) *why = wrong;
  return plan;
}

}  // namespace irplan
