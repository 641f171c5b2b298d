// The questions and answers of features.h as the Language Server Protocol (3.17) has them: a method's
// parameters in, its result out. `irplan lsp` speaks it over stdio, a page through `serve`.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "service/language/document.h"

namespace irplan::language {

using json = nlohmann::ordered_json;

enum class Units : uint8_t { Utf8, Utf16 };  // that characters of a line are counted in

// What the other side can do.
struct Client {
  Units units = Units::Utf16;
  bool snippets = true;
};

// Codes of errors, as the protocol numbers them.
enum ErrorCode : int {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternalError = -32603,
  kNotInitialized = -32002,
  kCancelled = -32800,
  kRequestFailed = -32803
};

struct Answer {
  json result = nullptr;
  int code = 0;  // of an error; 0: there is a result
  std::string error;
};

// A request about one document, whose URI is given back in edits. Never compiles, except for
// "irplan/diagnostics".
Answer answer(Document& document, const std::string& uri, std::string_view method, const json& params,
              const Client& client);
bool is_request(std::string_view method);  // about a document

// The `capabilities` of an `initialize` result.
json capabilities(Units units);

// The words of the language, for who colours it without asking: {"keywords", "ambient", "functions",
// "operators", "dtypes"}. The method "irplan/words".
json words();

// Compiles the document as it stands.
Compilation compiled(const SourceText& source, const std::string& config_name,
                     const std::optional<std::string>& config);
// Of the last compilation, where the text that they speak of still stands; `of_config`: those of the config
// instead of those of the program.
json diagnostics(Document& document, const std::string& uri, const Client& client, bool of_config = false);

// ---- places
std::optional<uint32_t> offset_of(const SourceText& source, const json& position, Units units);
json range_of(const SourceText& source, Span span, Units units);
// A change of `textDocument/didChange`; false where it is none.
bool change(std::string& text, const json& change, Units units);

}  // namespace irplan::language
