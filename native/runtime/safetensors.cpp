#include "runtime/safetensors.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "files/paths.h"
#include "files/read.h"

namespace irplan {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxIndex = size_t{100} << 20;

// "; name one of a.safetensors, …", or what other form of weights a folder holds.
std::string others(const std::string& folder) {
  constexpr size_t kMost = 4;
  std::set<std::string> named, foreign;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string(), end = entry.path().extension().string();
    if (end == ".safetensors") named.insert(name);
    if (end == ".bin" || end == ".pt" || end == ".pth" || end == ".gguf") foreign.insert(name);
  }
  std::string out;
  size_t count = 0;
  for (const std::string& name : named.empty() ? foreign : named) {
    if (count++ < kMost) out += (count > 1 ? ", " : "") + name;
  }
  if (count > kMost) out += " and " + std::to_string(count - kMost) + " more";
  if (!named.empty()) return "; it holds " + out + ": name one of them";
  return foreign.empty() ? "" : "; it holds " + out + ", and only safetensors files are read";
}

// Brackets nested deeper than a header's ever are; found before a parser builds anything of them.
bool nested_deeper_than(std::string_view text, int most) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > most) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

std::optional<int64_t> natural(const Json& n) {
  if (!n.is_number_unsigned() || n.get<uint64_t>() > uint64_t{INT64_MAX}) return std::nullopt;
  return static_cast<int64_t>(n.get<uint64_t>());
}

// One entry of the header; offsets are left in data (as a number) and bytes.
struct Entry {
  std::string name;
  StoredTensor tensor;
  int64_t begin = 0, end = 0;
};

bool read_entry(const std::string& name, const Json& json, Entry& entry, std::string* why) {
  entry.name = name;
  const auto wrong = [&](const std::string& what) {
    return *why = "tensor " + name.substr(0, 200) + ": " + what, false;
  };
  if (!json.is_object()) return wrong("its entry is no object");
  const auto dtype = json.find("dtype"), shape = json.find("shape"), offsets = json.find("data_offsets");
  if (dtype == json.end() || !dtype->is_string()) return wrong("has no dtype");
  if (shape == json.end() || !shape->is_array()) return wrong("has no shape");
  if (offsets == json.end() || !offsets->is_array() || offsets->size() != 2)
    return wrong("has no data_offsets");
  const auto type = find_stored(dtype->get_ref<const std::string&>());
  if (!type)
    return wrong("its dtype `" + dtype->get_ref<const std::string&>().substr(0, 20) + "` is not known");
  entry.tensor.type = *type;
  if (shape->size() > SafetensorsFile::kMaxRank)
    return wrong("has more than " + std::to_string(SafetensorsFile::kMaxRank) + " axes");
  for (const Json& extent : *shape) {
    const auto n = natural(extent);
    if (!n) return wrong("its shape holds what is no size");
    entry.tensor.shape.push_back(*n);
  }
  const auto begin = natural((*offsets)[0]), end = natural((*offsets)[1]);
  if (!begin || !end || *begin > *end) return wrong("its data_offsets are no range");
  entry.begin = *begin;
  entry.end = *end;
  int64_t bytes = 0;
  const auto count = checked_count(entry.tensor.shape);
  if (!count || __builtin_mul_overflow(*count, info(*type).bytes, &bytes))
    return wrong("its shape " + text(entry.tensor.shape) + " exceeds 64 bits");
  if (bytes != *end - *begin) {
    return wrong(std::string(info(*type).name) + text(entry.tensor.shape) + " takes " +
                 std::to_string(bytes) + " bytes, but data_offsets give it " + std::to_string(*end - *begin));
  }
  entry.tensor.bytes = static_cast<size_t>(bytes);
  return true;
}

}  // namespace

std::optional<SafetensorsFile> SafetensorsFile::open(const std::string& path, std::string* why) {
  auto mapped = MappedFile::open(path, why);
  if (!mapped) return std::nullopt;
  SafetensorsFile file(path, std::move(*mapped));
  if (!file.read_header(why)) {
    *why = path + ": " + *why;
    return std::nullopt;
  }
  return file;
}

