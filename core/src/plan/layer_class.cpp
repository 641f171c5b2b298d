#include "plan/layer_class.h"

namespace irplan {

std::string layer_class(const std::string& id) {
  std::string out;
  for (size_t i = 0; i < id.size(); ++i) {
    const bool digit = id[i] >= '0' && id[i] <= '9';
    const bool after_dot = i > 0 && (id[i - 1] == '.' || id[i - 1] == '/');
    if (!digit || !after_dot) {
      out += id[i];
      continue;
    }
    size_t end = i;
    while (end < id.size() && id[end] >= '0' && id[end] <= '9') ++end;
    const bool whole = end == id.size() || id[end] == '.' || id[end] == '/';
    out += whole ? std::string("*") : id.substr(i, end - i);
    i = end - 1;
  }
  return out;
}

}  // namespace irplan
