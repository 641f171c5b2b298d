// Which IRPlanner this is.
#pragma once

namespace irplan {

constexpr const char* kVersion = "0.1.0";

}  // namespace irplan
