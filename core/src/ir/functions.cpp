// Calls of the program's own functions: each is elaborated anew, in a scope and a frame of its own.
#include <algorithm>
#include <utility>

#include "ir/elaborator.h"
#include "ir/words.h"

namespace irplan {
Datum Elaborator::call_fn(const ast::Expr& e, const ast::Item& fn, const Want& want) {
  if (!may_call(e, fn)) return poison();
  steps_ += kCallSteps;
  Given given = arguments(e, fn, want);
  std::vector<std::string> ids;
  if (want.ids) {
    ids = std::move(*want.ids);
  } else {
    ids.push_back(want.namer->next());
  }
  // What the function says is in the program, wherever its call stands.
  auto outer = std::exchange(elsewhere_, nullptr);
  enter(fn, ids[0]);
  bind_parameters(fn, given);
  auto result = given.good ? body(fn, std::move(ids)) : std::nullopt;
  locals_.resize(frames_.back().locals, Local{});
  scopes_.pop_back();
  frames_.pop_back();
  Datum value;
  if (result) {
    value = result_of(fn, *result);
  } else if (given.good && !stopped_) {
    Diagnostic& d = report(Code::ReturnMissing, fn.name.span, {text(fn.name)});
    if (!outer) d.also(e.span, "called here");
  }
  elsewhere_ = std::move(outer);
  return value;
}

bool Elaborator::may_call(const ast::Expr& e, const ast::Item& fn) {
  const auto runs = [&](const Frame& frame) { return frame.fn == &fn; };
  if (std::any_of(frames_.begin(), frames_.end(), runs)) {
    report(Code::Recursion, e.span, {text(fn.name)}).rule("recursion is an error");
    return false;
  }
  if (frames_.size() > static_cast<size_t>(kMaxCallDepth)) {
    report(Code::CallsTooDeep, e.span, {std::to_string(kMaxCallDepth)});
    return false;
  }
  return true;
}

// Arguments in the caller's scope, by parameter: positional ones in their order, the others by name.
Elaborator::Given Elaborator::arguments(const ast::Expr& e, const ast::Item& fn, const Want& want) {
  const size_t count = fn.parameters.size();
  Given given;
  given.values.resize(count);
  given.places.resize(count, Span{});
  size_t next = 0;
  for (const ast::Arg& arg : e.args) {
    const size_t at = arg.name ? parameter(fn, *arg.name) : next++;
    if (arg.name && at == count) {
      given.good = false;
      continue;
    }
    Datum value = eval(*arg.value, {nullptr, want.namer});
    if (at >= count) {
      report(Code::DoesNotTake, arg.value->span, {text(fn.name), arguments_text(e.args.size())})
          .also_in_program(fn.name.span, "takes " + (count == 0 ? "nothing" : std::to_string(count)));
      given.good = false;
      continue;
    }
    given.places[at] = place_of(*arg.value);
    if (given.values[at]) {
      report(Code::ArgumentTwice, arg.value->span, {text(fn.parameters[at].name), text(fn.name)});
      given.good = false;
    }
    given.values[at] = std::move(value);
  }
  const bool good = given.good;
  for (size_t i = 0; i < count; ++i) {
    const ast::Parameter& missing = fn.parameters[i];
    if (given.values[i] || missing.fallback) continue;
    if (good) {  // else an argument that was told may be this one
      report(Code::ArgumentMissing, e.span, {text(missing.name), text(fn.name)})
          .also_in_program(fn.name.span, "defined here");
    }
    given.values[i] = poison();
    given.good = false;
  }
  return given;
}

// The parameter of that name; after an error about one that does not exist, their number.
size_t Elaborator::parameter(const ast::Item& fn, const ast::Name& name) {
  std::vector<std::string> names;
  for (const ast::Parameter& p : fn.parameters) {
    if (p.name.symbol == name.symbol) return names.size();
    names.push_back(text(p.name));
  }
  Diagnostic& d = report(Code::UnknownArgument, name.span, {text(name), text(fn.name)});
  d.also_in_program(fn.name.span, "takes " + (names.empty() ? "nothing" : joined(names, ", ")));
  const std::string near = nearest(text(name), names);
  if (!near.empty()) d.fix("did you mean `" + near + "`", name.span, near);
  return names.size();
}

// The ids of what the body makes begin with the call's own, without the phase: `target_id` puts that before
// each. The call of a constant (`let n = f()`) belongs to no phase and has none to take away.
void Elaborator::enter(const ast::Item& fn, const std::string& id) {
  Frame frame;
  frame.locals = locals_.size();
  frame.fn = &fn;
  frame.position = find_global(fn.name.symbol)->position;
  frames_.push_back(frame);
  const bool of_phase = id.compare(0, phase_prefix_.size(), phase_prefix_) == 0;
  scopes_.push_back({id.substr(of_phase ? phase_prefix_.size() : 0) + "/", locals_.size(), {}, {}});
}

// Defaults see the parameters before theirs.
void Elaborator::bind_parameters(const ast::Item& fn, Given& given) {
  for (size_t i = 0; i < fn.parameters.size(); ++i) {
    const ast::Parameter& parameter = fn.parameters[i];
    if (!given.values[i]) {
      Namer own;
      given.values[i] = eval(*parameter.fallback, {nullptr, &own});
    }
    if (parameter.annotation && given.values[i]->is_tensor()) {
      if (const auto type = tensor_type(*parameter.annotation)) {
        graph_.annotations.push_back({given.values[i]->tensor(), *type, parameter.annotation->span});
      }
    }
    const size_t height = locals_.size();
    bind(parameter.name, std::move(*given.values[i]));
    if (locals_.size() > height) locals_.back().given = given.places[i];
  }
}

// What the body returns; none where it ends without, or a limit was hit.
std::optional<std::vector<Datum>> Elaborator::body(const ast::Item& fn, std::vector<std::string> ids) {
  std::vector<std::string> outer_ids = std::exchange(return_ids_, std::move(ids));
  const Flow flow = block(*fn.body);
  std::optional<std::vector<Datum>> result;
  if (flow == Flow::Return && !stopped_) result = std::move(returned_);
  returned_.clear();
  return_ids_ = std::move(outer_ids);
  return result;
}

Datum Elaborator::result_of(const ast::Item& fn, std::vector<Datum>& results) {
  if (results.empty()) return poison();
  if (results.size() == 1) return std::move(results[0]);
  Tensors all;
  for (const Datum& value : results) {
    if (value.poisoned()) return poison();
    if (!value.is_tensor() || value.get<Tensors>()->ids.size() != 1) {
      report(Code::ResultNoTensor, fn.name.span, {text(fn.name), kind_name(value)});
      return poison();
    }
    all.ids.push_back(value.tensor());
  }
  return Datum(std::move(all));
}

}  // namespace irplan
