// Texts from files.
#pragma once

#include <cstddef>
#include <string>

#include "irplan/result.h"

namespace irplan {

// The whole file, or all of stdin for "-"; none with the reason, which names the file. More than `limit`
// bytes are refused as soon as they are seen.
Result<std::string> read_text(const std::string& path, size_t limit);

// What an open file holds, at most `most` bytes of it; 0, or errno's reason.
int read_all(int file, size_t most, std::string& out);

}  // namespace irplan
