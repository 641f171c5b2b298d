#include "service/serve.h"

#include <cstdint>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/text_writer.h"
#include "irplan/compile.h"
#include "irplan/dtype.h"
#include "irplan/format.h"
#include "ops/op.h"
#include "service/binding_view.h"
#include "service/serve_parts.h"

namespace irplan {
namespace {

using namespace serving;
using nlohmann::json;

// The plan that "bind" without "plan" means. Read only when it is first bound: most compilations are never.
struct LastPlan {
  std::string text;
  std::optional<Plan> plan;
  std::string why;  // it cannot be read
  bool read = false;

  void replace(std::string with) {
    text = std::move(with);
    plan.reset();
    read = false;
  }
  const Plan* get() {
    if (!read) {
      plan = read_plan(text, &why);
      read = true;
    }
    return plan ? &*plan : nullptr;
  }
};

LastPlan& last_plan() {
  static LastPlan last;
  return last;
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

std::string serve_compile(const json& request) {
  Compilation done = compile(SourceText(text_of(request, "file", "page.irplan"), text_of(request, "text")),
                             options_of(request));
  TextWriter reply(done.plan_json.size() + done.plan_json.size() / 4 + 4096);
  reply += done.ok ? "{\"ok\":true,\"plan\":" : "{\"ok\":false,\"plan\":null";
  if (done.ok) reply.quote(done.plan_json);
  reply += ",\"diagnostics\":";
  reply += to_json(done.diagnostics.list(), done.source);
  reply += ",\"rendered\":";
  reply.quote(render(done.diagnostics, done.source, false));
  reply += ",\"unread_config_keys\":";
  reply += dump(done.unread_config_keys);
  reply += '}';
  if (done.ok) last_plan().replace(std::move(done.plan_json));
  return reply.take();
}

std::string serve_format(const json& request) {
  const SourceText source(text_of(request, "file", "page.irplan"), text_of(request, "text"));
  Diagnostics diagnostics;
  const std::optional<std::string> text = format(source, diagnostics);
  diagnostics.sort();
  return "{\"text\":" + (text ? dump(*text) : "null") +
         ",\"diagnostics\":" + to_json(diagnostics.list(), source) + "}";
}

// The plan that the request names, or the last one; null after `why` says that there is none.
const Plan* asked_plan(const json& request, std::string* why) {
  LastPlan& last = last_plan();
  if (const json* text = member(request, "plan"); text && text->is_string()) {
    const std::string& given = text->get_ref<const std::string&>();
    if (given != last.text) last.replace(given);
  }
  const Plan* plan = last.get();
  if (!plan) *why = "the plan cannot be read: " + last.why;
  return plan;
}

std::string serve_bind(const json& request) {
  std::string why;
  const Plan* plan = asked_plan(request, &why);
  return plan ? binding_view(*plan, sizes_of(request, "dims")) : failure(why);
}

std::string serve_explain(const json& request) {
  std::string why;
  const Plan* plan = asked_plan(request, &why);
  return plan ? explain(*plan, request) : failure(why);
}

std::string serve_picture(const json& request) {
  std::string why;
  const Plan* plan = asked_plan(request, &why);
  return plan ? picture(*plan, request) : failure(why);
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

std::string answer(std::string_view request_json) {
  const json request = json::parse(request_json.begin(), request_json.end(), nullptr, false);
  if (!request.is_object()) return failure("the request is no JSON object");
  const std::string method = text_of(request, "method");
  if (method == "compile") return serve_compile(request);
  if (method == "bind") return serve_bind(request);
  if (method == "explain") return serve_explain(request);
  if (method == "picture") return serve_picture(request);
  if (method == "diff") return diff(request);
  if (method == "fit") return fit(request);
  if (method == "new") return new_program(request);
  if (method == "pack") return pack(request);
  if (method == "format") return serve_format(request);
  if (method == "ops") return serve_ops();
  if (method == "version") return dump(json{{"version", kVersion}, {"plan_version", kPlanVersion}});
  return failure("there is no method `" + method + "`");
}

}  // namespace

std::string serve(std::string_view request_json) {
#if defined(__cpp_exceptions)
  try {
    return answer(request_json);
  } catch (const std::bad_alloc&) {
    return dump(json{{"error", "out of memory"}});
  } catch (const std::exception& error) {
    return dump(json{{"error", std::string("the compiler met a fault of its own: ") + error.what() +
                                   "; please report it, with the program and its config"},
                     {"fault", true}});
  }
#else  // in WebAssembly a throw ends the module, and wasm/index.js answers
  return answer(request_json);
#endif
}

}  // namespace irplan
