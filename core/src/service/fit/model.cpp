#include "service/fit/model.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/sort.h"
#include "passes/memory.h"
#include "syntax/parser.h"

namespace irplan::fitting {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Each word of the text that is `word`, replaced.
std::string with_word(std::string_view text, std::string_view word, const std::string& replacement) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const bool begins = is_letter(text[at]) && (at == 0 || !is_letter(text[at - 1]));
    size_t end = at + 1;
    while (begins && end < text.size() && is_letter(text[end])) ++end;
    const std::string_view piece = text.substr(at, end - at);
    out += piece == word ? replacement : std::string(piece);
    at = end;
  }
  return out;
}

// The bytes of as many numbers in another dtype.
int64_t in_dtype(int64_t bytes, DType from, DType to) {
  const DTypeInfo &now = info(from), &then = info(to);
  const __int128 numbers = static_cast<__int128>(bytes) / now.bytes * now.elements;
  return static_cast<int64_t>(numbers * then.bytes / then.elements);
}

bool is_wide_matrix(const TensorType& type) {
  return type.shape.size() > 1 && is_float(type.dtype) && !is_block(type.dtype) && info(type.dtype).bytes > 1;
}

}  // namespace

std::optional<Opened> opened(const std::string& program, int64_t longest, bool fixed) {
  Diagnostics unheard;
  const SourceText source("example.irplan", program);
  syntax::Tree tree = syntax::parse(source, unheard);
  const std::string most = std::to_string(longest);
  bool context = false, batch = false;
  Opened made;
  std::string& out = made.text;
  size_t at = 0;
  const auto put = [&](Span place, const std::string& with) {
    out += program.substr(at, place.begin - at) + with;
    at = place.end;
  };
  using syntax::ItemKind;
  for (const syntax::Item* item : tree.items) {
    const std::string name = item->kind == ItemKind::Let || item->kind == ItemKind::Dim
                                 ? tree.text(item->name.symbol)
                                 : std::string();
    if (item->kind == ItemKind::Let && name == kContext) {
      put(item->span, fixed ? std::string("let ") + kContext + " = " + most
                            : std::string("dim ") + kContext + " in 1.." + most);
      context = true;
    } else if (item->kind == ItemKind::Dim && name == kBatch) {
      made.most_sequences = read_tokens(source.slice(item->high->span)).value_or(0);
      put(item->high->span, std::to_string(kMostSequences));
      batch = true;
    } else if (item->kind == ItemKind::Let || item->kind == ItemKind::Dim || item->kind == ItemKind::Phase ||
               item->kind == ItemKind::Require) {
      put(item->span, with_word(source.slice(item->span), kContext, most));
    }
  }
  if (!context || !batch) return std::nullopt;
  out += program.substr(at);
  return made;
}

Model::Model(std::shared_ptr<const Graph> graph, std::optional<DType> counted)
    : graph_(std::move(graph)), meter_(*graph_), counted_(counted) {
  context_ = graph_->dims->find(kContext);
  batch_ = graph_->dims->find(kBatch).value_or(0);
  step_ = graph_->dims->find(kStep);
  std::vector<const Value*> leaf_of(graph_->buffers.size(), nullptr);
  for (const Value& value : graph_->values) {
    const bool leaf = value.kind == ValueKind::Param || value.kind == ValueKind::State;
    if (value.buffer != kNone && (leaf || !leaf_of[value.buffer])) leaf_of[value.buffer] = &value;
  }
  std::map<std::tuple<uint32_t, Segment, DType, bool, bool>, size_t> known;
  for (BufferId id = 0; id < graph_->buffers.size(); ++id) {
    const Buffer& buffer = graph_->buffers[id];
    if (buffer.segment == Segment::Arena || !meter_.counts(id)) continue;
    const Value* value = leaf_of[id];
    const DType dtype = value ? value->type.dtype : DType::F32;
    const bool retypable = value && value->retypable;
    const bool recounted =
        counted_ && value && buffer.segment == Segment::Weights && is_wide_matrix(value->type);
    const auto [found, fresh] = known.try_emplace(
        {buffer.bytes.index(), buffer.segment, dtype, retypable, recounted}, groups_.size());
    if (fresh) groups_.push_back({buffer.bytes, buffer.segment, dtype, retypable, recounted, 0});
    ++groups_[found->second].count;
  }
}

