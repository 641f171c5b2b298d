#include "link/link.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "base/bounded_json.h"
#include "link/dictionaries.h"

namespace irplan::link {
namespace {

constexpr std::string_view kFormat = "1";
constexpr std::string_view kOldest = "a";  // no link is made with it any more
constexpr std::string_view kSigns = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr int kWindow = -15;  // 32 KiB, and no header of zlib's: raw deflate

std::string to_base64url(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += kSigns[held >> (bits - 6) & 63];
  }
  if (bits > 0) out += kSigns[held << (6 - bits) & 63];
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    const size_t sign = kSigns.find(c);
    if (sign == std::string_view::npos) return std::nullopt;
    held = held << 6 | static_cast<uint32_t>(sign);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(held >> bits & 255);
  }
  return out;
}

Bytef* bytes_of(std::string_view text) {  // zlib takes its input as not constant, and leaves it as it is
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

std::string deflated(std::string_view text, std::string_view dictionary) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kWindow, 9, Z_DEFAULT_STRATEGY);
  deflateSetDictionary(&stream, bytes_of(dictionary), static_cast<uInt>(dictionary.size()));
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = bytes_of(text);
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = bytes_of(out);
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);  // one call: the room is the most that it can take
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// None where a part is missing, or it is no deflated text; `too_long` where it is longer than a link may
// hold.
std::optional<std::string> inflated(std::string_view packed, std::string_view dictionary, bool* too_long) {
  z_stream stream{};
  if (inflateInit2(&stream, kWindow) != Z_OK) return std::nullopt;
  inflateSetDictionary(&stream, bytes_of(dictionary), static_cast<uInt>(dictionary.size()));
  stream.next_in = bytes_of(packed);
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  std::vector<char> room(size_t{64} << 10);
  int state = Z_OK;
  while (state == Z_OK && out.size() <= kMostRecord) {
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(room.data(), room.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  *too_long = out.size() > kMostRecord;
  if (state != Z_STREAM_END || *too_long) return std::nullopt;
  return out;
}

struct Parts {
  std::string_view format, version;
  char letter = 0;
  std::string_view payload;
};

// "1.0.1.0.b…": the version has dots, the payload has none.
std::optional<Parts> parts_of(std::string_view fragment) {
  const size_t first = fragment.find('.'), last = fragment.rfind('.');
  if (first == std::string_view::npos || first == last || last + 1 >= fragment.size()) return std::nullopt;
  Parts parts{fragment.substr(0, first), fragment.substr(first + 1, last - first - 1), fragment[last + 1],
              fragment.substr(last + 2)};
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (parts.letter < 'a' || parts.letter > 'z') return std::nullopt;
  if (parts.format.empty() || !std::all_of(parts.format.begin(), parts.format.end(), digit))
    return std::nullopt;
  const auto of_version = [&](char c) {
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '+';
  };
  if (parts.version.empty() || !digit(parts.version[0]) ||
      !std::all_of(parts.version.begin(), parts.version.end(), of_version))
    return std::nullopt;
  return parts;
}

const Dictionary* dictionary_of(char letter) {
  const auto& all = dictionaries();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Dictionary& d) { return d.letter[0] == letter; });
  return found == all.end() ? nullptr : &*found;
}

bool is_text(const Json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && found->is_string();
}

}  // namespace

std::string encode(const Json& record, std::string_view version) {
  const std::string json = record.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string shortest;
  for (const Dictionary& d : dictionaries()) {
    if (d.letter == kOldest) continue;
    std::string payload = std::string(d.letter) + to_base64url(deflated(json, d.text));
    if (shortest.empty() || payload.size() < shortest.size()) shortest = std::move(payload);
  }
  return "#" + std::string(kFormat) + "." + std::string(version) + "." + shortest;
}

Result<Link> decode(std::string_view link) {
  const auto refused = [&](std::string reason) { return Error{std::move(reason)}; };
  if (link.size() > kMostText) return refused("a link of more than 4 MiB is not read");
  const size_t mark = link.find('#');
  const auto parts = parts_of(mark == std::string_view::npos ? link : link.substr(mark + 1));
  if (!parts) return refused("this is no link of the playground: those have #1.VERSION.… in them");
  if (parts->format != kFormat)
    return refused("the link has format " + std::string(parts->format) + ", and this version reads format 1");
  const Dictionary* dictionary = dictionary_of(parts->letter);
  if (!dictionary)
    return refused("the link was made by a newer version: it has the dictionary `" +
                   std::string(1, parts->letter) + "`");
  const auto packed = from_base64url(parts->payload);
  bool too_long = false;
  const auto json = packed ? inflated(*packed, dictionary->text, &too_long) : std::nullopt;
  if (too_long) return refused("the link holds more than 16 MiB");
  const Json record = json ? parse_json<Json>(*json) : Json(Json::value_t::discarded);
  if (record.is_discarded()) return refused("the link is damaged: a part of it is missing");
  if (!record.is_object() || !is_text(record, "file") || !is_text(record, "text"))
    return refused("the link holds no program");
  return Link{std::string(parts->version), record};
}

}  // namespace irplan::link
