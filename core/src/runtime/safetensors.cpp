#include "runtime/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

namespace irplan {
namespace {

// One tensor of the header, with its place in the data.
struct Entry {
  NamedTensor named;
  uint64_t begin = 0, end = 0;
};

// The header's entries as the parser meets them; nothing else of it is kept.
class TensorsReader {
 public:
  using Json = nlohmann::ordered_json;

  explicit TensorsReader(std::vector<Entry>& entries) : entries_(entries) {}
  std::string why;

  bool null() { return scalar(); }
  bool boolean(bool) { return scalar(); }
  bool number_integer(int64_t) { return scalar(); }
  bool number_float(double, const std::string&) { return scalar(); }
  bool binary(Json::binary_t&) { return false; }
  bool number_unsigned(uint64_t n) { return place_ == Place::List ? number(n) : scalar(); }
  bool string(std::string& text) {
    if (skipped_ || place_ != Place::Entry || slot_ != Slot::Dtype) return scalar();
    const auto type = find_stored(text);
    if (!type) return wrong("its dtype `" + text.substr(0, 20) + "` is not known");
    entry().named.tensor.type = *type;
    return true;
  }

  bool key(std::string& key) {
    if (skipped_) return true;
    if (place_ == Place::Root) return name_ = std::move(key), true;
    slot_ = key == "dtype"          ? Slot::Dtype
            : key == "shape"        ? Slot::Shape
            : key == "data_offsets" ? Slot::Offsets
                                    : Slot::Other;
    bool& told = told_[static_cast<size_t>(slot_)];
    if (told && slot_ != Slot::Other) return wrong("has two of `" + key + "`");
    return told = true;
  }

  bool start_object(size_t) {
    if (skipped_) return skip();
    switch (place_) {
      case Place::Start: place_ = Place::Root; return true;
      case Place::Root: return name_ == "__metadata__" ? skip() : open();
      case Place::Entry: return slot_ == Slot::Other ? skip() : lacks();
      default: return wrong_element();
    }
  }
  bool end_object() {
    if (skipped_) return --skipped_, true;
    if (place_ == Place::Root) return true;
    place_ = Place::Root;
    return close();
  }
  bool start_array(size_t) {
    if (skipped_) return skip();
    if (place_ == Place::Root && name_ == "__metadata__") return skip();
    if (place_ == Place::List) return wrong_element();
    if (place_ != Place::Entry) return scalar();
    if (slot_ == Slot::Other) return skip();
    if (slot_ == Slot::Dtype) return lacks();
    place_ = Place::List;
    return true;
  }
  bool end_array() {
    if (skipped_) return --skipped_, true;
    place_ = Place::Entry;
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) {
    return fail("its header is not JSON; is it a safetensors file?");
  }

 private:
  enum class Place { Start, Root, Entry, List };
  enum class Slot { Dtype, Shape, Offsets, Other };

  Entry& entry() { return entries_.back(); }
  bool fail(const std::string& text) {
    why = text;
    return false;
  }
  bool wrong(const std::string& text) { return fail("tensor " + name_.substr(0, kShownName) + ": " + text); }

  // What the format says nothing of.
  bool skip() {
    if (++skipped_ <= Safetensors::kMaxDepth) return true;
    return fail("its header is nested too deep");
  }

  bool lacks() {
    constexpr const char* kNames[] = {"dtype", "shape", "data_offsets"};
    return wrong(std::string("has no ") + kNames[static_cast<size_t>(slot_)]);
  }
  bool wrong_element() {
    return wrong(slot_ == Slot::Shape ? "its shape holds something that is not a size"
                                      : "its data_offsets are not a range");
  }

  // A value that holds no others, where the format has none.
  bool scalar() {
    if (skipped_) return true;
    switch (place_) {
      case Place::Start: return fail("its header is not a JSON object");
      case Place::Root: return name_ == "__metadata__" ? true : wrong("its entry is not an object");
      case Place::Entry: return slot_ == Slot::Other ? true : lacks();
      default: return wrong_element();
    }
  }

  bool number(uint64_t n) {
    if (n > uint64_t{INT64_MAX}) return wrong_element();
    if (slot_ == Slot::Shape) {
      auto& shape = entry().named.tensor.shape;
      if (shape.size() == Safetensors::kMaxRank)
        return wrong("has more than " + std::to_string(Safetensors::kMaxRank) + " axes");
      shape.push_back(static_cast<int64_t>(n));
      return true;
    }
    if (offsets_ == 2) return lacks();
    (offsets_++ == 0 ? entry().begin : entry().end) = n;
    return true;
  }

