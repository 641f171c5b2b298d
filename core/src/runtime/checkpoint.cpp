#include "runtime/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace irplan {
namespace {

// By the last byte, then the one before, eight at a time: names of a stranger may be long and end alike.
bool less_from_the_end(std::string_view a, std::string_view b) {
  static_assert(std::endian::native == std::endian::little, "the last byte of eight weighs the most");
  size_t left = std::min(a.size(), b.size());
  const char *x = a.data() + a.size(), *y = b.data() + b.size();
  for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t)) {
    uint64_t p, q;
    std::memcpy(&p, x -= sizeof p, sizeof p), std::memcpy(&q, y -= sizeof q, sizeof q);
    if (p != q) return p < q;
  }
  for (; left > 0; --left) {
    const auto p = static_cast<unsigned char>(*--x), q = static_cast<unsigned char>(*--y);
    if (p != q) return p < q;
  }
  return a.size() < b.size();
}

// "weight_map" of the index, as the parser meets it.
class IndexReader {
 public:
  using Json = nlohmann::ordered_json;

  explicit IndexReader(CheckpointIndex& index) : index_(index) {}
  std::string why;
  bool has_map = false;

  bool null() { return other(); }
  bool boolean(bool) { return other(); }
  bool number_integer(int64_t) { return other(); }
  bool number_unsigned(uint64_t) { return other(); }
  bool number_float(double, const std::string&) { return other(); }
  bool binary(Json::binary_t&) { return false; }
  bool string(std::string& shard) {
    if (!in_map()) return other();
    if (shard.empty() || shard[0] == '.' || shard.find('/') != std::string::npos ||
        shard.find('\0') != std::string::npos)
      return fail("weight_map names `" + shard.substr(0, kShownName) + "`, which is not in that folder");
    const auto [at, fresh] = numbers_.try_emplace(shard, static_cast<uint32_t>(index_.shards.size()));
    if (fresh && index_.shards.size() == CheckpointIndex::kMaxShards)
      return fail("weight_map names more than " + std::to_string(CheckpointIndex::kMaxShards) + " files");
    if (fresh) index_.shards.push_back(shard);
    index_.tensors.emplace_back(std::move(key_), at->second);
    return true;
  }
  bool key(std::string& key) {
    if (depth_ == 1) map_is_next_ = key == "weight_map";
    if (!in_map()) return true;
    if (key.size() > Safetensors::kMaxName)
      return fail("weight_map has a name of " + std::to_string(key.size()) + " bytes, more than " +
                  std::to_string(Safetensors::kMaxName));
    if (index_.tensors.size() == Safetensors::kMaxTensors)
      return fail("weight_map names more than " + std::to_string(Safetensors::kMaxTensors) + " tensors");
    return key_ = std::move(key), true;
  }
  bool start_object(size_t) {
    if (in_map()) return other();
    if (depth_ == 1 && map_is_next_) {
      if (has_map) return fail("has two of `weight_map`");
      has_map = true;
    }
    return open();
  }
  bool start_array(size_t) {
    if (in_map() || depth_ == 0) return other();
    if (depth_ == 1) map_is_next_ = false;
    return open();
  }
  bool end_object() { return --depth_, true; }
  bool end_array() { return --depth_, true; }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) {
    return fail("is not a JSON object");
  }

 private:
  bool in_map() const { return depth_ == 2 && map_is_next_; }
  bool open() {
    if (++depth_ <= Safetensors::kMaxDepth) return true;
    return fail("is nested too deep");
  }
  bool other() {
    if (depth_ == 0) return fail("is not a JSON object");
    if (!in_map()) return true;
    return fail("weight_map gives no file for " + key_.substr(0, kShownName));
  }
  bool fail(const std::string& text) {
    why = text;
    return false;
  }

  CheckpointIndex& index_;
  std::map<std::string, uint32_t> numbers_;  // of the shards
  std::string key_;
  size_t depth_ = 0;
  bool map_is_next_ = false;  // the value of `weight_map` is read, or read next
};

}  // namespace

Checkpoint::Checkpoint(std::string path, std::vector<NamedTensor> tensors)
    : path_(std::move(path)), tensors_(std::move(tensors)) {
  const auto by_name = [](const NamedTensor& a, const NamedTensor& b) { return a.name < b.name; };
  if (!std::is_sorted(tensors_.begin(), tensors_.end(), by_name))
    std::sort(tensors_.begin(), tensors_.end(), by_name);
  by_end_.resize(tensors_.size());
  for (size_t i = 0; i < by_end_.size(); ++i) by_end_[i] = static_cast<uint32_t>(i);
  std::sort(by_end_.begin(), by_end_.end(),
            [&](uint32_t a, uint32_t b) { return less_from_the_end(tensors_[a].name, tensors_[b].name); });
}

Result<const NamedTensor*> Checkpoint::find(std::string_view name) const {
  const auto exact = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                                      [](const NamedTensor& t, std::string_view n) { return t.name < n; });
  const NamedTensor* found = exact != tensors_.end() && exact->name == name ? &*exact : nullptr;
  if (!found) {
    const std::string end = "." + std::string(name);
    auto at = std::lower_bound(by_end_.begin(), by_end_.end(), end, [&](uint32_t i, const std::string& e) {
      return less_from_the_end(tensors_[i].name, e);
    });
    const auto matches = [&] { return at != by_end_.end() && tensors_[*at].name.ends_with(end); };
    if (!matches()) return found;
    found = &tensors_[*at++];
    if (matches()) {
      const std::string &a = found->name, &b = tensors_[*at].name;
      return Error{std::string(name) + " could be " + std::min(a, b) + " or " + std::max(a, b)};
    }
  }
  return found;
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> out;
  out.reserve(tensors_.size());
  for (const NamedTensor& t : tensors_) out.push_back(t.name);
  return out;
}

Result<CheckpointIndex> CheckpointIndex::read(std::string_view json) {
  CheckpointIndex index;
  IndexReader reader(index);
  if (!nlohmann::ordered_json::sax_parse(json, &reader)) return Error{reader.why};
  if (!reader.has_map) return Error{"has no weight_map"};
  std::sort(index.tensors.begin(), index.tensors.end());
  const auto twice = std::adjacent_find(index.tensors.begin(), index.tensors.end(),
                                        [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice != index.tensors.end())
    return Error{"weight_map names the tensor " + twice->first.substr(0, kShownName) + " twice"};
  return index;
}

}  // namespace irplan
