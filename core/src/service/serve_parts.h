// What serve.h answers beside compilations: about plans, about models, about buffers.
#pragma once

#include <string>

#include "base/json_request.h"
#include "plan/plan.h"

namespace irplan::serving {

// ---- replies
std::string explain(const Plan& plan, const json& request);
std::string picture(const Plan& plan, const json& request);
std::string diff(const json& request);
std::string fit(const json& request);
std::string known_gpus();
std::string new_program(const json& request);
std::string pack(const json& request);

}  // namespace irplan::serving
