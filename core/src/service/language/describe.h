// Words of the language and names of a program, as an editor tells of them.
#pragma once

#include <string>
#include <vector>

#include "irplan/dtype.h"
#include "ops/op.h"
#include "service/language/document.h"

namespace irplan::language {

constexpr const char* kOutputDoc = "Names a result of the program: `name = output(tensor)`.";

std::string operator_doc(const OpRow& row);        // Markdown: what it does, its shape rule, its attributes
std::string operator_signature(const OpRow& row);  // "rmsnorm(x, w?, eps, offset=0)"
std::string attribute_doc(const AttrSpec& attribute);
std::vector<std::string> choices_of(const AttrSpec& attribute);  // of a word
std::string dtype_text(DType dtype);                             // "2 bytes an element"

// What stands beside a name in a list: its value, range or shape, as far as that is known.
std::string summary(Document& document, names::NameId name);
std::string range_text(Document& document, const names::Name& dim);          // "1..64"
std::string function_head(Document& document, const names::Name& function);  // "proj(x, p, n, m, bias)"
// The comment lines that stand right above what makes the name, without their `#`.
std::string comment_above(Document& document, const names::Name& name);

}  // namespace irplan::language
