#include "plan/describe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plan/fields.h"

namespace irplan {
namespace {

using Json = nlohmann::ordered_json;
using plan_fields::Note;
using plan_fields::To;

constexpr size_t kWidth = 120;  // columns of a line

// What records are made of, besides themselves.
constexpr const char* kSmallest = R"({
  "size": {"type": "integer", "minimum": 0, "maximum": 9007199254740991},
  "sizes": {"description": "of dims, by their name", "type": "object", "additionalProperties": {"$ref": "#/$defs/size"}},
  "id": {"type": "string", "minLength": 1, "maxLength": 4096},
  "expression": {
    "description": "a sum over dims in normal form: \"2*D*S + 256\"",
    "type": "string", "pattern": "^-?[A-Za-z0-9][A-Za-z0-9_*+(), -]*$", "maxLength": 1048576
  },
  "guard_expression": {"type": "string", "pattern": "^[^<>=]+ (<=|>=|==) [^<>=]+$"},
  "span": {
    "description": "half-open, in indices of `ops`",
    "type": "array", "items": {"$ref": "#/$defs/size"}, "minItems": 2, "maxItems": 2
  },
  "kernel": {"description": "<target>_<op>_v<N>", "type": "string", "pattern": "^[a-z0-9]+_[a-z0-9_]+_v[1-9][0-9]{0,3}$"},
  "attribute": {
    "anyOf": [
      {"type": ["null", "boolean", "number", "string"]},
      {"type": "array", "items": {"$ref": "#/$defs/attribute"}},
      {"type": "object", "additionalProperties": {"$ref": "#/$defs/attribute"}}
    ]
  }
})";

// As irplan::to_json writes them.
constexpr const char* kDiagnostics = R"({
  "place": {
    "type": "object",
    "properties": {
      "line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1},
      "end_line": {"type": "integer", "minimum": 1}, "end_column": {"type": "integer", "minimum": 1}
    },
    "required": ["line", "column", "end_line", "end_column"]
  },
  "diagnostic": {
    "description": "what the compiler said",
    "type": "object",
    "properties": {
      "code": {"type": "string", "pattern": "^[EW][0-9]{4}$"},
      "severity": {"enum": ["error", "warning"]},
      "message": {"type": "string"},
      "file": {"type": "string"},
      "line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1},
      "end_line": {"type": "integer", "minimum": 1}, "end_column": {"type": "integer", "minimum": 1},
      "labels": {"type": "array", "items": {"$ref": "#/$defs/place"}},
      "notes": {"type": "array", "items": {"type": "string"}},
      "fixes": {
        "type": "array",
        "items": {
          "type": "object",
          "properties": {"message": {"type": "string"}, "edits": {"type": "array", "items": {"$ref": "#/$defs/place"}}},
          "required": ["message", "edits"]
        }
      }
    },
    "required": ["code", "severity", "message", "file", "line", "column", "end_line", "end_column", "labels", "notes", "fixes"]
  }
})";

Json reference(const std::string& name) { return {{"$ref", "#/$defs/" + name}}; }
Json list_of(const Json& items) { return {{"type", "array"}, {"items", items}}; }
Json pair_of(const Json& items) {
  return {{"type", "array"}, {"items", items}, {"minItems", 2}, {"maxItems", 2}};
}

// A type in both languages.
struct Form {
  Json schema;
  std::string type;
};
struct RecordKey {
  std::string name, doc;
  Form form;
  bool required = true;
};
struct Record {
  std::string name, doc;
  std::vector<RecordKey> keys;
  Json rules = Json::array();  // what keys need others
};

// "memory" -> "PlanMemory", "at_peak" -> "PlanAtPeak"
std::string type_name(const std::string& record) {
  std::string out = "Plan";
  bool upper = record != "plan";
  for (const char c : record == "plan" ? std::string() : record) {
    if (c != '_') out += upper ? static_cast<char>(c - 'a' + 'A') : c;
    upper = c == '_';
  }
  return out;
}

// A walker of fields.h: the records that a plan is made of, each after those it holds.
class Describer {
 public:
  static constexpr bool kReads = false;

  Describer() { describe(Plan()); }
  const std::vector<Record>& records() const { return records_; }

