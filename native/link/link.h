// Links of the playground: all that a page shows, in the part of an address that is never sent to a server.
//
//     https://host/#1.0.1.0.bQ9hclJ8OzFqYSpEv7zAB…
//                   │ └─┬─┘│└ the record as JSON, deflated with the dictionary, in base64url
//                   │   │  └ the dictionary's letter
//                   │   └ the version of the compiler that made it
//                   └ the format
//
// The record, of which only `file` and `text` must be there: {"file", "text", "config", "configName",
// "options": {"target", "lets": {name: text}, "dims": {name: n}, "retypes": {what: dtype}, "keepOrder",
// "strength", "denyWarnings"}, "sizes": {name: n}, "look": {"view", "phase", "buffer"}, "fit": {"gpu",
// "memory", "context", "batch", "retypes"}, "against": what it is compared with, a record of the same kind,
// whose absent "sizes" are those of the document}.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "irplan/result.h"

namespace irplan::link {

using Json = nlohmann::ordered_json;

constexpr size_t kMostText = size_t{4} << 20;     // bytes of a link that is read
constexpr size_t kMostRecord = size_t{16} << 20;  // bytes of what it holds

struct Link {
  std::string version;
  Json record;  // with texts at "file" and "text"
};

// "#1.0.1.0.b…", with the dictionary that makes it the shortest.
std::string encode(const Json& record, std::string_view version);

// Of an address, or of what follows its `#`. None with the reason.
Result<Link> decode(std::string_view link);

}  // namespace irplan::link
