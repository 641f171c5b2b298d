#include "service/language/serve_language.h"

#include <memory>
#include <optional>
#include <utility>

#include "service/language/protocol.h"
#include "service/serve_parts.h"

namespace irplan::serving {
namespace {

using language::Document;

struct Kept {
  std::unique_ptr<Document> document;
  std::string file;
};

Kept& kept() {
  static Kept one;
  return one;
}

Document& document_of(const std::string& file) {
  Kept& one = kept();
  if (!one.document || one.file != file) one.document = std::make_unique<Document>(file);
  one.file = file;
  return *one.document;
}

}  // namespace

void keep_for_language(Compilation compilation) {
  document_of(compilation.source.name()).take(std::move(compilation));
}

std::string serve_language(const json& request) {
  const language::Client client{
      text_of(request, "encoding") == "utf-8" ? language::Units::Utf8 : language::Units::Utf16, true};
  const std::string ask = text_of(request, "ask");
  if (ask == "irplan/words") return dump({{"result", language::words()}});
  if (ask == "capabilities") return dump({{"result", language::capabilities(client.units)}});
  const std::string file = SourceText(text_of(request, "file", "page.irplan"), "").name();
  Document& document = document_of(file);
  document.set_text(text_of(request, "text"));
  const json* config = member(request, "config");
  document.set_config(
      text_of(request, "config_name", "config.json"),
      config && config->is_string() ? std::optional(config->get<std::string>()) : std::nullopt);
  const json* params = member(request, "params");
  language::Answer found = language::answer(document, text_of(request, "uri", file.c_str()), ask,
                                            params ? *params : json::object(), client);
  if (found.code == language::kMethodNotFound || found.code == language::kInvalidParams)
    return failure(found.error);
  json reply = {{"result", std::move(found.result)}};
  if (found.code != 0) reply["refused"] = found.error;
  return dump(reply);
}

}  // namespace irplan::serving
