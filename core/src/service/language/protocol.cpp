#include "service/language/protocol.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "irplan/format.h"
#include "service/language/features.h"

namespace irplan::language {
namespace {

using names::Kind;

// ---- reading parameters, which may be anything

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::optional<Span> span_of(const SourceText& source, const json* range, Units units) {
  const json *begin = range ? member(*range, "start") : nullptr,
             *end = range ? member(*range, "end") : nullptr;
  if (!begin || !end) return std::nullopt;
  const auto a = offset_of(source, *begin, units), b = offset_of(source, *end, units);
  if (!a || !b || *a > *b) return std::nullopt;
  return Span{*a, *b};
}

json position_of(const SourceText& source, uint32_t offset, Units units) {
  const LineColumn place = source.locate(offset);
  uint32_t character = place.column - 1;
  if (units == Units::Utf16) {
    const std::string_view before = source.line(place.line).substr(0, character);
    character = 0;
    for (const char c : before) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte & 0xC0) != 0x80) character += byte >= 0xF0 ? 2 : 1;
    }
  }
  return {{"line", place.line - 1}, {"character", character}};
}

json markdown(std::string text) { return {{"kind", "markdown"}, {"value", std::move(text)}}; }

json edit_json(const SourceText& source, const Edit& edit, Units units) {
  return {{"range", range_of(source, edit.span, units)}, {"newText", edit.text}};
}

json workspace_edit(const SourceText& source, const std::string& uri, const std::vector<Edit>& edits,
                    Units units) {
  json list = json::array();
  for (const Edit& edit : edits) list.push_back(edit_json(source, edit, units));
  return {{"changes", {{uri, std::move(list)}}}};
}

int completion_kind(CompletionKind kind) {
  switch (kind) {
    case CompletionKind::Name: return 6;        // Variable
    case CompletionKind::Dim: return 25;        // TypeParameter
    case CompletionKind::Function: return 3;    // Function
    case CompletionKind::Operator: return 3;    // Function
    case CompletionKind::Attribute: return 10;  // Property
    case CompletionKind::Keyword: return 14;    // Keyword
    case CompletionKind::Snippet: return 15;    // Snippet
    case CompletionKind::Dtype: return 7;       // Class
    case CompletionKind::Phase: return 13;      // Enum
    case CompletionKind::Unit: return 11;       // Unit
    case CompletionKind::Key: return 5;         // Field
    case CompletionKind::Constant: return 21;   // Constant
  }
  return 1;
}

int symbol_kind(Kind kind) {
  switch (kind) {
    case Kind::Let: return 14;       // Constant
    case Kind::Dim: return 26;       // TypeParameter
    case Kind::Input: return 8;      // Field
    case Kind::Phase: return 3;      // Namespace
    case Kind::Function: return 12;  // Function
    case Kind::Loop: return 18;      // Array
    case Kind::Output: return 24;    // Event
    default: return 13;              // Variable
  }
}

// Indices of kColourNames in the legend, which has each name once.
const std::vector<std::string>& legend() {
  static const std::vector<std::string> made = [] {
    std::vector<std::string> all;
    for (const char* name : kColourNames) {
      if (std::find(all.begin(), all.end(), name) == all.end()) all.emplace_back(name);
    }
    return all;
  }();
  return made;
}

class Answerer {
 public:
  Answerer(Document& document, const std::string& uri, const json& params, const Client& client)
      : document_(document), uri_(uri), params_(params), client_(client) {}

  Answer completion() {
    return at([&](uint32_t place) {
      const Completions found = complete(document_, place);
      const json range = range_json(found.replaced);
      json items = json::array();
      for (const Completion& one : found.items) {
        const bool snippet = one.snippet && client_.snippets;
        json item = {
            {"label", one.label},
            {"kind", completion_kind(one.kind)},
            {"sortText", std::to_string(one.rank) + one.label},
            {"textEdit", {{"range", range}, {"newText", one.snippet && !snippet ? one.label : one.insert}}}};
        if (!one.detail.empty()) item["detail"] = one.detail;
        if (!one.doc.empty()) item["documentation"] = markdown(one.doc);
        if (snippet) item["insertTextFormat"] = 2;
        items.push_back(std::move(item));
      }
      return json{{"isIncomplete", false}, {"items", std::move(items)}};
    });
  }

