#include "lsp/compiler.h"

#include <exception>
#include <utility>

#include "service/language/protocol.h"

namespace irplan::lsp {

Compiler::Compiler(std::function<void(Done)> done) : done_(std::move(done)), thread_([this] { run(); }) {}

Compiler::~Compiler() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    jobs_.clear();
  }
  work_.notify_one();
  thread_.join();
}

void Compiler::ask(Job job) {
  {
    const std::lock_guard lock(mutex_);
    std::string uri = job.uri;
    jobs_.insert_or_assign(std::move(uri), std::move(job));
  }
  work_.notify_one();
}

void Compiler::forget(const std::string& uri) {
  const std::lock_guard lock(mutex_);
  jobs_.erase(uri);
}

void Compiler::run() {
  while (true) {
    std::unique_lock lock(mutex_);
    work_.wait(lock, [&] { return ended_ || !jobs_.empty(); });
    if (ended_) return;
    Job job = std::move(jobs_.begin()->second);
    jobs_.erase(jobs_.begin());
    lock.unlock();
    Done done{job.uri, job.edit, std::nullopt, ""};
    try {
      done.compilation = language::compiled(job.source, job.config_name, job.config);
    } catch (const std::exception& error) {
      done.fault = error.what();
    }
    done_(std::move(done));
  }
}

}  // namespace irplan::lsp
