#include "service/phase_slice.h"

#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/text_writer.h"

namespace irplan {
namespace {

using Column = std::vector<int64_t>;

constexpr const char* kSegments[] = {"inputs", "weights", "state", "arena"};
constexpr const char* kKinds[] = {"input", "param", "state", "folded", "temp"};
constexpr uint32_t kUnseen = UINT32_MAX;

std::string type_of(const Plan::Value& value) {
  std::string out = name(value.dtype);
  out += '[';
  for (size_t i = 0; i < value.shape.size(); ++i) {
    if (i) out += ", ";
    out += value.shape[i].text();
  }
  return out + "]";
}

class Slice {
 public:
  Slice(const Plan& plan, const Plan::Phase& phase)
      : plan_(plan),
        phase_(phase),
        place_of_(plan.buffers.size(), 0),
        value_of_(plan.values.size(), kUnseen) {}

  std::string run() {
    place_buffers();
    for (uint32_t i = phase_.ops_begin; i < phase_.ops_end && i < plan_.ops.size(); ++i) add(plan_.ops[i]);
    describe_residents();
    return written();
  }

 private:
  int64_t text(std::string s) {
    const auto [at, fresh] = known_.try_emplace(std::move(s), static_cast<int64_t>(texts_.size()));
    if (fresh) texts_.push_back(&at->first);
    return at->second;
  }

  // Sizes of layers are the same expression: each is written once.
  int64_t text(Expr e) {
    const auto [at, fresh] = written_.try_emplace(e.index(), 0);
    if (fresh) at->second = text(e.text());
    return at->second;
  }

  void place_buffers() {
    int64_t arena = 0, resident = 0;
    for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
      const Plan::Buffer& buffer = plan_.buffers[i];
      if (buffer.segment != Plan::Segment::Arena)
        place_of_[i] = -1 - resident++;
      else if (buffer.phase == phase_.name)
        place_of_[i] = arena++;
    }
    above_at_.push_back(0);
    for (const Plan::Buffer& buffer : plan_.buffers) {
      if (buffer.segment != Plan::Segment::Arena || buffer.phase != phase_.name) continue;
      id_.push_back(text(buffer.id));
      bytes_.push_back(text(buffer.bytes));
      begin_.push_back(int64_t{buffer.live_begin} - phase_.ops_begin);
      end_.push_back(int64_t{buffer.live_end} - phase_.ops_begin);
      for (const uint32_t below : buffer.above) above_.push_back(place_of_[below]);
      above_at_.push_back(static_cast<int64_t>(above_.size()));
    }
  }

  // The type and origin of what lies in each resident buffer: of the value that has it to itself.
  void describe_residents() {
    std::vector<uint32_t> first(plan_.buffers.size(), kUnseen);
    for (uint32_t i = 0; i < plan_.values.size(); ++i) {
      const uint32_t buffer = plan_.values[i].buffer;
      if (buffer != kAbsent && first[buffer] == kUnseen) first[buffer] = i;
    }
    for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
      const Plan::Buffer& buffer = plan_.buffers[i];
      if (buffer.segment == Plan::Segment::Arena) continue;
      const Plan::Value* value = first[i] == kUnseen ? nullptr : &plan_.values[first[i]];
      kept_id_.push_back(text(buffer.id));
      kept_bytes_.push_back(text(buffer.bytes));
      kept_segment_.push_back(text(kSegments[static_cast<int>(buffer.segment)]));
      kept_type_.push_back(text(value ? type_of(*value) : std::string()));
      kept_source_.push_back(text(value ? value->source : std::string()));
    }
  }

  int64_t value(uint32_t index) {
    if (index == kAbsent) return -1;
    if (value_of_[index] == kUnseen) {
      const Plan::Value& v = plan_.values[index];
      value_of_[index] = static_cast<uint32_t>(value_id_.size());
      value_id_.push_back(text(v.id));
      value_type_.push_back(text(type_of(v)));
      value_kind_.push_back(text(kKinds[static_cast<int>(v.kind)]));
      value_source_.push_back(text(v.source));
      value_place_.push_back(v.buffer == kAbsent ? -1 : place_of_[v.buffer]);
      value_window_.push_back(v.offset.has_value());
    }
    return value_of_[index];
  }

