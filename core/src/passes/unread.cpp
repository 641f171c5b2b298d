#include "passes/unread.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace irplan {
namespace {

// The name that a program gives a value: "prefill/i.3/h~2" is h. Empty where it gives none.
std::string name_in_program(const std::string& id) {
  const size_t slash = id.rfind('/');
  std::string name = slash == std::string::npos ? id : id.substr(slash + 1);
  if (name.find('.') != std::string::npos) return {};
  return name.substr(0, name.find('~'));
}

class Unread {
 public:
  Unread(const Graph& graph, Diagnostics& diagnostics) : graph_(graph), diagnostics_(diagnostics) {}

  void tell() {
    if (graph_.outputs.empty()) {
      diagnostics_.report(Code::NoOutput, {}).help("name a result: out = output(" + last_name() + ")");
      return;
    }
    find_readers();
    for (const Op& op : graph_.ops) note(op.span, is_read(op));
    for (const Value& value : graph_.values) {
      if (value.kind != ValueKind::Temp) note(value.span, is_read(value));
    }
    for (const Op& op : graph_.ops) {
      if (!is_told(op.span)) tell(op);
    }
    for (const Value& value : graph_.values) {
      if (value.kind != ValueKind::Temp && !is_told(value.span)) tell(value);
    }
  }

 private:
  // Empty where the program gives none.
  std::string name_of(const Op& op) const {
    return op.out.empty() ? "" : name_in_program(graph_.values[op.out[0]].id);
  }

  // What the last statement makes, as a proposal.
  std::string last_name() const {
    for (auto op = graph_.ops.rbegin(); op != graph_.ops.rend(); ++op) {
      if (!op->scope.empty()) continue;
      std::string name = name_of(*op);
      if (!name.empty()) return name;
    }
    return "…";
  }

  void find_readers() {
    read_.assign(graph_.values.size(), false);
    for (const Output& output : graph_.outputs) read_[output.value] = true;
    // From the last op to the first, so that a state is read where what an append gives is.
    for (auto op = graph_.ops.rbegin(); op != graph_.ops.rend(); ++op) {
      const bool writes = op->row->updates_state && !read_[op->out[0]];
      for (const ValueId id : op->in) {
        if (id != kNone && !(writes && id == op->in[0])) read_[id] = true;
      }
      if (writes) written_.insert(op->in[0]);
    }
  }

  bool is_read(const Value& value) const { return read_[static_cast<size_t>(&value - graph_.values.data())]; }
  bool is_read(const Op& op) const {
    return op.row->updates_state ||
           std::any_of(op.out.begin(), op.out.end(), [&](ValueId id) { return read_[id]; });
  }

  // Statements by their place: one is unread where all that it makes is.
  static uint64_t key(Span span) { return uint64_t{span.begin} << 32 | span.end; }
  void note(Span span, bool read) { live_[key(span)] |= read; }
  // Whether it is read, or was told already; then it counts as told from here on.
  bool is_told(Span span) { return std::exchange(live_[key(span)], true); }

  void tell(const Op& op) {
    const std::string name = name_of(op);
    Diagnostic& d = diagnostics_.report(
        Code::Unused, op.span,
        {name.empty() ? "the result of `" + std::string(op.row->name) + "`" : "`" + name + "`"});
    if (name.empty() || !op.scope.empty() || op.out.size() > 1)
      d.help("leave it out");
    else
      d.help("leave it out, or make it a result: out_" + name + " = output(" + name + ")");
  }

  void tell(const Value& value) {
    const char* kind = value.kind == ValueKind::Input   ? "input"
                       : value.kind == ValueKind::Param ? "param"
                                                        : "state";
    const std::string& name = value.kind == ValueKind::Input ? value.id : value.source;
    Diagnostic& d =
        diagnostics_.report(Code::Unused, value.span, {std::string("the ") + kind + " `" + name + "`"});
    const auto id = static_cast<ValueId>(&value - graph_.values.data());
    if (written_.contains(id))
      d.at("it is appended to, and that is all")
          .help("read what `append` gives, as attention does, or leave it out: it takes memory all the same");
    else
      d.help("leave it out: it takes memory all the same");
  }

  const Graph& graph_;
  Diagnostics& diagnostics_;
  std::set<ValueId> written_;                // states that are appended to without being read
  std::vector<bool> read_;                   // by value
  std::unordered_map<uint64_t, bool> live_;  // by place
};

}  // namespace

void tell_unread(const Graph& graph, Diagnostics& diagnostics) { Unread(graph, diagnostics).tell(); }

}  // namespace irplan
