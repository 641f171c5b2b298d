// How much of each kind of file a command reads into memory: what the readers take, and a little more where
// their own message about a text that is too long says more.
#pragma once

#include <cstddef>

#include "ir/config.h"
#include "plan/json_tree.h"
#include "syntax/parser.h"

namespace irplan::command {

constexpr size_t kMaxProgramFile = syntax::kMaxSourceBytes * 16;
constexpr size_t kMaxConfigFile = Config::kMaxBytes * 2;
constexpr size_t kMaxPlanFile = JsonTree::kMaxBytes;
constexpr size_t kMaxTableFile = size_t{256} << 20;     // of irplan pack
constexpr size_t kMaxRequestsFile = size_t{256} << 20;  // of irplan-run --requests

}  // namespace irplan::command
