// A plan, told to a person: where the bytes and the time go, and why.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace irplan::cli {

// The report on a plan's text. None after a message on stderr.
std::optional<std::string> explain_plan(const std::string& plan_json,
                                        const std::vector<std::string>& unread_config_keys, bool color);

}  // namespace irplan::cli
