// What an expression stands for in the config, found without running the program: `config.a.b`, a `let` that
// is one, `config.text_config ?? config`.
#pragma once

#include <string_view>

#include "service/language/document.h"

namespace irplan::language {

// Null where it is no part of the config, or that cannot be told.
const ConfigNode* config_value(Document& document, const ast::Expr& e);
// Of a name, as a statement at the place would see it.
const ConfigNode* config_value(Document& document, std::string_view name, uint32_t place);

}  // namespace irplan::language
