#include "service/serve.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iterator>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/bounded_json.h"
#include "base/sha256.h"
#include "base/text_writer.h"
#include "irplan/compile.h"
#include "irplan/dtype.h"
#include "irplan/format.h"
#include "ops/op.h"
#include "service/binding_view.h"
#include "service/language/serve_language.h"
#include "service/phase_slice.h"
#include "service/serve_parts.h"

namespace irplan {
namespace {

using namespace serving;
using json = nlohmann::ordered_json;

// The plan that "bind" without "plan" means. Read only when it is first bound: most compilations are never.
struct LastPlan {
  std::string text;
  std::optional<Result<Plan>> plan;

  void replace(std::string with) {
    text = std::move(with);
    plan.reset();
  }
  const Result<Plan>& get() {
    if (!plan) plan = read_plan(text);
    return *plan;
  }
};

LastPlan& last_plan() {
  static LastPlan last;
  return last;
}

// Plans by handle. The text is written when somebody first asks for it: most plans are looked at, not read.
struct KeptPlan {
  int64_t handle = 0;
  std::shared_ptr<const Plan> plan;
  std::string written;

  const std::string& text() {
    if (written.empty()) written = write_plan(*plan);
    return written;
  }
};

std::vector<KeptPlan>& kept_plans() {
  static std::vector<KeptPlan> kept;  // the oldest first
  return kept;
}

int64_t keep(std::shared_ptr<const Plan> plan) {
  static int64_t last = 0;
  auto& kept = kept_plans();
  if (kept.size() == kKept) kept.erase(kept.begin());
  kept.push_back({++last, std::move(plan), {}});
  return last;
}

KeptPlan* find_kept(const json& request) {
  const json* handle = member(request, "handle");
  if (!handle || !handle->is_number_integer()) return nullptr;
  auto& kept = kept_plans();
  const auto found = std::find_if(kept.begin(), kept.end(),
                                  [&](const KeptPlan& one) { return one.handle == handle->get<int64_t>(); });
  return found == kept.end() ? nullptr : &*found;
}

CompileOptions options_of(const json& request) {
  CompileOptions options;
  options.config_name = text_of(request, "config_name", options.config_name.c_str());
  if (const json* config = member(request, "config"); config && config->is_string())
    options.config = config->get<std::string>();
  const json* given = member(request, "options");
  if (!given) return options;
  options.dims = sizes_of(*given, "dims");
  options.lets = texts_by_name(*given, "lets");
  options.retypes = texts_by_name(*given, "retypes");
  options.budgets = texts_of(*given, "budgets");
  options.keep_order = flag_of(*given, "keep_order");
  options.strength = text_of(*given, "strength", options.strength.c_str());
  options.target = text_of(*given, "target", options.target.c_str());
  options.deny_warnings = flag_of(*given, "deny_warnings");
  options.advise = flag_of(*given, "advise", options.advise);
  return options;
}

std::string serve_compile(const json& request, const OnPass& on_pass) {
  CompileOptions options = options_of(request);
  const bool keeps = flag_of(request, "keep");
  options.text = !keeps;
  options.bindings = keeps;
  options.on_pass = on_pass;
  Compilation done =
      compile(SourceText(text_of(request, "file", "page.irplan"), text_of(request, "text")), options);
  TextWriter reply(done.plan_json.size() + done.plan_json.size() / 4 + 4096);
  reply += done.ok ? "{\"ok\":true" : "{\"ok\":false";
  if (keeps) {
    reply += ",\"handle\":";
    reply += done.plan ? std::to_string(keep(done.plan)) : "null";
    reply += done.plan && !done.ok ? ",\"refused\":true" : ",\"refused\":false";
  } else {
    reply += ",\"plan\":";
    done.ok ? reply.quote(done.plan_json) : void(reply += "null");
  }
  reply += ",\"diagnostics\":";
  reply += to_json(done.diagnostics.list(), done.source);
  reply += ",\"rendered\":";
  reply.quote(render(done.diagnostics, done.source, false));
  reply += ",\"unread_config_keys\":";
  reply += dump(done.unread_config_keys);
  reply += '}';
  if (done.ok && !keeps) last_plan().replace(std::move(done.plan_json));
  if (keeps) keep_for_language(std::move(done));
  return reply.take();
}

std::string serve_passes(const json& request) {
  CompileOptions options = options_of(request);
  options.advise = options.text = false;
  for (const PassInfo& pass : passes())
    if (pass.name != std::string_view("emit")) options.dump_after.emplace_back(pass.name);
  const Compilation done =
      compile(SourceText(text_of(request, "file", "page.irplan"), text_of(request, "text")), options);
  json list = json::array();
  const std::string* before = nullptr;
  for (const auto& dump_of_pass : done.dumps) {
    const std::string& name = dump_of_pass.first;
    const std::string& text = dump_of_pass.second;
    if (before && *before == text) continue;
    before = &text;
    const auto& all = passes();
    const auto pass = std::find_if(all.begin(), all.end(), [&](const PassInfo& p) { return p.name == name; });
    list.push_back({{"name", name}, {"contract", pass == all.end() ? "" : pass->contract}, {"text", text}});
  }
  return dump(json{{"passes", std::move(list)}});
}

std::string serve_format(const json& request) {
  const SourceText source(text_of(request, "file", "page.irplan"), text_of(request, "text"));
  Diagnostics diagnostics;
  const std::optional<std::string> text = format(source, diagnostics);
  diagnostics.sort();
  return "{\"text\":" + (text ? dump(*text) : "null") +
         ",\"diagnostics\":" + to_json(diagnostics.list(), source) + "}";
}

std::string serve_kept(const std::string& method, const json& request) {
  KeptPlan* kept = find_kept(request);
  if (!kept) return failure("there is no plan with this handle");
  if (method == "outline") return write_outline(*kept->plan);
  if (method == "slice") {
    const std::string name = text_of(request, "phase");
    for (const Plan::Phase& phase : kept->plan->phases)
      if (phase.name == name) return phase_slice(*kept->plan, phase);
    return failure("the plan has no phase `" + name + "`");
  }
  if (method == "proof") return dump(json{{"sha256", sha256(kept->text())}, {"bytes", kept->text().size()}});
  if (method == "text") {
    TextWriter reply(kept->text().size() + kept->text().size() / 4 + 64);
    reply += "{\"text\":";
    reply.quote(kept->text());
    reply += '}';
    return reply.take();
  }
  kept_plans().erase(kept_plans().begin() + (kept - kept_plans().data()));  // release
  return dump(json{{"ok", true}});
}

// The plan that the request names, or the last one.
Result<const Plan*> asked_plan(const json& request) {
  if (member(request, "handle")) {
    const KeptPlan* kept = find_kept(request);
    if (!kept) return Error{"there is no plan with this handle"};
    return kept->plan.get();
  }
  LastPlan& last = last_plan();
  if (const json* text = member(request, "plan"); text && text->is_string()) {
    const std::string& given = text->get_ref<const std::string&>();
    if (given != last.text) last.replace(given);
  }
  const Result<Plan>& plan = last.get();
  if (!plan) return Error{"the plan cannot be read: " + plan.message()};
  return &*plan;
}

std::string serve_bind(const json& request) {
  const auto plan = asked_plan(request);
  if (!plan) return failure(plan.message());
  return binding_view(**plan, sizes_of(request, "dims"), text_of(request, "phase"));
}

std::string serve_explain(const json& request) {
  const auto plan = asked_plan(request);
  return plan ? explain(**plan, request) : failure(plan.message());
}

std::string serve_picture(const json& request) {
  const auto plan = asked_plan(request);
  return plan ? picture(**plan, request) : failure(plan.message());
}

const char* kind_name(AttrKind kind) {
  switch (kind) {
    case AttrKind::Bool: return "bool";
    case AttrKind::Int: return "int";
    case AttrKind::Number: return "number";
    case AttrKind::Extent: return "extent";
    case AttrKind::Extents: return "extents";
    case AttrKind::Ints: return "ints";
    case AttrKind::Dtype: return "dtype";
    case AttrKind::Word: return "word";
    case AttrKind::Record: return "record";
  }
  return "";
}

json text_or_null(const char* text) { return text ? json(text) : json(nullptr); }

std::string serve_ops() {
  json ops = json::array();
  for (const OpRow& row : op_table()) {
    json operands = json::array(), attributes = json::array();
    for (const OperandSpec& operand : row.operands)
      operands.push_back({{"name", operand.name}, {"optional", operand.optional}});
    for (const AttrSpec& attribute : row.attributes)
      if (!attribute.implicit)
        attributes.push_back({{"name", attribute.name},
                              {"kind", kind_name(attribute.kind)},
                              {"fallback", text_or_null(attribute.fallback)},
                              {"choices", text_or_null(attribute.choices)}});
    ops.push_back({{"name", row.name},
                   {"operands", std::move(operands)},
                   {"attributes", std::move(attributes)},
                   {"operand_text", text_or_null(row.operand_text)},
                   {"shape_text", text_or_null(row.shape_text)},
                   {"doc", text_or_null(row.doc)},
                   {"variadic", row.variadic},
                   {"in_place", row.in_place},
                   {"fused", row.fused}});
  }
  json dtypes = json::array();
  for (int i = 0; i < kDTypes; ++i) {
    const DTypeInfo& type = info(static_cast<DType>(i));
    dtypes.push_back({{"name", type.name}, {"elements", type.elements}, {"bytes", type.bytes}});
  }
  return dump(json{{"ops", std::move(ops)}, {"dtypes", std::move(dtypes)}});
}

std::string answer(std::string_view request_json, const OnPass& on_pass) {
  const auto parsed = parse_bounded(request_json);
  if (!parsed) return failure("the request " + parsed.message());
  const json& request = *parsed;
  if (!request.is_object()) return failure("the request is not a JSON object");
  const std::string method = text_of(request, "method");
  if (method == "compile") return serve_compile(request, on_pass);
  if (method == "bind") return serve_bind(request);
  constexpr const char* kOfKept[] = {"outline", "slice", "proof", "text", "release"};
  if (std::find(std::begin(kOfKept), std::end(kOfKept), method) != std::end(kOfKept))
    return serve_kept(method, request);
  if (method == "passes") return serve_passes(request);
  if (method == "explain") return serve_explain(request);
  if (method == "picture") return serve_picture(request);
  if (method == "diff") return diff(request);
  if (method == "fit") return fit(request);
  if (method == "gpus") return known_gpus();
  if (method == "new") return new_program(request);
  if (method == "pack") return pack(request);
  if (method == "format") return serve_format(request);
  if (method == "language") return serve_language(request);
  if (method == "ops") return serve_ops();
  if (method == "version") return dump(json{{"version", kVersion}, {"plan_version", kPlanVersion}});
  return failure("there is no method `" + method + "`");
}

}  // namespace

std::string serve(std::string_view request_json, const OnPass& on_pass) {
#if defined(__cpp_exceptions)
  try {
    return answer(request_json, on_pass);
  } catch (const std::bad_alloc&) {
    return dump(json{{"error", "out of memory"}});
  } catch (const std::exception& error) {
    return dump(json{{"error", std::string("the compiler met a fault of its own: ") + error.what() +
                                   "; please report it, with the program and its config"},
                     {"fault", true}});
  }
#else  // in WebAssembly a throw ends the module, and wasm/index.js answers
  return answer(request_json, on_pass);
#endif
}

}  // namespace irplan
