// The part of `irplan explain` that looks forward: what a token costs, what would lower the memory, what
// budgets admit.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "report/report.h"

namespace irplan::report {

// "  tokens    4096 a step: 72.0 KiB of arena each"; empty where no input has two axes.
std::string tokens_text(const Plan& plan, const Plan::Tokens& tokens);
// By what the states grow, and what they hold; empty where there are none.
std::string state_tokens_text(const Plan& plan, const Binding& binding);
nlohmann::ordered_json tokens_json(const Plan::Tokens& tokens);

// The plan's changes with those of the program, which a plan alone cannot tell.
std::vector<Plan::Lighter> all_lighter(const Plan& plan, const std::vector<Plan::Lighter>& of_program);
// Says where the rest is told if the program is not there.
std::string lighter_text(const Plan& plan, const std::vector<Plan::Lighter>& changes, bool program_is_there);
nlohmann::ordered_json lighter_json(const std::vector<Plan::Lighter>& changes);

std::string budgets_text(const Plan& plan);
nlohmann::ordered_json budgets_json(const Plan& plan);

}  // namespace irplan::report
