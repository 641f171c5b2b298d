#include <algorithm>
#include <nlohmann/json.hpp>

#include "irplan/diagnostic.h"

namespace irplan {
namespace {

using Json = nlohmann::ordered_json;

void place(Json& json, const SourceText& source, Span span) {
  const LineColumn begin = source.locate(span.begin);
  const LineColumn end = source.locate(std::max(span.begin, span.end));
  json["file"] = source.name();
  json["line"] = begin.line;
  json["column"] = begin.column;
  json["end_line"] = end.line;
  json["end_column"] = end.column;
}

Json label_json(const SourceText& source, Span span, const std::string& message) {
  Json json;
  json["message"] = message;
  place(json, source, span);
  return json;
}

// Only a program can be edited: without a source the fix is advice.
Json fix_json(const SourceText* source, const Fix& fix) {
  Json edits = Json::array();
  for (const Edit& edit : fix.edits) {
    if (!source) break;
    Json json;
    place(json, *source, edit.span);
    json["text"] = edit.text;
    edits.push_back(std::move(json));
  }
  Json json;
  json["message"] = fix.message;
  json["edits"] = std::move(edits);
  return json;
}

}  // namespace

std::string to_json(const Diagnostic& diagnostic, const SourceText& program) {
  const SourceText& source = diagnostic.elsewhere ? *diagnostic.elsewhere : program;
  Json json;
  json["code"] = info(diagnostic.code).name;
  json["severity"] = diagnostic.severity == Severity::Error ? "error" : "warning";
  json["message"] = diagnostic.message;
  place(json, source, diagnostic.span);
  Json labels = Json::array();
  // The primary place's own label comes first, so that a reader needs to know one list only.
  if (!diagnostic.label.empty()) labels.push_back(label_json(source, diagnostic.span, diagnostic.label));
  for (const Label& label : diagnostic.labels)
    labels.push_back(label_json(label.in_program ? program : source, label.span, label.message));
  json["labels"] = std::move(labels);
  json["notes"] = diagnostic.notes;
  Json fixes = Json::array();
  for (const Fix& fix : diagnostic.fixes)
    fixes.push_back(fix_json(diagnostic.elsewhere ? nullptr : &program, fix));
  json["fixes"] = std::move(fixes);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_json(const std::vector<Diagnostic>& diagnostics, const SourceText& source) {
  std::string out = "[";
  for (const Diagnostic& d : diagnostics) {
    out += out.size() > 1 ? ",\n" : "\n";
    out += to_json(d, source);
  }
  return out + (diagnostics.empty() ? "]" : "\n]");
}

}  // namespace irplan
