// Tables of the packer as JSON.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/bounded_json.h"
#include "irplan/pack.h"
#include "passes/memory/pack_parts.h"

namespace irplan {
namespace {

using Json = nlohmann::ordered_json;

// The keys of a buffer, each with other names that files have for it. `end` is the last step.
const char* const kIdKeys[] = {"id", "name", "buffer", "buffer_id"};
const char* const kLowerKeys[] = {"lower", "begin", "start"};
const char* const kUpperKeys[] = {"upper", "end"};
const char* const kSizeKeys[] = {"size", "bytes"};
const char* const kLifeKeys[] = {"lifespan", "lifetime"};
const char* const kAlignmentKeys[] = {"alignment", "align"};
const char* const kGapsKeys[] = {"gaps"};
const char* const kOffsetKeys[] = {"offset"};
const char* const kWindowKeys[] = {"window"};

// Of a problem as a whole.
bool is_list(std::string_view key) { return key == "buffers" || key == "allocations"; }

class JsonReader {
 public:
  Result<PackTable> read(std::string_view text) {
    if (!fill(text)) return Error{std::move(why_)};
    return std::move(table_);
  }

 private:
  bool fill(std::string_view text) {
    const auto parsed = parse_bounded<Json>(text);
    if (!parsed) return refuse("it " + parsed.message());
    const Json& json = *parsed;
    if (json.is_discarded()) return refuse("it is not JSON");
    const Json* list = json.is_array() ? &json : nullptr;
    if (json.is_object() && !top(json, list)) return false;
    if (!list || !list->is_array()) return refuse("expected {\"buffers\": […]}");
    if (list->size() > kMostTableBuffers)
      return refuse("more than " + std::to_string(kMostTableBuffers) + " buffers");
    for (const Json& one : *list) {
      where_ = "buffer " + std::to_string(table_.ids.size()) + ": ";
      if (!buffer(one)) return false;
    }
    std::set<std::string_view> ids;
    where_.clear();
    for (const std::string& id : table_.ids) {
      if (!ids.insert(id).second) return refuse("two buffers have the id `" + id.substr(0, 40) + "`");
    }
    const auto asks = [](const PackNeeds& n) { return n.alignment != 1 || n.offset || !n.gaps.empty(); };
    if (std::none_of(table_.needs.begin(), table_.needs.end(), asks)) table_.needs.clear();
    table_.aligned = table_.gapped = true;
    table_.json = text;
    return true;
  }

  bool refuse(const std::string& what) {
    why_ = where_ + what;
    return false;
  }

  bool unknown(const std::string& key, const char* known) {
    return refuse("the key `" + key.substr(0, 40) + "` is not known; keys are " + known);
  }

  bool top(const Json& json, const Json*& list) {
    for (const auto& [key, value] : json.items()) {
      if (is_list(key)) {
        list = &value;
      } else if (key == "capacity" || key == "memory") {
        if (!value.is_number_integer() || value.get<int64_t>() < 0)
          return refuse("`" + key + "` is not a size");
        table_.capacity = value.get<int64_t>();
      } else if (key != "name" && key != "comment" && key != "version" && key != "height" && key != "bound" &&
                 key != "verdict") {
        return unknown(key, "buffers and capacity");
      }
    }
    return true;
  }

  template <size_t N>
  static const Json* find(const Json& json, const char* const (&names)[N], const char** name = nullptr) {
    for (const char* one : names) {
      const auto found = json.find(one);
      if (found == json.end() || found->is_null()) continue;
      if (name) *name = one;
      return &*found;
    }
    return nullptr;
  }

  bool number(const Json* json, const char* name, int64_t least, int64_t& out) {
    if (!json) return refuse(std::string("it has no `") + name + "`");
    const bool whole =
        json->is_number_integer() &&
        (!json->is_number_unsigned() || json->get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX));
    if (!whole || json->get<int64_t>() < least || json->get<int64_t>() > kMostTableBytes)
      return refuse("`" + json->dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 40) +
                    "` is not a valid " + name);
    out = json->get<int64_t>();
    return true;
  }

  // [lower, upper), {"lower", "upper"}, or both beside the other keys.
  bool life(const Json& json, int64_t& lower, int64_t& upper) {
    if (json.is_array()) {
      if (json.size() != 2) return refuse("a life is [lower, upper]");
      return number(&json[0], "lower", INT64_MIN, lower) && number(&json[1], "upper", INT64_MIN, upper);
    }
    const char* name = "upper";
    const Json* end = json.is_object() ? find(json, kUpperKeys, &name) : nullptr;
    if (!json.is_object()) return refuse("a life is [lower, upper]");
    if (!number(find(json, kLowerKeys), "lower", INT64_MIN, lower) || !number(end, "upper", INT64_MIN, upper))
      return false;
    if (std::string_view(name) == "end") ++upper;
    return true;
  }

