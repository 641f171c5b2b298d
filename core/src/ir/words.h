// Lists and counts as diagnostics of the elaborator word them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ops/op.h"

namespace irplan {

std::string joined(const std::vector<std::string>& words, const char* between);
std::string arguments_text(size_t count);           // "1 argument"
std::string attributes_text(const OpRow& row);      // "its attributes, by name: axis, sizes"
std::vector<std::string> dtype_names();             // as a program writes them, then as a config may
std::vector<std::string> choices(const char* all);  // of "softmax|topk_softmax|sigmoid"

}  // namespace irplan