bool SafetensorsFile::read_header(std::string* why) {
  if (file_.size() == 0) return *why = "is empty, not a safetensors file", false;
  if (file_.size() < 8)
    return *why = "is cut: a safetensors file begins with 8 bytes of header length", false;
  uint64_t length = 0;
  for (int i = 0; i < 8; ++i) length |= std::to_integer<uint64_t>(file_.data()[i]) << (8 * i);
  if (length > kMaxHeader) {
    return *why = "its first 8 bytes tell of a header of " + std::to_string(length) + " bytes, above the " +
                  std::to_string(kMaxHeader) + " that are read; is it a safetensors file?",
           false;
  }
  if (length > file_.size() - 8) {
    return *why = "is cut: its header has " + std::to_string(length) + " bytes, the file " +
                  std::to_string(file_.size()),
           false;
  }
  const std::string_view header = file_.text().substr(8, length);
  if (nested_deeper_than(header, 8)) return *why = "its header is nested too deep", false;
  std::set<std::string> names;
  std::string twice;
  const auto look = [&](int depth, Json::parse_event_t event, Json& key) {
    if (depth == 1 && event == Json::parse_event_t::key && !names.insert(key.get<std::string>()).second)
      twice = key.get<std::string>();
    return true;
  };
  const Json json = Json::parse(header, look, false);
  if (json.is_discarded()) return *why = "its header is no JSON; is it a safetensors file?", false;
  if (!twice.empty()) return *why = "its header names the tensor " + twice.substr(0, 200) + " twice", false;
  if (!json.is_object()) return *why = "its header is no JSON object", false;
  std::vector<Entry> entries;
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") continue;
    if (!read_entry(name, value, entries.emplace_back(), why)) return false;
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  const auto held = static_cast<int64_t>(file_.size() - 8 - length);
  int64_t at = 0;
  for (Entry& entry : entries) {
    const std::string tensor = "tensor " + entry.name.substr(0, 200);
    if (entry.end > held) {
      return *why = tensor + ": its data_offsets end at byte " + std::to_string(entry.end) + " of " +
                    std::to_string(held) + "; the file is cut, or its header wrong",
             false;
    }
    if (entry.begin != at) {
      return *why = tensor + (entry.begin < at ? ": overlaps the one before it"
                                               : ": bytes before it belong to no tensor"),
             false;
    }
    at = entry.end;
    entry.tensor.data = file_.data() + 8 + length + entry.begin;
    tensors_.emplace(std::move(entry.name), std::move(entry.tensor));
  }
  if (at != held) return *why = std::to_string(held - at) + " bytes at its end belong to no tensor", false;
  return true;
}

std::optional<Checkpoint> Checkpoint::open(const std::string& path, std::string* why) {
  Checkpoint checkpoint;
  checkpoint.path_ = path;
  std::string single = path;
  if (is_folder(path)) {
    const std::string index = path + "/model.safetensors.index.json";
    if (is_file(index)) {
      if (!checkpoint.read_index(path, index, why)) return std::nullopt;
      return checkpoint;
    }
    single = path + "/model.safetensors";
    if (!is_file(single)) {
      *why = path + " holds neither model.safetensors.index.json nor model.safetensors" + others(path);
      return std::nullopt;
    }
  }
  auto file = SafetensorsFile::open(single, why);
  if (!file) return std::nullopt;
  checkpoint.files_.push_back(std::move(*file));
  for (const auto& [name, tensor] : checkpoint.files_.back().tensors()) checkpoint.add(name, tensor);
  return checkpoint;
}

bool Checkpoint::read_index(const std::string& folder, const std::string& index, std::string* why) {
  const auto wrong = [&](const std::string& what) { return *why = index + ": " + what, false; };
  const auto text = read_text(index, kMaxIndex, why);
  if (!text) return false;
  if (nested_deeper_than(*text, 8)) return wrong("is nested too deep");
  const Json json = Json::parse(*text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return wrong("is no JSON object");
  const auto map = json.find("weight_map");
  if (map == json.end() || !map->is_object()) return wrong("has no weight_map");
  std::map<std::string, size_t> shards;
  for (const auto& [name, value] : map->items()) {
    if (!value.is_string()) return wrong("weight_map gives no file for " + name.substr(0, 200));
    const auto& shard = value.get_ref<const std::string&>();
    if (shard.empty() || shard[0] == '.' || shard.find('/') != std::string::npos ||
        shard.find('\0') != std::string::npos)
      return wrong("weight_map names `" + shard.substr(0, 200) + "`, which is no file of that folder");
    if (!shards.contains(shard)) {
      auto file = SafetensorsFile::open(folder + "/" + shard, why);
      if (!file) return false;
      shards.emplace(shard, files_.size());
      files_.push_back(std::move(*file));
    }
    const auto& tensors = files_[shards[shard]].tensors();
    const auto tensor = tensors.find(name);
    if (tensor == tensors.end())
      return wrong(shard + " lacks " + name.substr(0, 200) + ", which weight_map places there");
    add(name, tensor->second);
  }
  return true;
}

void Checkpoint::add(std::string name, const StoredTensor& tensor) {
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1))
    by_suffix_[name.substr(dot + 1)].push_back(name);
  tensors_.emplace(std::move(name), tensor);
}

const StoredTensor* Checkpoint::find(std::string_view name, std::string* stored_name,
                                     std::string* why) const {
  auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    const auto longer = by_suffix_.find(name);
    if (longer == by_suffix_.end()) return nullptr;
    if (longer->second.size() > 1) {
      *why = std::string(name) + " could be " + longer->second[0] + " or " + longer->second[1];
      return nullptr;
    }
    found = tensors_.find(longer->second[0]);
  }
  if (stored_name) *stored_name = found->first;
  return &found->second;
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : tensors_) out.push_back(name);
  return out;
}

std::optional<std::string> Checkpoint::changed() const {
  for (const SafetensorsFile& file : files_) {
    if (file.file().changed()) return file.path() + " changed while it was read; run again when it is whole";
  }
  return std::nullopt;
}

}  // namespace irplan