  void add(const Plan::Op& op) {
    op_id_.push_back(text(op.id));
    op_.push_back(text(std::string(op.row->name)));
    kernel_.push_back(text(op.kernel));
    line_.push_back(op.line);
    scope_.push_back(text(op.scope));
    std::string parts;
    for (const std::string& part : op.parts) parts += (parts.empty() ? "" : ", ") + part;
    parts_.push_back(text(std::move(parts)));
    if (in_at_.empty()) in_at_ = out_at_ = scratch_at_ = {0};
    for (const uint32_t v : op.in) in_.push_back(value(v));
    for (const uint32_t v : op.out) out_.push_back(value(v));
    for (const uint32_t b : op.scratch) scratch_.push_back(place_of_[b]);
    in_at_.push_back(static_cast<int64_t>(in_.size()));
    out_at_.push_back(static_cast<int64_t>(out_.size()));
    scratch_at_.push_back(static_cast<int64_t>(scratch_.size()));
  }

  using Columns = std::vector<std::pair<const char*, const Column*>>;
  static void write(TextWriter& out, const char* table, const Columns& columns) {
    out += ",\"";
    out += table;
    out += "\":{";
    bool first = true;
    for (const auto& [key, column] : columns) {
      out += first ? "\"" : ",\"";
      first = false;
      out += key;
      out += "\":[";
      for (size_t i = 0; i < column->size(); ++i) {
        if (i) out += ',';
        out += std::to_string((*column)[i]);
      }
      out += ']';
    }
    out += '}';
  }

  std::string written() const {
    TextWriter out(64 * texts_.size() + 64 * op_id_.size() + 4096);
    out += "{\"texts\":[";
    for (size_t i = 0; i < texts_.size(); ++i) {
      if (i) out += ',';
      out.quote(*texts_[i]);
    }
    out += ']';
    write(out, "buffers",
          {{"id", &id_},
           {"bytes", &bytes_},
           {"begin", &begin_},
           {"end", &end_},
           {"above_at", &above_at_},
           {"above", &above_}});
    write(out, "resident",
          {{"id", &kept_id_},
           {"bytes", &kept_bytes_},
           {"segment", &kept_segment_},
           {"type", &kept_type_},
           {"source", &kept_source_}});
    write(out, "values",
          {{"id", &value_id_},
           {"type", &value_type_},
           {"kind", &value_kind_},
           {"source", &value_source_},
           {"place", &value_place_},
           {"window", &value_window_}});
    write(out, "ops",
          {{"id", &op_id_},
           {"op", &op_},
           {"kernel", &kernel_},
           {"line", &line_},
           {"scope", &scope_},
           {"parts", &parts_},
           {"in_at", &in_at_},
           {"in", &in_},
           {"out_at", &out_at_},
           {"out", &out_},
           {"scratch_at", &scratch_at_},
           {"scratch", &scratch_}});
    out += '}';
    return out.take();
  }

  const Plan& plan_;
  const Plan::Phase& phase_;
  std::vector<int64_t> place_of_;   // of a buffer, as `values.place` has it
  std::vector<uint32_t> value_of_;  // of a plan's value, in this slice
  std::unordered_map<std::string, int64_t> known_;
  std::unordered_map<uint32_t, int64_t> written_;  // by expression
  std::vector<const std::string*> texts_;
  Column id_, bytes_, begin_, end_, above_at_, above_;
  Column kept_id_, kept_bytes_, kept_segment_, kept_type_, kept_source_;
  Column value_id_, value_type_, value_kind_, value_source_, value_place_, value_window_;
  Column op_id_, op_, kernel_, line_, scope_, parts_, in_at_, in_, out_at_, out_, scratch_at_, scratch_;
};

}  // namespace

std::string phase_slice(const Plan& plan, const Plan::Phase& phase) { return Slice(plan, phase).run(); }

}  // namespace irplan
