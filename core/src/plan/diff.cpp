#include "plan/diff.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "plan/layer_class.h"

namespace irplan {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kShown = 12;    // changes of one part in the text for people
constexpr size_t kLongest = 72;  // bytes of a value there
constexpr const char* kParts[] = {"target", "memory_plan", "phases", "dims",    "guards",
                                  "budget", "outputs",     "ops",    "buffers", "values"};

std::string dumped(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dumped(value);
}

// The text at a key, or an empty one.
std::string word(const Json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() ? text_of(*found) : std::string();
}

std::string name_of(const std::string& part, const Json& record) {
  if (part == "guards")
    return word(record, "expr") + (record.contains("phase") ? " in " + word(record, "phase") : "");
  if (part == "budget") return word(record, "expr");
  if (part == "outputs") return word(record, "name") + " of " + word(record, "phase");
  return word(record, part == "phases" || part == "dims" ? "name" : "id");
}

// What a reader wants to know first of a record that came or went.
std::string summary_of(const std::string& part, const Json& record) {
  if (part == "ops") return word(record, "kernel");
  if (part == "buffers") return word(record, "segment") + " " + word(record, "bytes");
  if (part == "budget")
    return word(record, "used_bytes").empty()
               ? "max " + word(record, "max")
               : word(record, "used_bytes") + " bytes, max " + word(record, "max");
  if (part == "values") return word(record, "dtype") + word(record, "shape");
  return dumped(record);
}

// What tells the records of a list inside of a record apart; none where it holds no such records.
const char* key_of(const Json& list) {
  if (!list.is_array() || list.empty() || !list[0].is_object()) return nullptr;
  for (const char* key : {"change", "buffer", "phase"}) {
    if (list[0].contains(key)) return key;
  }
  return nullptr;
}

class Comparison {
 public:
  std::vector<PlanChange> run(const Json& a, const Json& b) {
    for (const char* part : kParts) {
      part_ = part;
      const auto left = a.find(part), right = b.find(part);
      if (left == a.end() || right == b.end()) continue;
      if (left->is_array()) {
        records(*left, *right);
      } else {
        fields("", *left, *right, "");
      }
    }
    return std::move(changes_);
  }

 private:
  void add(const std::string& name, const std::string& field, const Json* before, const Json* after) {
    PlanChange change;
    change.part = part_;
    change.name = name;
    change.field = field;
    if (before) change.before = text_of(*before);
    if (after) change.after = text_of(*after);
    const bool bytes = field.find("bytes") != std::string::npos || field.rfind("segments.", 0) == 0;
    if (bytes && before && after && before->is_number_integer() && after->is_number_integer()) {
      change.more_bytes = after->get<int64_t>() - before->get<int64_t>();
    }
    changes_.push_back(std::move(change));
  }

  void fields(const std::string& name, const Json& a, const Json& b, const std::string& path) {
    for (auto it = a.begin(); it != a.end(); ++it) {
      if (it.key() == "line") continue;
      const auto other = b.find(it.key());
      const std::string field = path + it.key();
      if (other == b.end()) {
        add(name, field, &*it, nullptr);
      } else if (it->is_object() && other->is_object()) {
        fields(name, *it, *other, field + ".");
      } else if (key_of(*it) && key_of(*other)) {
        fields(name, by_key(*it), by_key(*other), field + ".");
      } else if (!(*it == *other)) {
        add(name, field, &*it, &*other);
      }
    }
    for (auto it = b.begin(); it != b.end(); ++it) {
      if (it.key() != "line" && a.find(it.key()) == a.end()) add(name, path + it.key(), nullptr, &*it);
    }
  }

  // {"--dim B=4": {"bytes": 1}} of [{"change": "--dim B=4", "bytes": 1}]
  static Json by_key(const Json& list) {
    Json out = Json::object();
    const char* key = key_of(list);
    for (Json record : list) {
      const std::string name = word(record, key);
      record.erase(key);
      out[name] = std::move(record);
    }
    return out;
  }

  void records(const Json& a, const Json& b) {
    std::unordered_map<std::string, const Json*> before, after;
    for (const Json& record : a) before.emplace(name_of(part_, record), &record);
    for (const Json& record : b) after.emplace(name_of(part_, record), &record);
    for (const Json& record : a) {
      const std::string name = name_of(part_, record);
      const auto other = after.find(name);
      if (other != after.end()) {
        fields(name, record, *other->second, "");
      } else {
        const Json summary = summary_of(part_, record);
        add(name, "", &summary, nullptr);
      }
    }
    for (const Json& record : b) {
      const std::string name = name_of(part_, record);
      if (before.contains(name)) continue;
      const Json summary = summary_of(part_, record);
      add(name, "", nullptr, &summary);
    }
    if (part_ == "ops") order(a, b, before, after);
  }

