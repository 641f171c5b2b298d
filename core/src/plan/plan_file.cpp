#include "irplan/plan_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plan/plan.h"

namespace irplan {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Attr& a, Evaluator& value) {
  if (const auto* b = a.get<bool>()) return *b;
  if (const auto* n = a.get<int64_t>()) return *n;
  if (const auto* d = a.get<double>()) return *d;
  if (const auto* s = a.get<std::string>()) return *s;
  if (const auto* t = a.get<DType>()) return name(*t);
  if (const Expr e = a.expr()) {
    const auto n = value(e);
    return n ? Json(*n) : Json();
  }
  if (const auto* record = a.record()) {
    Json out = Json::object();
    for (const auto& [key, entry] : *record) out[key] = to_json(entry, value);
    return out;
  }
  if (a.is_none()) return nullptr;
  Json out = Json::array();
  for (const Attr& item : a.list()) out.push_back(to_json(item, value));
  return out;
}

int64_t rounded(int64_t bytes, int64_t align) { return (bytes + align - 1) / align * align; }

// Sizes of all dims in a phase; none where one is missing or no dim.
Result<Binding> sizes_of(const Plan& plan, const Plan::Phase& phase, const PlanFile::Sizes& sizes) {
  Binding out(plan.dims.size(), 0);
  std::vector<uint8_t> known(plan.dims.size(), 0);
  const auto find = [&](const std::string& name) {
    return static_cast<size_t>(
        std::find_if(plan.dims.begin(), plan.dims.end(), [&](const auto& d) { return d.name == name; }) -
        plan.dims.begin());
  };
  for (const auto& [name, size] : sizes) {
    const size_t dim = find(name);
    if (dim == plan.dims.size()) return Error{"the plan has no dim " + name};
    out[dim] = size, known[dim] = 1;
  }
  const auto fill = [&](size_t dim, int64_t min, const std::optional<int64_t>& max) {
    if (!known[dim] && max && *max == min) out[dim] = min, known[dim] = 1;
  };
  for (const Plan::PhaseDim& own : phase.dims) fill(find(own.name), own.min, own.max);
  for (size_t i = 0; i < plan.dims.size(); ++i) {
    fill(i, plan.dims[i].min, plan.dims[i].max);
    if (!known[i]) return Error{"no size is given for " + plan.dims[i].name};
  }
  return out;
}

// What the ranges and guards of a phase say of sizes; none where they admit them.
std::optional<std::string> refused(const Plan& plan, const Plan::Phase& phase, const Binding& at) {
  const auto outside = [&](const std::string& name, int64_t n, int64_t min,
                           const std::optional<int64_t>& max) {
    return n < min || (max && n > *max)
               ? std::optional(name + " = " + std::to_string(n) + " is outside of its range " +
                               std::to_string(min) + ".." + (max ? std::to_string(*max) : ""))
               : std::nullopt;
  };
  for (size_t i = 0; i < plan.dims.size(); ++i) {
    const Plan::Dim& dim = plan.dims[i];
    if (auto why = outside(dim.name, at[i], dim.min, dim.max)) return why;
    for (const Plan::PhaseDim& own : phase.dims) {
      if (own.name != dim.name) continue;
      if (auto why = outside(dim.name, at[i], own.min, own.max)) return *why + " in phase " + phase.name;
    }
  }
  for (const Plan::Guard& guard : plan.guards) {
    if (!guard.phase.empty() && guard.phase != phase.name) continue;
    const auto left = evaluate(guard.left, at), right = evaluate(guard.right, at);
    const bool holds = left && right &&
                       (guard.relation == Relation::LessEqual      ? *left <= *right
                        : guard.relation == Relation::GreaterEqual ? *left >= *right
                                                                   : *left == *right);
    if (!holds)
      return "`" + guard.left.text() + " " + symbol(guard.relation) + " " + guard.right.text() +
             "` does not hold";
  }
  return std::nullopt;
}

// Lays out what lies outside of the arena, in listed order.
class StepMaker {
 public:
  StepMaker(const Plan& plan, const Plan::Phase& phase, const Binding& at)
      : plan_(plan), phase_(phase), value_(*plan.pool, at) {
    step_.phase = phase.name;
  }

  std::optional<PlanFile::Step> run(const Binding& at) {
    const auto arena = bind_arena(plan_, phase_.name, at);
    if (!arena) return std::nullopt;
    step_.bytes.arena = arena->bytes;
    for (size_t i = 0; i < plan_.buffers.size(); ++i) {
      if (!add_buffer(plan_.buffers[i], arena->offsets[i])) return std::nullopt;
    }
    for (const Plan::Value& v : plan_.values) {
      if (!add_value(v)) return std::nullopt;
    }
    for (uint32_t i = phase_.ops_begin; i < phase_.ops_end; ++i) add_op(plan_.ops[i]);
    return std::move(step_);
  }

