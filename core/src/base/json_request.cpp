#include "base/json_request.h"

namespace irplan::serving {

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string failure(const std::string& why) { return dump(json{{"error", why}}); }

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_of(const json& object, const char* key, const char* otherwise) {
  const json* value = member(object, key);
  return value && value->is_string() ? value->get_ref<const std::string&>() : otherwise;
}

bool flag_of(const json& object, const char* key, bool otherwise) {
  const json* value = member(object, key);
  return value && value->is_boolean() ? value->get<bool>() : otherwise;
}

std::vector<std::pair<std::string, int64_t>> sizes_of(const json& object, const char* key) {
  std::vector<std::pair<std::string, int64_t>> sizes;
  const json* record = member(object, key);
  if (!record || !record->is_object()) return sizes;
  for (const auto& [name, value] : record->items())
    if (value.is_number_integer()) sizes.emplace_back(name, value.get<int64_t>());
  return sizes;
}

std::vector<std::string> texts_of(const json& object, const char* key) {
  std::vector<std::string> out;
  const json* list = member(object, key);
  if (!list || !list->is_array()) return out;
  for (const json& item : *list)
    if (item.is_string()) out.push_back(item.get<std::string>());
  return out;
}

std::vector<std::pair<std::string, std::string>> texts_by_name(const json& object, const char* key) {
  std::vector<std::pair<std::string, std::string>> out;
  const json* record = member(object, key);
  if (!record || !record->is_object()) return out;
  for (const auto& [name, value] : record->items())
    out.emplace_back(name, value.is_string() ? value.get<std::string>() : dump(value));
  return out;
}

}  // namespace irplan::serving