  bool open() {
    if (name_.size() > Safetensors::kMaxName)
      return wrong("its name has " + std::to_string(name_.size()) + " bytes, more than " +
                   std::to_string(Safetensors::kMaxName));
    if (entries_.size() == Safetensors::kMaxTensors)
      return fail("holds more than " + std::to_string(Safetensors::kMaxTensors) + " tensors");
    entries_.emplace_back();
    std::fill(std::begin(told_), std::end(told_), false);
    offsets_ = 0;
    place_ = Place::Entry;
    return true;
  }

  bool close() {
    for (const Slot slot : {Slot::Dtype, Slot::Shape, Slot::Offsets}) {
      slot_ = slot;
      if (!told_[static_cast<size_t>(slot)] || (slot == Slot::Offsets && offsets_ != 2)) return lacks();
    }
    Entry& e = entry();
    StoredTensor& tensor = e.named.tensor;
    if (e.begin > e.end) return wrong("its data_offsets are not a range");
    int64_t bytes = 0;
    const auto count = checked_count(tensor.shape);
    if (!count || __builtin_mul_overflow(*count, info(tensor.type).bytes, &bytes))
      return wrong("its shape " + text(tensor.shape) + " exceeds 64 bits");
    if (static_cast<uint64_t>(bytes) != e.end - e.begin) {
      return wrong(std::string(info(tensor.type).name) + text(tensor.shape) + " takes " +
                   std::to_string(bytes) + " bytes, but data_offsets give it " +
                   std::to_string(e.end - e.begin));
    }
    tensor.bytes = static_cast<size_t>(bytes);
    e.named.name = std::move(name_);
    return true;
  }

  std::vector<Entry>& entries_;
  Place place_ = Place::Start;
  Slot slot_ = Slot::Other;
  std::string name_;
  bool told_[4] = {};
  size_t offsets_ = 0;  // numbers of data_offsets so far
  size_t skipped_ = 0;  // brackets that are open in what is skipped
};

// The header; none with the reason.
Result<std::string_view> header_of(std::span<const std::byte> file) {
  if (file.empty()) return Error{"is empty, not a safetensors file"};
  if (file.size() < 8) return Error{"is cut: a safetensors file begins with 8 bytes of header length"};
  uint64_t length = 0;
  for (size_t i = 0; i < 8; ++i) length |= std::to_integer<uint64_t>(file[i]) << (8 * i);
  if (length > Safetensors::kMaxHeader) {
    return Error{"its first 8 bytes give a header of " + std::to_string(length) + " bytes, above the " +
                 std::to_string(Safetensors::kMaxHeader) + " that are read; is it a safetensors file?"};
  }
  if (length > file.size() - 8) {
    return Error{"is cut: its header has " + std::to_string(length) + " bytes, the file " +
                 std::to_string(file.size())};
  }
  return std::string_view(reinterpret_cast<const char*>(file.data()) + 8, static_cast<size_t>(length));
}

// The entries get their bytes. Fails unless they cover the data, each byte once.
Failure place(std::vector<Entry>& entries, std::span<const std::byte> data) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  uint64_t at = 0;
  for (Entry& entry : entries) {
    const std::string tensor = "tensor " + entry.named.name.substr(0, kShownName);
    if (entry.end > data.size()) {
      return tensor + ": its data_offsets end at byte " + std::to_string(entry.end) + " of " +
             std::to_string(data.size()) + "; the file is cut, or its header wrong";
    }
    if (entry.begin != at) {
      return tensor +
             (entry.begin < at ? ": overlaps the one before it" : ": bytes before it belong to no tensor");
    }
    at = entry.end;
    entry.named.tensor.data = data.data() + entry.begin;
  }
  if (at != data.size()) return std::to_string(data.size() - at) + " bytes at its end belong to no tensor";
  return std::nullopt;
}

bool by_name(const NamedTensor& a, const NamedTensor& b) { return a.name < b.name; }

}  // namespace

Result<Safetensors> Safetensors::read(std::span<const std::byte> file) {
  const auto header = header_of(file);
  if (!header) return header.error();
  std::vector<Entry> entries;
  TensorsReader reader(entries);
  if (!nlohmann::ordered_json::sax_parse(*header, &reader)) return Error{reader.why};
  if (auto failure = place(entries, file.subspan(8 + header->size()))) return Error{*failure};
  Safetensors out;
  out.tensors_.reserve(entries.size());
  for (Entry& entry : entries) out.tensors_.push_back(std::move(entry.named));
  std::sort(out.tensors_.begin(), out.tensors_.end(), by_name);
  const auto twice = std::adjacent_find(out.tensors_.begin(), out.tensors_.end(),
                                        [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twice != out.tensors_.end())
    return Error{"its header names the tensor " + twice->name.substr(0, kShownName) + " twice"};
  return out;
}

const StoredTensor* Safetensors::find(std::string_view name) const {
  const auto found = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                                      [](const NamedTensor& t, std::string_view n) { return t.name < n; });
  return found != tensors_.end() && found->name == name ? &found->tensor : nullptr;
}

}  // namespace irplan