Interval Model::range(DimIndex dim, uint32_t phase) const { return graph_->ranges(phase)[dim]; }

bool Model::admits(uint32_t phase, const Binding& binding) const {
  return std::all_of(graph_->guards.begin(), graph_->guards.end(), [&](const Guard& guard) {
    return (guard.phase != kNoPhase && guard.phase != phase) || holds(guard.constraint, binding);
  });
}

// The largest admitted size of a dim, the others as in the binding. The guess is what it mostly is.
int64_t Model::largest(uint32_t phase, Binding binding, DimIndex dim, int64_t guess) const {
  const Interval all = range(dim, phase);
  const auto good = [&](int64_t n) { return binding[dim] = n, admits(phase, binding); };
  if (good(all.hi)) return all.hi;
  int64_t low = all.lo, high = all.hi;
  if (guess > low && guess < high) {
    if (good(guess))
      low = guess, high = good(guess + 1) ? high : guess + 1;
    else
      high = guess;
  }
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (good(middle) ? low : high) = middle;
  }
  return low;
}

// The largest step of a phase, or the longest cache: the dims are made as large as guards admit one after
// another. None where not even the smallest sizes are admitted.
std::optional<Binding> Model::corner(uint32_t phase, const Choice& choice, bool step_first) const {
  const Ranges ranges = graph_->ranges(phase);
  Binding out(ranges.size());
  for (DimIndex dim = 0; dim < ranges.size(); ++dim) out[dim] = ranges[dim].lo;
  if (context_) out[*context_] = choice.context;
  out[batch_] = choice.batch;
  if ((context_ && !ranges[*context_].contains(choice.context)) || !ranges[batch_].contains(choice.batch) ||
      !admits(phase, out) || choice.batch > choice.step)
    return std::nullopt;
  const auto enlarge = [&](const Dim& dim) {
    if (context_ == dim.index || dim.index == batch_) return;
    const bool is_step = step_ && dim.index == *step_;
    const int64_t step = step_ ? out[*step_] : 0;
    out[dim.index] =
        largest(phase, out, dim.index, is_step ? choice.step / choice.batch : choice.context - step);
    if (is_step)
      out[dim.index] = std::max(ranges[dim.index].lo, std::min(out[dim.index], choice.step / choice.batch));
  };
  const auto& dims = graph_->dim_list;
  if (step_first)
    std::for_each(dims.begin(), dims.end(), enlarge);
  else
    std::for_each(dims.rbegin(), dims.rend(), enlarge);
  return out;
}

std::optional<int64_t> Model::arena(uint32_t phase, const Binding& binding) const {
  const Expr peak = graph_->phases[phase].peak;
  const int64_t bytes = peak ? evaluate(peak, binding).value_or(-1) : arena_bytes(*graph_, phase, binding);
  return bytes < 0 ? std::nullopt : std::optional(bytes);
}

std::optional<FitBytes> Model::resident(const Binding& binding, const Choice& choice) const {
  FitBytes out;
  for (const Group& group : groups_) {
    auto bytes = evaluate(group.bytes, binding);
    if (!bytes || *bytes < 0 || *bytes > INT64_MAX / 4) return std::nullopt;
    const auto& other = group.segment == Segment::State ? choice.state : choice.weights;
    if (group.recounted) bytes = in_dtype(*bytes, group.dtype, *counted_);
    if (group.retypable && other) bytes = in_dtype(*bytes, group.recounted ? *counted_ : group.dtype, *other);
    int64_t part = meter_.padded(*bytes);
    int64_t& sum = group.segment == Segment::Weights ? out.weights
                   : group.segment == Segment::State ? out.state
                                                     : out.inputs;
    if (__builtin_mul_overflow(part, group.count, &part) || __builtin_add_overflow(sum, part, &sum) ||
        sum > INT64_MAX / 4)
      return std::nullopt;
  }
  return out;
}

