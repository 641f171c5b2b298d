// Whole files and pipes, read up to a limit.
#include "files/read.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

#include "catch.h"
#include "files/folder.h"

using irplan::read_all;
using irplan::read_text;

namespace {

// A pipe that something writes to, at its own pace.
struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() { REQUIRE(::pipe(ends) == 0); }
  ~Pipe() {
    ::close(ends[0]);
    close_writer();
  }
  void write(const std::string& text) const {
    REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void close_writer() {
    if (ends[1] >= 0) ::close(ends[1]);
    ends[1] = -1;
  }
};

volatile std::sig_atomic_t interruptions = 0;

}  // namespace

TEST_CASE("a text is read whole up to its limit, and refused with its name beyond") {
  const Folder folder;
  const std::string text(300'000, 'x');
  const std::string path = folder.file("a", text);
  CHECK(*read_text(path, text.size()) == text);
  CHECK(read_text(path, text.size() - 1).message() == path + " is larger than the 0 MiB that are read");
  CHECK(read_text(folder.file("empty", ""), 10)->empty());
  CHECK(read_text((folder.path / "none").string(), 10).message() ==
        "cannot read " + (folder.path / "none").string() + ": No such file or directory");
  CHECK(read_text(folder.path.string(), 10).message() ==
        "cannot read " + folder.path.string() + ": Is a directory");
}

TEST_CASE("standard input is read under its own name") {
  Pipe pipe;
  const int kept = ::dup(STDIN_FILENO);
  REQUIRE(::dup2(pipe.ends[0], STDIN_FILENO) == STDIN_FILENO);
  pipe.write("through standard input");
  pipe.close_writer();
  const auto small = read_text("-", 1 << 20);
  REQUIRE(::dup2(::open("/", O_RDONLY), STDIN_FILENO) == STDIN_FILENO);
  const auto folder = read_text("-", 1 << 20);
  ::dup2(kept, STDIN_FILENO);
  ::close(kept);
  REQUIRE(small);
  CHECK(*small == "through standard input");
  CHECK(folder.message() == "cannot read standard input: Is a directory");
}

TEST_CASE("a pipe grows as it is read, and no further than told") {
  Pipe pipe;
  const std::string half(60'000, 'y');  // what a pipe of 64 KiB takes
  std::thread writer([&] {
    for (int i = 0; i < 5; ++i) {
      if (::write(pipe.ends[1], half.data(), half.size()) < 0) break;
    }
  });
  std::string out;
  CHECK(read_all(pipe.ends[0], 4 * half.size(), out) == 0);
  CHECK(out.size() == 4 * half.size());
  CHECK(read_all(pipe.ends[0], half.size(), out) == 0);
  CHECK(out == half);
  writer.join();
  CHECK(read_all(-1, 10, out) == EBADF);
}

TEST_CASE("a signal that comes while a pipe is read loses nothing of it") {
  Pipe pipe;
  struct sigaction counted {
  }, before{};
  counted.sa_handler = [](int) { interruptions = interruptions + 1; };  // no SA_RESTART: read returns EINTR
  REQUIRE(::sigaction(SIGUSR1, &counted, &before) == 0);
  std::string out;
  int reason = -1;
  std::thread reader([&] { reason = read_all(pipe.ends[0], 100, out); });
  pipe.write("before, ");
  for (int seen = 0; seen < 5; seen = interruptions) {
    ::pthread_kill(reader.native_handle(), SIGUSR1);
    std::this_thread::yield();
  }
  pipe.write("after");
  pipe.close_writer();
  reader.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  CHECK(reason == 0);
  CHECK(out == "before, after");
}