  Answer hovered() {
    return at([&](uint32_t place) -> json {
      const auto found = hover(document_, place);
      if (!found) return nullptr;
      std::string text = found->code.empty() ? "" : "```irplan\n" + found->code + "\n```";
      if (!found->text.empty()) text += (text.empty() ? "" : "\n\n") + found->text;
      return {{"contents", markdown(std::move(text))}, {"range", range_json(found->span)}};
    });
  }

  Answer signature_help() {
    return at([&](uint32_t place) -> json {
      const auto found = signature(document_, place);
      if (!found) return nullptr;
      json parameters = json::array();
      for (const Signature::Parameter& one : found->parameters) {
        json parameter = {{"label", {units_of(found->label, one.begin), units_of(found->label, one.end)}}};
        if (!one.doc.empty()) parameter["documentation"] = one.doc;
        parameters.push_back(std::move(parameter));
      }
      json shown = {{"label", found->label},
                    {"documentation", markdown(found->doc)},
                    {"parameters", std::move(parameters)}};
      return {{"signatures", json::array({std::move(shown)})},
              {"activeSignature", 0},
              {"activeParameter", found->active}};
    });
  }

  Answer defined() {
    return at([&](uint32_t place) {
      json list = json::array();
      for (const Span span : definitions(document_, place)) list.push_back(location(span));
      return list;
    });
  }

  Answer referenced(bool highlights) {
    const json* context = member(params_, "context");
    const json* include = context ? member(*context, "includeDeclaration") : nullptr;
    const bool all = highlights || !include || !include->is_boolean() || include->get<bool>();
    return at([&](uint32_t place) {
      json list = json::array();
      for (const Place& one : references(document_, place)) {
        if (highlights)
          list.push_back({{"range", range_json(one.span)}, {"kind", one.binds ? 3 : 2}});
        else if (all || !one.binds)
          list.push_back(location(one.span));
      }
      return list;
    });
  }

  Answer prepare_rename() {
    return renamed([&](uint32_t place) { return may_rename(document_, place); },
                   [&](const Renaming& found) {
                     return json{{"range", range_json(found.word)},
                                 {"placeholder", document_.source().slice(found.word)}};
                   });
  }

  Answer rename_all() {
    const json* to = member(params_, "newName");
    if (!to || !to->is_string()) return {nullptr, kInvalidParams, "`newName` is no text"};
    return renamed(
        [&](uint32_t place) { return rename(document_, place, to->get_ref<const std::string&>()); },
        [&](const Renaming& found) {
          return workspace_edit(document_.source(), uri_, found.edits, client_.units);
        });
  }

  Answer symbols() {
    json list = json::array();
    for (const Outline& one : outline(document_)) list.push_back(symbol(one));
    return {std::move(list), 0, ""};
  }

  Answer folding() {
    json list = json::array();
    for (const Fold& fold : folds(document_)) {
      json one = {{"startLine", fold.first - 1}, {"endLine", fold.last - 1}};
      if (fold.comment) one["kind"] = "comment";
      list.push_back(std::move(one));
    }
    return {std::move(list), 0, ""};
  }

  Answer coloured(bool ranged) {
    Span part{0, static_cast<uint32_t>(document_.source().text().size())};
    if (ranged) {
      const auto asked = span_of(document_.source(), member(params_, "range"), client_.units);
      if (!asked) return {nullptr, kInvalidParams, "`range` is no range"};
      part = *asked;
    }
    json data = json::array();
    int64_t line = 0, character = 0;
    for (const Coloured& one : colours(document_)) {
      if (one.span.end <= part.begin || one.span.begin >= part.end) continue;
      const json begin = position_of(document_.source(), one.span.begin, client_.units);
      const json end = position_of(document_.source(), one.span.end, client_.units);
      const int64_t at_line = begin["line"], at = begin["character"], until = end["character"];
      if (end["line"] != at_line) continue;
      const auto kind =
          std::find(legend().begin(), legend().end(), kColourNames[static_cast<size_t>(one.colour)]);
      for (const int64_t n :
           std::array<int64_t, 5>{at_line - line, at_line == line ? at - character : at, until - at,
                                  kind - legend().begin(), (one.binds ? 1 : 0) + (one.builtin ? 2 : 0)})
        data.push_back(n);
      line = at_line;
      character = at;
    }
    return {{{"data", std::move(data)}}, 0, ""};
  }