 private:
  bool add_buffer(const Plan::Buffer& b, int64_t arena_offset) {
    PlanFile::Buffer out;
    out.id = b.id;
    out.segment = static_cast<PlanFile::Segment>(b.segment);
    out.here = b.segment != Plan::Segment::Arena || b.phase == phase_.name;
    if (out.here) {
      const auto bytes = value_(b.bytes);
      if (!bytes || *bytes < 0 || *bytes > INT64_MAX / 2) return false;
      out.bytes = *bytes;
      out.offset = b.segment == Plan::Segment::Arena ? arena_offset : place(out);
    }
    step_.buffers.push_back(std::move(out));
    return true;
  }

  int64_t place(const PlanFile::Buffer& b) {
    int64_t& used = b.segment == PlanFile::Segment::Weights ? step_.bytes.weights
                    : b.segment == PlanFile::Segment::State ? step_.bytes.state
                                                            : step_.bytes.inputs;
    const int64_t at = used;
    used += rounded(b.bytes, plan_.align);
    return at;
  }

  bool add_value(const Plan::Value& v) {
    PlanFile::Value out;
    out.id = v.id;
    out.kind = static_cast<PlanFile::Kind>(v.kind);
    out.dtype = v.dtype;
    out.buffer = v.buffer;
    out.source = v.source;
    if (step_.buffers[v.buffer].here && (v.phase.empty() || v.phase == phase_.name)) {
      int64_t dense = 1;
      out.shape.resize(v.shape.size());
      out.strides.resize(v.shape.size());
      for (size_t i = v.shape.size(); i-- > 0;) {
        const auto extent = value_(v.shape[i]);
        const auto stride = v.strides ? value_((*v.strides)[i]) : std::optional(dense);
        if (!extent || !stride || __builtin_mul_overflow(dense, *extent, &dense)) return false;
        out.shape[i] = *extent, out.strides[i] = *stride;
      }
      const auto offset = v.offset ? value_(*v.offset) : std::optional<int64_t>(0);
      if (!offset) return false;
      out.offset = *offset;
    }
    step_.values.push_back(std::move(out));
    return true;
  }

  void add_op(const Plan::Op& o) {
    PlanFile::Op out;
    out.id = o.id;
    out.op = o.row->name;
    out.kernel = o.kernel;
    out.in.assign(o.in.begin(), o.in.end());
    out.out.assign(o.out.begin(), o.out.end());
    out.scratch.assign(o.scratch.begin(), o.scratch.end());
    for (size_t i = 0; i < o.row->attributes.size(); ++i)
      out.attributes.emplace_back(o.row->attributes[i].name, to_json(o.attrs.values()[i], value_).dump());
    out.flops = value_(o.flops).value_or(0);
    out.bytes = value_(o.bytes).value_or(0);
    step_.ops.push_back(std::move(out));
  }

  const Plan& plan_;
  const Plan::Phase& phase_;
  Evaluator value_;
  PlanFile::Step step_;
};

}  // namespace

Result<PlanFile> PlanFile::read(std::string_view json) {
  auto plan = read_true_plan(json);
  if (!plan) return plan.error();
  return PlanFile(std::make_shared<const Plan>(std::move(*plan)));
}

PlanFile::PlanFile(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {
  for (const Plan::Dim& d : plan_->dims) dims_.push_back({d.name, d.min, d.max, d.value, d.per});
  for (const Plan::Phase& p : plan_->phases) phases_.push_back(p.name);
  for (const Plan::Output& o : plan_->outputs) outputs_.push_back({o.name, o.phase, o.value});
}

const std::string& PlanFile::target() const { return plan_->target; }
int64_t PlanFile::align() const { return plan_->align; }

Result<PlanFile::Step> PlanFile::bind(const std::string& phase, const Sizes& sizes) const {
  if (phase == "load") {
    Plan::Phase load;
    load.name = phase;
    while (load.ops_end < plan_->ops.size() && plan_->ops[load.ops_end].phase == phase) ++load.ops_end;
    Binding at;
    for (const Plan::Dim& dim : plan_->dims) at.push_back(dim.value);
    auto step = StepMaker(*plan_, load, at).run(at);
    if (!step) return Error{"a size exceeds 64 bits"};
    return *std::move(step);
  }
  const auto found = std::find_if(plan_->phases.begin(), plan_->phases.end(),
                                  [&](const Plan::Phase& p) { return p.name == phase; });
  if (found == plan_->phases.end()) return Error{"the plan has no phase " + phase};
  const auto at = sizes_of(*plan_, *found, sizes);
  if (!at) return at.error();
  if (auto refusal = refused(*plan_, *found, *at)) return Error{*refusal};
  auto step = StepMaker(*plan_, *found, *at).run(*at);
  if (!step) return Error{"a size exceeds 64 bits"};
  return *std::move(step);
}

}  // namespace irplan
