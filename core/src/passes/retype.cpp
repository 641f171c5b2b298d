#include "passes/retype.h"

#include <algorithm>

#include "ops/alias.h"
#include "ops/whole_rows.h"

namespace irplan {
namespace {

bool has(const Op& op, int operand) {
  return operand >= 0 && static_cast<size_t>(operand) < op.in.size() &&
         op.in[static_cast<size_t>(operand)] != kNone;
}

Reading reading_of_weight(const Op& op, const OperandSpec& operand) {
  return has(op, operand.scaled_by) ? Reading::Fixed : operand.as_weight;
}

// Windows and products cut rows where they like, which blocks do not admit.
Reading reading_of_rows(const OperandSpec& operand, bool blocks) {
  return blocks && !operand.as_blocks ? Reading::Fixed : operand.as_rows;
}

bool wide_float(DType dtype) { return is_float(dtype) && !is_block(dtype) && info(dtype).bytes > 1; }

class Retyping {
 public:
  Retyping(Graph& graph, ValueKind kind, DType dtype) : graph_(graph), kind_(kind), dtype_(dtype) {}

  // How many leaves have the dtype now.
  size_t run() {
    find();
    for (Op& op : graph_.ops) keep_result(op);
    size_t count = 0;
    for (ValueId id = 0; id < graph_.values.size(); ++id) {
      if (origin_[id] != id) continue;
      graph_.values[id].type.dtype = dtype_;
      ++count;
    }
    return count;
  }

  // Which leaves could have it.
  void mark() {
    find();
    for (ValueId id = 0; id < graph_.values.size(); ++id) graph_.values[id].retypable |= origin_[id] == id;
  }

 private:
  void find() {
    origin_.assign(graph_.values.size(), kNone);
    for (ValueId id = 0; id < graph_.values.size(); ++id) {
      if (graph_.values[id].kind == kind_ && fitting(graph_.values[id].type)) origin_[id] = id;
    }
    for (const Op& op : graph_.ops) look_at(op);
  }

  bool fitting(const TensorType& type) const {
    if (type.shape.size() < 2 || !wide_float(type.dtype)) return false;
    const int64_t block = info(dtype_).elements;
    return block == 1 || graph_.dims->mod(type.shape.back(), graph_.dims->constant(block)).is(0);
  }

  Reading reading(const Op& op, size_t operand) const {
    const OperandSpec& spec = op.row->operands[std::min(operand, op.row->operands.size() - 1)];
    return kind_ == ValueKind::State ? reading_of_rows(spec, is_block(dtype_)) : reading_of_weight(op, spec);
  }

  // A leaf with a reader that needs the declared dtype is none of ours; windows lead on to further readers.
  void look_at(const Op& op) {
    for (size_t i = 0; i < op.in.size(); ++i) {
      const ValueId leaf = leaf_of(op.in[i]);
      if (leaf == kNone) continue;
      const Reading how = reading(op, i);
      if (how == Reading::Fixed) origin_[leaf] = kNone;
      if (how != Reading::Shown) continue;
      for (const ValueId result : op.out) origin_[result] = leaf;
    }
  }

  // The leaf whose bytes a value shows, while that leaf is still to be retyped.
  ValueId leaf_of(ValueId id) const {
    if (id == kNone || origin_[id] == kNone) return kNone;
    return origin_[origin_[id]];
  }

  void keep_result(Op& op) {
    for (size_t i = 0; i < op.in.size(); ++i) {
      const ValueId leaf = leaf_of(op.in[i]);
      if (leaf == kNone || reading(op, i) != Reading::Followed || !op.attrs["to"].is_none()) continue;
      op.attrs.set("to", Attr(graph_.values[leaf].type.dtype));
    }
  }