  Answer inlay_hints() {
    const auto part = span_of(document_.source(), member(params_, "range"), client_.units);
    if (!part) return {nullptr, kInvalidParams, "`range` is no range"};
    json list = json::array();
    for (const Hint& hint : hints(document_, *part)) {
      list.push_back({{"position", position_of(document_.source(), hint.place, client_.units)},
                      {"label", hint.text},
                      {"kind", 1},
                      {"paddingLeft", true},
                      {"tooltip", markdown(hint.tooltip)}});
    }
    return {std::move(list), 0, ""};
  }

  Answer actions() {
    const auto part = span_of(document_.source(), member(params_, "range"), client_.units);
    if (!part) return {nullptr, kInvalidParams, "`range` is no range"};
    json list = json::array();
    for (const QuickFix& fix : fixes(document_, *part))
      list.push_back(
          {{"title", fix.title},
           {"kind", "quickfix"},
           {"isPreferred", fix.diagnostic->fixes.size() == 1},
           {"diagnostics", json::array({diagnostic_json(*fix.diagnostic, document_, uri_, client_.units)})},
           {"edit", workspace_edit(document_.source(), uri_, fix.edits, client_.units)}});
    return {std::move(list), 0, ""};
  }

  // One edit, of what changes alone: places outside of it stay where they are.
  Answer formatted() {
    Diagnostics ignored;
    const SourceText& source = document_.source();
    const auto laid_out = format(source, ignored);
    json list = json::array();
    if (!laid_out || *laid_out == source.text()) return {std::move(list), 0, ""};
    const std::string &before = source.text(), &after = *laid_out;
    size_t first = 0, last = 0;
    const size_t most = std::min(before.size(), after.size());
    while (first < most && before[first] == after[first]) ++first;
    while (last < most - first && before[before.size() - 1 - last] == after[after.size() - 1 - last]) ++last;
    const auto inside = [&](size_t at) {
      return at < before.size() && (static_cast<unsigned char>(before[at]) & 0xC0) == 0x80;
    };
    while (first > 0 && inside(first)) --first;  // whole characters
    while (last > 0 && inside(before.size() - last)) --last;
    const Span span{static_cast<uint32_t>(first), static_cast<uint32_t>(before.size() - last)};
    list.push_back(
        edit_json(source, {span, after.substr(first, after.size() - last - first)}, client_.units));
    return {std::move(list), 0, ""};
  }

  Answer compiled_diagnostics() {
    const Compilation* last = document_.compilation();
    if (!last || last->source.text() != document_.source().text())
      document_.take(compiled(document_.source(), document_.config_name(), document_.config_text()));
    json out = {{"program", diagnostics(document_, uri_, client_)},
                {"config", diagnostics(document_, uri_, client_, true)}};
    return {std::move(out), 0, ""};
  }

  static json diagnostic_json(const Diagnostic& d, Document& document, const std::string& uri, Units units) {
    const SourceText& source = d.elsewhere ? *d.elsewhere : document.source();
    const auto here = [&](Span span) { return d.elsewhere ? std::optional<Span>(span) : document.now(span); };
    std::string message = d.message;
    if (!d.label.empty()) message += "\n" + d.label;
    for (const std::string& note : d.notes) message += "\n" + note;
    for (const Fix& fix : d.fixes) message += "\nhelp: " + fix.message;
    json related = json::array();
    for (const Label& label : d.labels) {
      const auto span = label.in_program ? document.now(label.span) : here(label.span);
      if (!span || (d.elsewhere && !label.in_program)) continue;
      related.push_back({{"location", {{"uri", uri}, {"range", range_of(document.source(), *span, units)}}},
                         {"message", label.message}});
    }
    const Span span = here(d.span).value_or(Span{});
    return {{"range", range_of(source, span, units)},
            {"severity", d.severity == Severity::Error ? 1 : 2},
            {"code", info(d.code).name},
            {"source", "irplan"},
            {"message", std::move(message)},
            {"relatedInformation", std::move(related)}};
  }

