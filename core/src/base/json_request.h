// How a request of JSON is read, and its reply written.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace irplan::serving {

using json = nlohmann::ordered_json;

// A request's text may hold bytes that are no UTF-8 (a native caller's file); a reply never does.
std::string dump(const json& value);
std::string failure(const std::string& why);

// ---- members of a record; what is absent, null or of another kind counts as not given
const json* member(const json& object, const char* key);
std::string text_of(const json& object, const char* key, const char* otherwise = "");
bool flag_of(const json& object, const char* key, bool otherwise = false);
std::vector<std::pair<std::string, int64_t>> sizes_of(const json& object, const char* key);
std::vector<std::string> texts_of(const json& object, const char* key);
// Numbers and flags as they are written.
std::vector<std::pair<std::string, std::string>> texts_by_name(const json& object, const char* key);

}  // namespace irplan::serving
