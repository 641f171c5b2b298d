#include "ir/words.h"

namespace irplan {

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

std::string arguments_text(size_t count) {
  return std::to_string(count) + (count == 1 ? " argument" : " arguments");
}

std::string attributes_text(const OpRow& row) {
  std::vector<std::string> names;
  for (const AttrSpec& attribute : row.attributes) {
    if (!attribute.implicit) names.emplace_back(attribute.name);
  }
  return names.empty() ? "it has no attributes" : "its attributes, by name: " + joined(names, ", ");
}

std::vector<std::string> dtype_names() {
  std::vector<std::string> names;
  names.reserve(kDTypes + 3);
  for (int i = 0; i < kDTypes; ++i) names.emplace_back(name(static_cast<DType>(i)));
  names.insert(names.end(), {"float32", "float16", "bfloat16"});
  return names;
}

std::vector<std::string> choices(const char* all) {
  std::vector<std::string> out(1);
  for (const char* c = all; *c; ++c) {
    if (*c == '|') {
      out.emplace_back();
    } else {
      out.back() += *c;
    }
  }
  return out;
}

}  // namespace irplan