 private:
  template <class Ask>
  Answer at(const Ask& ask) {
    const json* position = member(params_, "position");
    const auto place = position ? offset_of(document_.source(), *position, client_.units) : std::nullopt;
    if (!place) return {nullptr, kInvalidParams, "`position` is no position"};
    return {ask(*place), 0, ""};
  }

  template <class Ask, class Tell>
  Answer renamed(const Ask& ask, const Tell& tell) {
    Renaming found;
    Answer out = at([&](uint32_t place) -> json {
      found = ask(place);
      return found.refusal.empty() ? tell(found) : json(nullptr);
    });
    if (out.code == 0 && !found.refusal.empty()) return {nullptr, kRequestFailed, found.refusal};
    return out;
  }

  json symbol(const Outline& one) {
    json inner = json::array();
    for (const Outline& child : one.inner) inner.push_back(symbol(child));
    return {{"name", one.name},
            {"detail", one.detail},
            {"kind", symbol_kind(one.kind)},
            {"range", range_json(one.whole)},
            {"selectionRange", range_json(one.word)},
            {"children", std::move(inner)}};
  }

  // Bytes of a label as the client counts them.
  uint32_t units_of(const std::string& text, uint32_t bytes) const {
    const SourceText line("", text);
    return position_of(line, bytes, client_.units)["character"];
  }
  json range_json(Span span) const { return range_of(document_.source(), span, client_.units); }
  json location(Span span) const { return {{"uri", uri_}, {"range", range_json(span)}}; }

  Document& document_;
  const std::string& uri_;
  const json& params_;
  const Client& client_;
};

struct Row {
  const char* method;
  Answer (*answer)(Answerer&);
};

constexpr Row kRows[] = {
    {"textDocument/completion", [](Answerer& a) { return a.completion(); }},
    {"textDocument/hover", [](Answerer& a) { return a.hovered(); }},
    {"textDocument/signatureHelp", [](Answerer& a) { return a.signature_help(); }},
    {"textDocument/inlayHint", [](Answerer& a) { return a.inlay_hints(); }},
    {"textDocument/definition", [](Answerer& a) { return a.defined(); }},
    {"textDocument/references", [](Answerer& a) { return a.referenced(false); }},
    {"textDocument/documentHighlight", [](Answerer& a) { return a.referenced(true); }},
    {"textDocument/prepareRename", [](Answerer& a) { return a.prepare_rename(); }},
    {"textDocument/rename", [](Answerer& a) { return a.rename_all(); }},
    {"textDocument/documentSymbol", [](Answerer& a) { return a.symbols(); }},
    {"textDocument/foldingRange", [](Answerer& a) { return a.folding(); }},
    {"textDocument/semanticTokens/full", [](Answerer& a) { return a.coloured(false); }},
    {"textDocument/semanticTokens/range", [](Answerer& a) { return a.coloured(true); }},
    {"textDocument/codeAction", [](Answerer& a) { return a.actions(); }},
    {"textDocument/formatting", [](Answerer& a) { return a.formatted(); }},
    {"irplan/diagnostics", [](Answerer& a) { return a.compiled_diagnostics(); }},
};

const Row* find_row(std::string_view method) {
  for (const Row& row : kRows) {
    if (method == row.method) return &row;
  }
  return nullptr;
}

}  // namespace

bool is_request(std::string_view method) { return find_row(method) != nullptr; }

Answer answer(Document& document, const std::string& uri, std::string_view method, const json& params,
              const Client& client) {
  const Row* row = find_row(method);
  if (!row)
    return {nullptr, kMethodNotFound, "there is no method `" + std::string(method.substr(0, 100)) + "`"};
  Answerer answerer(document, uri, params, client);
  return row->answer(answerer);
}