  bool buffer(const Json& json) {
    if (!json.is_object()) return refuse("it is not a record");
    if (!known_keys(json)) return false;
    const Json* id = find(json, kIdKeys);
    table_.ids.push_back(!id               ? std::to_string(table_.ids.size())
                         : id->is_string() ? id->get<std::string>()
                                           : id->dump());
    PackBuffer& b = table_.buffers.emplace_back();
    PackNeeds& needs = table_.needs.emplace_back();
    const Json* span = find(json, kLifeKeys);
    if (!life(span ? *span : json, b.lower, b.upper) || !number(find(json, kSizeKeys), "size", 0, b.size))
      return false;
    if (b.lower > b.upper)
      return refuse("alive from " + std::to_string(b.lower) + " to " + std::to_string(b.upper));
    if (b.size > kMostTableBytes - total_) return refuse("the sizes exceed 2^61 bytes together");
    total_ += b.size;
    if (const Json* n = find(json, kAlignmentKeys); n && !number(n, "alignment", 1, needs.alignment))
      return false;
    if (const Json* n = find(json, kOffsetKeys)) {
      int64_t offset = 0;
      if (!number(n, "offset", 0, offset)) return false;
      if (offset % needs.alignment != 0)
        return refuse("its offset " + std::to_string(offset) + " is not a multiple of the alignment " +
                      std::to_string(needs.alignment));
      needs.offset = offset;
    }
    const Json* gaps = find(json, kGapsKeys);
    if (gaps && !gaps->is_array()) return refuse("`gaps` is not a list");
    for (size_t i = 0; gaps && i < gaps->size(); ++i) {
      if (!gap((*gaps)[i], b, needs)) return false;
    }
    return true;
  }

  bool known_keys(const Json& json) {
    const auto among = [](const std::string& key, const auto& names) {
      return std::find(std::begin(names), std::end(names), key) != std::end(names);
    };
    for (const auto& [key, value] : json.items()) {
      if (among(key, kIdKeys) || among(key, kLowerKeys) || among(key, kUpperKeys) || among(key, kSizeKeys) ||
          among(key, kLifeKeys) || among(key, kAlignmentKeys) || among(key, kGapsKeys) ||
          among(key, kOffsetKeys))
        continue;
      return unknown(key, "id, lower, upper, size, alignment, gaps and offset");
    }
    return true;
  }

  bool gap(const Json& json, const PackBuffer& b, PackNeeds& needs) {
    PackGap gap;
    const Json* span = json.is_object() ? find(json, kLifeKeys) : nullptr;
    if (!life(span ? *span : json, gap.lower, gap.upper)) return false;
    if (const Json* kept = json.is_object() ? find(json, kWindowKeys) : nullptr) {
      if (!life(*kept, gap.kept_lower, gap.kept_upper)) return false;
    }
    if (const char* what = wrong_gap(gap, b, needs))
      return refuse("the gap " + std::to_string(gap.lower) + "-" + std::to_string(gap.upper) + " " + what);
    needs.gaps.push_back(gap);
    return true;
  }

  std::string why_;
  std::string where_;
  PackTable table_;
  int64_t total_ = 0;
};

Json gaps_json(const std::vector<PackGap>& gaps) {
  Json out = Json::array();
  for (const PackGap& gap : gaps) {
    Json& one = out.emplace_back(Json{{"lower", gap.lower}, {"upper", gap.upper}});
    if (gap.kept_lower < gap.kept_upper)
      one["window"] = Json{{"lower", gap.kept_lower}, {"upper", gap.kept_upper}};
  }
  return out;
}

Json buffer_json(const PackTable& table, size_t i) {
  const PackBuffer& b = table.buffers[i];
  Json one{{"id", table.ids[i]}, {"lower", b.lower}, {"upper", b.upper}, {"size", b.size}};
  if (table.needs.empty()) return one;
  const PackNeeds& needs = table.needs[i];
  if (needs.alignment != 1) one["alignment"] = needs.alignment;
  if (!needs.gaps.empty()) one["gaps"] = gaps_json(needs.gaps);
  return one;
}

}  // namespace

Result<PackTable> read_pack_json(std::string_view text) { return JsonReader().read(text); }

std::string write_pack_json(const PackTable& table, const PackResult& result) {
  Json read = table.json.empty() ? Json::object() : parse_json<Json>(table.json);
  Json out = Json::object(), list = Json::array();
  std::string list_key = "buffers";
  if (read.is_array()) {
    list = std::move(read);
  } else {
    for (auto& [key, value] : read.items()) {
      if (is_list(key))
        list = std::move(value), list_key = key;
      else
        out[key] = std::move(value);
    }
  }
  if (table.capacity) out[out.contains("memory") ? "memory" : "capacity"] = *table.capacity;
  out["height"] = result.height;
  out["bound"] = result.bound;
  out["verdict"] = name(verdict_of(result, table.capacity));
  std::string text = out.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.pop_back();
  text += ", \"" + list_key + "\": [";
  for (size_t i = 0; i < table.ids.size(); ++i) {
    Json one = i < list.size() ? std::move(list[i]) : buffer_json(table, i);
    one["offset"] = result.offsets[i];
    text += (i ? ",\n  " : "\n  ") + one.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return text + "\n]}\n";
}

}  // namespace irplan
