// Files in place: of every kind that a path may name, changed, cut and let go of while they are in use.
#include "files/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "catch.h"
#include "files/folder.h"

namespace fs = std::filesystem;
using irplan::MappedFile;

namespace {

std::string text_in(const MappedFile& file) {
  return std::string(reinterpret_cast<const char*>(file.data()), file.size());
}

// How a process ends that watches its mapped files, and what it says on stderr.
std::pair<int, std::string> watched(const std::function<void()>& body) {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe[1], STDERR_FILENO);
    irplan::watch_mapped_files();
    body();
    ::_exit(5);
  }
  ::close(pipe[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(pipe[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<size_t>(n));
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), said};
}

// Cuts a file to one byte and reads what it had.
void cut_and_read(const std::string& path, std::span<const std::byte> bytes) {
  if (::truncate(path.c_str(), 1) != 0) ::_exit(3);
  unsigned sum = 0;
  for (const std::byte b : bytes) sum += static_cast<unsigned>(b);
  ::_exit(sum ? 4 : 5);
}

}  // namespace

TEST_CASE("a file, an empty one, a pipe: their bytes; a folder and what is not there: a reason") {
  const Folder folder;
  const auto file = MappedFile::open(folder.file("a", "some bytes"));
  REQUIRE(file);
  CHECK(text_in(*file) == "some bytes");
  CHECK(file->bytes().size() == 10);
  CHECK(file->path() == (folder.path / "a").string());
  const auto empty = MappedFile::open(folder.file("empty", ""));
  REQUIRE(empty);
  CHECK(empty->size() == 0);
  CHECK_FALSE(empty->changed());
  const std::string fifo = (folder.path / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(fifo) << "through a pipe"; });
  auto piped = MappedFile::open(fifo);
  writer.join();
  REQUIRE(piped);
  CHECK(text_in(*piped) == "through a pipe");
  CHECK_FALSE(piped->changed());
  piped->let_go(piped->bytes());
  CHECK(text_in(*piped) == "through a pipe");
  CHECK(MappedFile::open(folder.path.string()).message() ==
        "cannot read " + folder.path.string() + ": Is a directory");
  CHECK(MappedFile::open((folder.path / "none").string()).message().find("No such file") !=
        std::string::npos);
  auto moved = MappedFile::open(folder.file("b", "other"));
  REQUIRE(moved);
  std::swap(*piped, *moved);
  CHECK(text_in(*piped) == "other");
}

TEST_CASE("bytes that were let go of come back") {
  const Folder folder;
  const std::string bytes(100'000, 'x');
  const auto file = MappedFile::open(folder.file("large", bytes));
  REQUIRE(file);
  file->let_go(file->bytes());
  CHECK(text_in(*file) == bytes);
  file->let_go(file->bytes().subspan(1, 10));  // no whole page
  const std::byte other[4] = {};
  file->let_go(other);  // none of its own
  CHECK(text_in(*file) == bytes);
}

TEST_CASE("a file that was written is told from one that was replaced or removed") {
  const Folder folder;
  const std::string path = folder.file("a", "12345678");
  const auto file = MappedFile::open(path);
  REQUIRE(file);
  CHECK_FALSE(file->changed());
  fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(1));
  CHECK(file->changed());
  folder.file("a", "1234");
  CHECK(file->changed());
  fs::rename(folder.file("b", "12345678"), path);
  CHECK_FALSE(file->changed());  // its bytes are still the ones that were opened
  fs::remove(path);
  CHECK_FALSE(file->changed());
}

TEST_CASE("a file that no mapping is made of is refused with its name") {
  // Linux shows settings as files of a page that cannot be mapped.
  const std::string setting = "/sys/devices/system/cpu/online";
  const auto file = MappedFile::open(setting);
  REQUIRE_FALSE(file);
  CHECK(file.message().find("cannot read " + setting + ": ") == 0);
}

TEST_CASE("a file that is cut while it is read ends the process and is named, by a harmless name") {
  const Folder folder;
  const std::string path = folder.file("w\x1b[31m\x7f", std::string(100'000, 'x'));
  const std::string other = folder.file("other", "whole");
  const auto [code, said] = watched([&] {
    const auto file = MappedFile::open(path), later = MappedFile::open(other);
    if (!file || !later) ::_exit(3);
    cut_and_read(path, file->bytes());
  });
  CHECK(code == 1);
  CHECK(said.find("w?[31m? can no longer be read: it was cut while it was in use") != std::string::npos);
  CHECK(said.find("other") == std::string::npos);
  CHECK(said.find('\x1b') == std::string::npos);
}

TEST_CASE("a fault in bytes that are of no mapped file ends the process as it would have") {
  const Folder folder;
  const std::string path = folder.file("foreign", std::string(100'000, 'x'));
  const std::string mapped = folder.file("mapped", "whole");
  const auto [code, said] = watched([&] {
    const auto file = MappedFile::open(mapped);
    const int foreign = ::open(path.c_str(), O_RDONLY);
    const void* data = ::mmap(nullptr, 100'000, PROT_READ, MAP_PRIVATE, foreign, 0);
    if (!file || data == MAP_FAILED) ::_exit(3);
    cut_and_read(path, {static_cast<const std::byte*>(data), 100'000});
  });
  CHECK(code == -SIGBUS);
  CHECK(said.empty());
}
