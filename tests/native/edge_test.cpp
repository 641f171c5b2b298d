// The edge of a command, in processes of their own: what is thrown ends as a message and an exit code.
#include "command_line/edge.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch.h"
#include "command_line/heap.h"
#include "files/new_file.h"

namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXCPU};

struct Ended {
  int code = 0;  // or minus the signal
  std::string said;
};

// The body of a command, run in a child of this process with its stderr read.
Ended in_a_child(const std::function<int()>& body) {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  std::fflush(nullptr);  // what waits there is not the child's to write
  const pid_t child = ::fork();
  if (child == 0) {
    // Whoever started the tests may have them ignored: a shell does so for what runs in its background.
    for (const int signal : kSignals) ::signal(signal, SIG_DFL);
    ::dup2(pipe[1], STDERR_FILENO);
    ::close(pipe[0]);
    ::close(pipe[1]);
    ::_exit(irplan::command::guarded("irplan 1.2.3", body));
  }
  ::close(pipe[1]);
  Ended ended;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(pipe[0], buffer, sizeof buffer)) > 0;)
    ended.said.append(buffer, static_cast<size_t>(n));
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return ended;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("What a command answers is its exit code, and it says nothing more") {
  for (const int code : {0, 1, 2, 3}) {
    const Ended ended = in_a_child([&] { return code; });
    CHECK(ended.code == code);
    CHECK(ended.said.empty());
  }
}

TEST_CASE("A fault is told with what it was, and asks for a report") {
  const std::vector<std::function<int()>> faults = {
      []() -> int { throw std::runtime_error("the sky fell"); },
      []() -> int {
        std::thread([] { throw std::runtime_error("the sky fell"); }).join();
        return 0;
      },
      []() -> int {
        const auto may_not_throw = [](const std::function<void()>& body) noexcept { body(); };
        may_not_throw([] { throw std::runtime_error("the sky fell"); });
        return 0;
      },
  };
  for (const auto& fault : faults) {
    const Ended ended = in_a_child(fault);
    CHECK(ended.code == 1);
    CHECK(contains(ended.said, "error: irplan 1.2.3 met a fault of its own: the sky fell\nplease report it"));
  }
  const Ended other = in_a_child([]() -> int { throw 7; });
  CHECK(other.code == 1);
  CHECK(contains(other.said, "something was thrown"));
}

TEST_CASE("Memory that is missing is told with its size, in every thread") {
  const auto take = [] {
    std::vector<char> much(size_t{1} << 52);
    return static_cast<int>(much[1]);
  };
  for (const bool beside : {false, true}) {
    const Ended ended = in_a_child([&]() -> int {
      if (!beside) return take();
      std::thread([&] { take(); }).join();
      return 0;
    });
#if defined(__SANITIZE_ADDRESS__)
    CHECK(ended.code != 0);
#else
    CHECK(ended.code == 1);
    CHECK(contains(ended.said, "error: out of memory: 4096.0 TiB more are needed, with "));
#endif
  }
}

TEST_CASE("Blocks of a heap that is taken at once are each their own, beyond its end as well") {
  const Ended ended = in_a_child([] {
    irplan::command::take_heap(size_t{1} << 18);
    std::vector<std::vector<unsigned>> kept;
    for (unsigned n = 0; n < 20000; ++n) {
      kept.emplace_back(1 + n * 7919 % 400, n);
      if (n % 3 == 2) kept.erase(kept.begin() + n * 31 % kept.size());
      if (kept.size() > 600) kept.erase(kept.begin(), kept.begin() + 300);
      for (const unsigned one : kept[n % kept.size()]) {
        if (one != kept[n % kept.size()].front()) return 1;
      }
    }
    return 0;
  });
  CHECK(ended.code == 0);
}

TEST_CASE("A new file is gone whatever ends the command, and has its name where nothing does") {
  char folder[] = "/tmp/irplan-edge-XXXXXX";
  REQUIRE(::mkdtemp(folder));
  const std::string path = std::string(folder) + "/out";
  const auto half = [&] {
    auto file = irplan::NewFile::beside(path);
    irplan::write_all(file->descriptor(), "half");
    return file;
  };
  CHECK(in_a_child([&]() -> int {
          const auto file = half();
          throw std::runtime_error("x");
        }).code == 1);
  CHECK(in_a_child([&]() -> int {
          const auto file = half();
          std::thread([] { throw std::runtime_error("x"); }).join();
          return 0;
        }).code == 1);
  for (const int signal : kSignals) {
    for (const bool beside : {false, true}) {
      const Ended ended = in_a_child([&]() -> int {
        const auto file = half();
        if (!beside) return ::raise(signal);
        std::thread([&] {
          ::pthread_kill(::pthread_self(), signal);
          ::pause();
        }).join();
        return 0;
      });
      const bool told = signal == SIGINT || signal == SIGTERM || signal == SIGHUP;
      CHECK(ended.code == (told ? 128 + signal : -signal));
    }
  }
  CHECK(in_a_child([&] {
          auto file = half();
          return file->close() || file->take_name();
        }).code == 0);
  CHECK(::unlink(path.c_str()) == 0);
  CHECK(::rmdir(folder) == 0);  // nothing else is in it
}
