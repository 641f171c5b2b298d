// Files that tests read: of the source tree, or of the folder that IRPLAN_SOURCE_DIR names, as a host with a
// GPU has it (native/cuda/gpu-pack.sh).
#pragma once

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "catch.h"

namespace irplan::test {

inline std::string file_text(const std::string& path) {
  const char* elsewhere = std::getenv("IRPLAN_SOURCE_DIR");
  std::ifstream in(std::string(elsewhere ? elsewhere : IRPLAN_SOURCE_DIR) + "/" + path, std::ios::binary);
  INFO(path);
  REQUIRE(in);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace irplan::test