  Graph& graph_;
  ValueKind kind_;
  DType dtype_;
  std::vector<ValueId> origin_;  // by value: the leaf whose bytes it shows; kNone: of none that is retyped
};

void refuse_dtype(const std::string& what, const std::string& dtype, Diagnostics& diagnostics) {
  const bool is_dtype = find_dtype(dtype).has_value();
  std::vector<std::string> names;
  for (int i = 0; i < kDTypes; ++i) {
    if (is_float(static_cast<DType>(i))) names.emplace_back(name(static_cast<DType>(i)));
  }
  Diagnostic& d = diagnostics.report(
      Code::RetypeWithoutEffect, {},
      {what, dtype, "`" + dtype + (is_dtype ? "` holds no real numbers" : "` is not a dtype")});
  std::string all;
  for (const std::string& known : names) all += (all.empty() ? "" : ", ") + known;
  d.rule("dtypes of real numbers: " + all);
  const auto alias = dtype_alias(dtype);
  const bool bytes = alias == DType::I8 || dtype == "8";  // as others call weights of 8 bits
  const std::string near = bytes                       ? what == "state" ? "f8e4m3" : "q8_0"
                           : dtype == "4"              ? "q4_0"
                           : alias && is_float(*alias) ? irplan::name(*alias)
                                                       : nearest(dtype, names);
  if (!near.empty()) d.help("did you mean `--retype " + what + "=" + near + "`?");
}

// Products quantise their activations where the weight is a param and blocks divide the inner size. How many.
size_t quantise_activations(Graph& graph) {
  size_t count = 0;
  for (Op& op : graph.ops) {
    const auto attribute = std::find_if(op.row->attributes.begin(), op.row->attributes.end(),
                                        [](const AttrSpec& a) { return std::string_view(a.name) == "rows"; });
    if (attribute == op.row->attributes.end()) continue;
    const Value& weight = graph.values[op.in[1]];
    if (weight.kind != ValueKind::Param || weight.type.shape.empty()) continue;
    if (!graph.dims->mod(weight.type.shape.back(), graph.dims->constant(kWholeBlock)).is(0)) continue;
    op.attrs.set("rows", Attr(DType::Q8_0));
    ++count;
  }
  return count;
}

void retype_activations(Graph& graph, const std::string& dtype, Diagnostics& diagnostics) {
  const auto refuse = [&](const std::string& why) -> Diagnostic& {
    return diagnostics.report(Code::RetypeWithoutEffect, {}, {"activations", dtype, why});
  };
  if (dtype != "i8" && dtype != "q8_0") {
    refuse("products quantise their activations to 8 bits alone").help("write `--retype activations=i8`");
  } else if (graph.target.name != "cpu") {
    refuse("no kernel of " + graph.target.name + " multiplies in whole numbers")
        .help("`--target cpu` has them");
  } else if (quantise_activations(graph) == 0) {
    refuse("no product can quantise them")
        .rule("`linear` with a param as `w`, where 32 divides the inner size");
  }
}

}  // namespace

void retype(Graph& graph, const std::vector<std::pair<std::string, std::string>>& retypes,
            Diagnostics& diagnostics) {
  for (const auto& [what, dtype] : retypes) {
    if (what == "activations") {
      retype_activations(graph, dtype, diagnostics);
      continue;
    }
    if (what != "state" && what != "weights") {
      const bool cache = what.find("cache") != std::string::npos || what.find("kv") == 0 || what == "states";
      diagnostics
          .report(Code::RetypeWithoutEffect, {},
                  {what, dtype, "`" + what + "` is none of `state`, `weights` and `activations`"})
          .help("write `--retype " + std::string(cache ? "state" : "weights") + "=" + dtype + "`");
      continue;
    }
    const auto type = find_dtype(dtype);
    if (!type || !is_float(*type)) {
      refuse_dtype(what, dtype, diagnostics);
      continue;
    }
    const bool state = what == "state";
    if (Retyping(graph, state ? ValueKind::State : ValueKind::Param, *type).run() > 0) continue;
    diagnostics
        .report(Code::RetypeWithoutEffect, {},
                {what, dtype, state ? "no state can be kept in it" : "no weight can be stored in it"})
        .rule(state
                  ? "rows that only `append`, `attention`, windows and products read; a block dtype divides "
                    "the last axis"
                  : "matrices of `embed`, `linear` and `expert` without a scale; a block dtype divides the "
                    "last axis");
  }
}

void mark_retypable(Graph& graph) {
  Retyping(graph, ValueKind::State, DType::F8E4M3).mark();
  Retyping(graph, ValueKind::Param, DType::Q8_0).mark();
}

}  // namespace irplan