  // ---- a walker of fields.h
  void record(const char* name, const char* doc) { now_.name = name, now_.doc = doc; }
  void needs(const char* key, const char* word, std::initializer_list<const char*> needed) {
    Json required = Json::array();
    for (const char* other : needed) required.push_back(other);
    now_.rules.push_back(
        {{"if", {{"properties", {{key, {{"const", word}}}}}}}, {"then", {{"required", required}}}});
  }
  template <class T>
  void always(const char* key, const T& x, const Note& note = {}) {
    add(key, form_of(x), note, true);
  }
  template <class T>
  void nullable(const char* key, const T& x, const Note& note = {}) {
    Form form = form_of(x);
    if (note.schema) form.schema = Json::parse(note.schema);
    form.schema = {{"anyOf", {form.schema, {{"type", "null"}}}}};
    add(key, {form.schema, form.type + " | null"}, {note.doc}, true);
  }
  template <class T>
  void set(const char* key, const T& x, const Note& note = {}) {
    if constexpr (std::is_same_v<T, bool>)
      add(key, {{{"const", true}}, "true"}, note, false);
    else
      add(key, form_of(x), note, false);
  }
  template <class T>
  void added(const char* key, const T& x, const Note& note = {}) {
    add(key, form_of(x), note, false);
  }
  template <class T>
  void only(bool, const char* key, const T& x, const Note& note = {}) {
    add(key, form_of(x), note, false);
  }

 private:
  template <class R>
  std::string describe(const R& x) {
    Record outer = std::exchange(now_, {});
    plan_fields::fields(*this, x);
    Record made = std::exchange(now_, std::move(outer));
    const auto same = [&](const Record& r) { return r.name == made.name; };
    if (std::none_of(records_.begin(), records_.end(), same)) records_.push_back(made);
    return made.name;
  }
  void add(const char* key, Form form, const Note& note, bool required) {
    if (note.schema) form.schema = Json::parse(note.schema);
    now_.keys.push_back({key, note.doc ? note.doc : "", std::move(form), required});
  }

  Form form_of(bool) { return {{{"type", "boolean"}}, "boolean"}; }
  Form form_of(int64_t) { return {reference("size"), "number"}; }
  Form form_of(uint32_t) { return {reference("size"), "number"}; }
  Form form_of(double) { return {{{"type", "number"}}, "number"}; }
  Form form_of(const std::string&) { return {{{"type", "string"}}, "string"}; }
  Form form_of(Expr) { return {reference("expression"), "string"}; }
  Form form_of(const Shape&) { return {list_of(reference("expression")), "string[]"}; }
  Form form_of(DType) { return {reference("dtype"), "string"}; }
  Form form_of(const OpRow*) { return {{{"type", "string"}, {"pattern", "^[a-z][a-z0-9_]*$"}}, "string"}; }
  Form form_of(const std::vector<std::string>&) { return {list_of(reference("id")), "string[]"}; }
  Form form_of(const Plan::Sizes&) { return {reference("sizes"), "Record<string, number>"}; }
  Form form_of(const std::vector<std::pair<int64_t, int64_t>>&) {
    return {list_of(pair_of(reference("size"))), "[number, number][]"};
  }
  template <class E>
  requires std::is_enum_v<E> Form form_of(E) {
    Form form{{{"enum", Json::array()}}, ""};
    for (const char* word : plan_fields::Words<E>::kAll) {
      if (!*word) continue;
      form.schema["enum"].push_back(word);
      form.type += (form.type.empty() ? "'" : " | '") + std::string(word) + "'";
    }
    return form;
  }
  template <class T>
  Form form_of(const std::optional<T>&) {
    return form_of(T{});
  }
  template <class T>
  Form form_of(const plan_fields::Ref<T>&) {
    return {reference("id"), "string"};
  }
  template <class T>
  Form form_of(const plan_fields::Refs<T>& x) {
    return {list_of(x.may_be_absent ? Json{{"type", "string"}} : reference("id")), "string[]"};
  }
  template <class T>
  Form form_of(const plan_fields::Span<T>&) {
    return {reference("span"), "[number, number]"};
  }
  template <class E, class R>
  Form form_of(const plan_fields::Comparison<E, R>&) {
    return {reference("guard_expression"), "string"};
  }
  template <class T>
  Form form_of(const plan_fields::ByName<T>&) {
    const std::string name = describe(typename std::remove_const_t<T>::value_type());
    return {{{"type", "object"}, {"additionalProperties", reference(name)}},
            "Record<string, " + type_name(name) + ">"};
  }
  template <class T>
  Form form_of(const plan_fields::DimPair<T>&) {
    return {pair_of({{"type", "string"}}), "[string, string]"};
  }
  template <class O>
  Form form_of(const plan_fields::Attributes<O>&) {
    return {{{"type", "object"}, {"additionalProperties", reference("attribute")}},
            "Record<string, unknown>"};
  }
  template <class T>
  Form form_of(const plan_fields::Verbatim<T>&) {
    return {list_of(reference("diagnostic")), "Diagnostic[]"};
  }
  template <class R>
  Form form_of(const std::vector<R>&) {
    const std::string name = describe(R());
    return {list_of(reference(name)), type_name(name) + "[]"};
  }
  template <class R>
  requires std::is_class_v<R> Form form_of(const R& x) {
    const std::string name = describe(x);
    return {reference(name), type_name(name)};
  }