  // The first op that runs at another place among those that both plans have.
  void order(const Json& a, const Json& b, const std::unordered_map<std::string, const Json*>& before,
             const std::unordered_map<std::string, const Json*>& after) {
    std::vector<std::string> left, right;
    for (const Json& op : a) {
      if (after.contains(word(op, "id"))) left.push_back(word(op, "id"));
    }
    for (const Json& op : b) {
      if (before.contains(word(op, "id"))) right.push_back(word(op, "id"));
    }
    for (size_t i = 0; i < left.size() && i < right.size(); ++i) {
      if (left[i] == right[i]) continue;
      const Json first = left[i], second = right[i];
      add("", "order", &first, &second);
      return;
    }
  }

  std::string part_;
  std::vector<PlanChange> changes_;
};

// " (+16.0 MiB)"
std::string bytes_text(int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double size = bytes < 0 ? -static_cast<double>(bytes) : static_cast<double>(bytes);
  size_t unit = 0;
  for (; size >= 1024 && unit < 4; ++unit) size /= 1024;
  char text[64];
  std::snprintf(text, sizeof text, unit ? " (%c%.1f %s)" : " (%c%.0f %s)", bytes < 0 ? '-' : '+', size,
                kUnits[unit]);
  return text;
}

// At most kLongest bytes, cut between characters.
std::string short_of(const std::string& text) {
  if (text.size() <= kLongest) return text;
  size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " …";
}

std::string line_of(const PlanChange& change) {
  if (change.field.empty()) {
    const bool gone = change.before.has_value();
    return std::string(gone ? "- " : "+ ") + change.name + "  " +
           short_of(gone ? *change.before : *change.after);
  }
  std::string out = "~ " + change.name + (change.name.empty() ? "" : "  ") + change.field + ": ";
  out += short_of(change.before.value_or("nothing")) + " -> " + short_of(change.after.value_or("nothing"));
  return change.more_bytes ? out + bytes_text(*change.more_bytes) : out;
}

// A change that identical layers have in common: one line, and how many there are.
struct ClassOfChanges {
  PlanChange change;  // the first of them, with the names of the class where there are several
  size_t count = 0;
};

// Of a value that names something; plain numbers stay what they are.
std::string class_of(const std::string& text) {
  return text.find('/') != std::string::npos || text.find(".layers.") != std::string::npos ? layer_class(text)
                                                                                           : text;
}

std::vector<ClassOfChanges> by_layers(const std::vector<PlanChange>& changes) {
  std::vector<ClassOfChanges> out;
  std::unordered_map<std::string, size_t> known;
  for (const PlanChange& change : changes) {
    PlanChange shared = change;
    shared.name = layer_class(change.name);
    if (shared.before) shared.before = class_of(*shared.before);
    if (shared.after) shared.after = class_of(*shared.after);
    const std::string key = shared.part + "\n" + line_of(shared);
    const auto [at, fresh] = known.try_emplace(key, out.size());
    if (fresh) out.push_back({change, 0});
    ClassOfChanges& found = out[at->second];
    if (++found.count == 2) found.change = std::move(shared);
  }
  return out;
}

}  // namespace

std::vector<PlanChange> compare_plans(const Plan& a, const Plan& b) {
  const Json left = Json::parse(write_plan(a), nullptr, false);
  const Json right = Json::parse(write_plan(b), nullptr, false);
  if (!left.is_object() || !right.is_object()) return {};
  return Comparison().run(left, right);
}

std::string diff_plans(const Plan& a, const Plan& b) {
  std::string out, part;
  size_t shown = 0, hidden = 0;
  const auto close = [&] {
    if (hidden) out += "  and " + std::to_string(hidden) + " more\n";
    shown = hidden = 0;
  };
  for (const auto& [change, count] : by_layers(compare_plans(a, b))) {
    if (change.part != part) {
      close();
      part = change.part;
      out += part + "\n";
    }
    if (shown == kShown) {
      ++hidden;
      continue;
    }
    ++shown;
    out += "  " + line_of(change) + (count > 1 ? "  (" + std::to_string(count) + " alike)" : "") + "\n";
  }
  close();
  return out;
}

std::string diff_plans_json(const Plan& a, const Plan& b) {
  std::string out = "[";
  const auto text = [](const std::optional<std::string>& s) {
    return s ? dumped(Json(*s)) : std::string("null");
  };
  for (const PlanChange& change : compare_plans(a, b)) {
    out += out.size() > 1 ? ",\n" : "\n";
    out += "{\"part\":" + text(change.part) + ",\"name\":" + text(change.name) +
           ",\"field\":" + text(change.field) + ",\"before\":" + text(change.before) +
           ",\"after\":" + text(change.after) + "}";
  }
  return out + (out.size() > 1 ? "\n]\n" : "]\n");
}

}  // namespace irplan
