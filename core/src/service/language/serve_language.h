// What a page asks about the program in its editor: a method of the Language Server Protocol with its
// parameters, beside the text as it stands, so that nothing has to be opened, and nothing is lost with a
// compiler that is started anew. One document's tree, names and last compilation are kept.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "irplan/compile.h"

namespace irplan::serving {

// {"method": "language", "ask": "textDocument/hover", "params": {…}, "file", "text", "config", "config_name",
//  "encoding": "utf-16"}  ->  {"result": …}, and {"refused": "why"} where the editor asked for what cannot be
// done. "ask": "capabilities" -> what an editor may ask.
std::string serve_language(const nlohmann::ordered_json& request);

// The compilation that later answers speak of, until the next one.
void keep_for_language(Compilation compilation);

}  // namespace irplan::serving