json capabilities(Units units) {
  return {{"positionEncoding", units == Units::Utf8 ? "utf-8" : "utf-16"},
          {"textDocumentSync", {{"openClose", true}, {"change", 2}}},
          {"completionProvider", {{"triggerCharacters", {".", "(", "\""}}}},
          {"hoverProvider", true},
          {"signatureHelpProvider", {{"triggerCharacters", {"(", ","}}, {"retriggerCharacters", {")", "="}}}},
          {"inlayHintProvider", true},
          {"definitionProvider", true},
          {"referencesProvider", true},
          {"documentHighlightProvider", true},
          {"renameProvider", {{"prepareProvider", true}}},
          {"documentSymbolProvider", true},
          {"foldingRangeProvider", true},
          {"documentFormattingProvider", true},
          {"codeActionProvider", {{"codeActionKinds", {"quickfix"}}}},
          {"semanticTokensProvider",
           {{"legend", {{"tokenTypes", legend()}, {"tokenModifiers", {"declaration", "defaultLibrary"}}}},
            {"full", true},
            {"range", true}}}};
}

json words() {
  json out = {{"keywords", json::array()},
              {"ambient", json::array()},
              {"functions", json::array()},
              {"operators", json::array({"output"})},
              {"dtypes", json::array()}};
  for (const ast::Word& word : ast::words()) out["keywords"].push_back(word.text);
  for (const ast::Ambient& one : ast::ambient_names()) out["ambient"].push_back(one.text);
  for (const ast::Function& one : ast::functions()) out["functions"].push_back(one.name);
  for (const std::string& name : op_names()) out["operators"].push_back(name);
  for (int i = 0; i < kDTypes; ++i) out["dtypes"].push_back(name(static_cast<DType>(i)));
  return out;
}

Compilation compiled(const SourceText& source, const std::string& config_name,
                     const std::optional<std::string>& config) {
  CompileOptions options;
  options.config_name = config_name;
  options.config = config;
  options.bindings = true;
  options.text = false;
  options.advise = false;  // takes several times as long
  return compile(source, options);
}

json diagnostics(Document& document, const std::string& uri, const Client& client, bool of_config) {
  json list = json::array();
  if (!document.compilation()) return list;
  for (const Diagnostic& d : document.compilation()->diagnostics.list()) {
    const bool config = d.elsewhere && d.elsewhere->name() == document.config_name();
    if (config != of_config) continue;
    if (!d.elsewhere && d.span.end > 0 && !document.now(d.span)) continue;
    list.push_back(Answerer::diagnostic_json(d, document, uri, client.units));
  }
  return list;
}

std::optional<uint32_t> offset_of(const SourceText& source, const json& position, Units units) {
  const json *line = member(position, "line"), *character = member(position, "character");
  if (!line || !character || !line->is_number_unsigned() || !character->is_number_unsigned())
    return std::nullopt;
  const uint64_t row = line->get<uint64_t>(), wanted = character->get<uint64_t>();
  const std::string& all = source.text();
  if (row >= source.line_count()) return static_cast<uint32_t>(all.size());
  const std::string_view text = source.line(static_cast<uint32_t>(row) + 1);
  const auto begin = static_cast<uint32_t>(text.data() - all.data());
  size_t at = 0;
  if (units == Units::Utf8) {
    at = static_cast<size_t>(std::min<uint64_t>(wanted, text.size()));
  } else {
    for (uint64_t counted = 0; at < text.size();) {
      const auto byte = static_cast<unsigned char>(text[at]);
      counted += byte >= 0xF0 ? 2 : 1;
      if (counted > wanted) break;
      ++at;
      while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    }
  }
  while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return begin + static_cast<uint32_t>(at);
}

json range_of(const SourceText& source, Span span, Units units) {
  return {{"start", position_of(source, span.begin, units)},
          {"end", position_of(source, std::max(span.begin, span.end), units)}};
}

bool change(std::string& text, const json& one, Units units) {
  const json* with = member(one, "text");
  if (!with || !with->is_string()) return false;
  const json* range = member(one, "range");
  if (!range) return text = with->get<std::string>(), true;
  const auto span = span_of(SourceText("", text), range, units);
  if (!span) return false;
  text.replace(span->begin, span->end - span->begin, with->get_ref<const std::string&>());
  return true;
}

}  // namespace irplan::language
