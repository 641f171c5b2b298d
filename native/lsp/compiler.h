// Compiles documents in a thread of its own, so that questions are answered while that goes on. Of one
// document only the newest text counts.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "irplan/compile.h"

namespace irplan::lsp {

struct Job {
  std::string uri;
  int64_t edit = 0;  // which text of the document it is
  SourceText source;
  std::string config_name;
  std::optional<std::string> config;
};
struct Done {
  std::string uri;
  int64_t edit = 0;
  std::optional<Compilation> compilation;
  std::string fault;  // where there is none: the compiler's own
};

class Compiler {
 public:
  // `done` is called in the compiler's thread.
  explicit Compiler(std::function<void(Done)> done);
  ~Compiler();
  void ask(Job job);
  void forget(const std::string& uri);

 private:
  void run();

  std::function<void(Done)> done_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::map<std::string, Job> jobs_;  // by URI
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace irplan::lsp
