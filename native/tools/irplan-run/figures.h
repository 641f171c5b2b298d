// Times and rates as reports show them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/times.h"

namespace irplan::run {

// Three digits or more: "0.0123", "1.23", "123", "12345".
std::string rate_text(double rate);
// "1 token", "2 tokens"
std::string counted(int64_t n, const std::string& one);
// The least number that `part` hundredths of them do not exceed.
double percentile(const std::vector<double>& sorted, size_t part);

}  // namespace irplan::run