FitStep Model::step_of(uint32_t phase, const Binding& binding, int64_t arena) const {
  FitStep out{graph_->phases[phase].name, {}, arena};
  for (const Dim& dim : graph_->dim_list) {
    if (context_ != dim.index) out.dims.emplace_back(dim.name, binding[dim.index]);
  }
  return out;
}

std::optional<FitPoint> Model::at(const Choice& choice) const {
  FitPoint out;
  out.context = choice.context, out.batch = choice.batch, out.step = choice.step;
  for (uint32_t p = 0; p < graph_->phases.size(); ++p) {
    std::optional<FitStep> most;
    for (const bool step_first : {true, false}) {
      const auto binding = corner(p, choice, step_first);
      const auto bytes = binding ? arena(p, *binding) : std::nullopt;
      const auto parts = bytes ? resident(*binding, choice) : std::nullopt;
      if (!parts) return std::nullopt;
      out.bytes.weights = std::max(out.bytes.weights, parts->weights);
      out.bytes.state = std::max(out.bytes.state, parts->state);
      out.bytes.inputs = std::max(out.bytes.inputs, parts->inputs);
      out.bytes.arena = std::max(out.bytes.arena, *bytes);
      if (!most || *bytes > most->arena) most = step_of(p, *binding, *bytes);
    }
    out.steps.push_back(*most);
  }
  return out;
}

std::optional<std::string> Model::broken(const FitPoint& point) const {
  for (const Budget& budget : graph_->budgets) {
    if (!budget.bytes || !budget.elsewhere) continue;
    for (uint32_t p = 0; p < graph_->phases.size(); ++p) {
      if (!budget.speaks_of(p)) continue;
      Binding binding(graph_->dims->dim_count());
      if (context_) binding[*context_] = point.context;
      for (const auto& [name, size] : point.steps[p].dims) binding[*graph_->dims->find(name)] = size;
      const PerSegment& counts = budget.counts;
      const int64_t arena = budget.phase == kNoPhase ? point.bytes.arena : point.steps[p].arena;
      const auto used = sum_of_products({{counts.weights, point.bytes.weights},
                                         {counts.state, point.bytes.state},
                                         {counts.inputs, point.bytes.inputs},
                                         {counts.arena, arena}});
      const auto limit = evaluate(budget.limit, binding);
      if (!used || !limit || *used > *limit) return budget.text;
    }
  }
  return std::nullopt;
}

bool Model::shrinks(ValueKind kind, DType dtype) const {
  const Segment segment = kind == ValueKind::State ? Segment::State : Segment::Weights;
  return std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) {
    constexpr int64_t kNumbers = 4096;
    return group.retypable && group.segment == segment &&
           in_dtype(kNumbers * info(group.dtype).bytes, group.dtype, dtype) <
               kNumbers * info(group.dtype).bytes;
  });
}

std::vector<std::pair<std::string, int64_t>> Model::stored() const {
  std::vector<std::pair<std::string, int64_t>> out;
  for (const Group& group : groups_) {
    if (group.segment != Segment::Weights) continue;
    const auto bytes = evaluate(group.bytes, Binding(graph_->dims->dim_count(), 1));
    const std::string dtype = name(group.recounted ? *counted_ : group.dtype);
    auto row = std::find_if(out.begin(), out.end(), [&](const auto& r) { return r.first == dtype; });
    if (row == out.end()) row = out.insert(out.end(), {dtype, 0});
    const int64_t wide = bytes.value_or(0);
    row->second +=
        meter_.padded(group.recounted ? in_dtype(wide, group.dtype, *counted_) : wide) * group.count;
  }
  sort_range(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return out;
}

}  // namespace irplan::fitting