  Record now_;
  std::vector<Record> records_;
};

// On one line where there is room, else an entry a line.
std::string laid_out(const Json& json, size_t indent, size_t used) {
  const auto flat = [](const auto& self, const Json& x) -> std::string {
    if (!x.is_structured()) return x.dump();
    std::string out;
    for (auto it = x.begin(); it != x.end(); ++it)
      out +=
          (out.empty() ? "" : ", ") + (x.is_object() ? Json(it.key()).dump() + ": " : "") + self(self, *it);
    return x.is_object() ? "{" + out + "}" : "[" + out + "]";
  };
  const std::string line = flat(flat, json);
  if (indent > 0 && used + line.size() <= kWidth) return line;
  if (!json.is_structured()) return line;
  std::string out;
  const std::string blanks(indent + 2, ' ');
  for (auto it = json.begin(); it != json.end(); ++it) {
    const std::string key = json.is_object() ? Json(it.key()).dump() + ": " : "";
    out += (out.empty() ? "\n" : ",\n") + blanks + key +
           laid_out(*it, indent + 2, blanks.size() + key.size() + 1);
  }
  out += "\n" + std::string(indent, ' ');
  return json.is_object() ? "{" + out + "}" : "[" + out + "]";
}

Json record_schema(const Record& record) {
  Json properties = Json::object(), required = Json::array();
  for (const RecordKey& key : record.keys) {
    Json schema = Json::object();
    if (!key.doc.empty()) schema["description"] = key.doc;
    schema.update(key.form.schema);
    properties[key.name] = std::move(schema);
    if (key.required) required.push_back(key.name);
  }
  Json out = {
      {"description", record.doc}, {"type", "object"}, {"properties", properties}, {"required", required}};
  if (!record.rules.empty()) out["allOf"] = record.rules;
  return out;
}

}  // namespace

std::string plan_schema() {
  const Describer described;
  Json out = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", std::string("plan.json ") + kPlanVersion}};
  out.update(record_schema(described.records().back()));
  Json& definitions = out["$defs"] = Json::parse(kSmallest);
  for (int i = 0; i < kDTypes; ++i) definitions["dtype"]["enum"].push_back(name(static_cast<DType>(i)));
  for (const Record& record : described.records()) {
    if (record.name != "plan") definitions[record.name] = record_schema(record);
  }
  definitions.update(Json::parse(kDiagnostics));
  return laid_out(out, 0, 0) + "\n";
}

std::string plan_types() {
  std::string out =
      "// plan.json as it is written; made from the table of its fields (core/src/plan/fields.h). What the "
      "keys\n"
      "// mean: core/plan.md.\nimport type { Diagnostic } from './index.js';\n";
  const Describer described;
  for (const Record& record : described.records()) {
    out += "\n/** " + record.doc + " */\nexport interface " + type_name(record.name) + " {\n";
    for (const RecordKey& key : record.keys) {
      if (!key.doc.empty()) out += "  /** " + key.doc + " */\n";
      out += "  " + key.name + (key.required ? ": " : "?: ") + key.form.type + ";\n";
    }
    out += "}\n";
  }
  return out;
}

}  // namespace irplan
