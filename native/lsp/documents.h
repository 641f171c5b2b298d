// The texts that a client has open, and the config that belongs to each program.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "service/language/document.h"

namespace irplan::lsp {

struct OpenText {
  std::unique_ptr<language::Document> document;
  std::optional<int64_t> version;  // as the client counts
  int64_t edit = 0;                // as we count: one more with each change of it or of its config
  bool program = true;             // else it may be somebody's config
  std::string config_uri;          // of the config that is used; empty: there is none
  bool config_told = false;        // diagnostics stand in the config
};

// "/a/b c.irplan" of "file:///a/b%20c.irplan"; none of other URIs.
std::optional<std::string> path_of(const std::string& uri);
std::string uri_of(const std::string& path);

class Documents {
 public:
  static constexpr size_t kMost = 4096;  // open at once

  std::map<std::string, OpenText> open;  // by URI
  std::string config_setting;            // a path; empty: config.json beside the program
  std::string root;                      // folder of the workspace; empty: not known

  // Finds a program's config anew; true where its text is another one.
  bool find_config(const std::string& uri, OpenText& text);

 private:
  struct File {
    int64_t seconds = 0, nanoseconds = 0, size = -1;
    std::optional<std::string> text;
  };
  std::optional<std::string> read(const std::string& path);
  std::map<std::string, File> files_;  // configs by path, as they were last read
};

}  // namespace irplan::lsp
