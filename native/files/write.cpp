#include "files/write.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "files/new_file.h"
#include "files/paths.h"

namespace irplan {
namespace {

std::string reason(const std::string& path, int error) {
  return "cannot write " + path + ": " + std::strerror(error);
}

int write_device(const std::string& path, std::string_view bytes) {
  const int to = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (to < 0) return errno;
  const int error = write_all(to, bytes);
  return ::close(to) != 0 && !error ? errno : error;
}

// A complete new file without its name yet; none with errno's reason.
std::optional<NewFile> written_beside(const std::string& path, std::string_view bytes, int* error) {
  auto file = NewFile::beside(path);
  *error = file ? write_all(file->descriptor(), bytes) : errno;
  const int closing = file ? file->close() : 0;
  if (!*error) *error = closing;
  return *error ? std::nullopt : std::move(file);
}

}  // namespace

std::optional<std::string> cannot_write(const std::string& path) {
  if (path.empty()) return "an output's file has no name";
  if (path == "-" || is_device(path)) return std::nullopt;
  if (is_folder(path)) return reason(path, EISDIR);
  if (::access(folder_of(link_target(path)).c_str(), W_OK | X_OK) != 0) return reason(path, errno);
  return std::nullopt;
}

std::optional<std::string> write_files(const std::vector<FileToWrite>& files) {
  std::vector<NewFile> done;
  std::vector<const FileToWrite*> names;
  int error = 0;
  for (const FileToWrite& file : files) {
    if (file.path == "-" || is_device(file.path)) continue;
    auto made = written_beside(file.path, file.bytes, &error);
    if (!made) return reason(file.path, error);
    done.push_back(std::move(*made));
    names.push_back(&file);
  }
  for (const FileToWrite& file : files) {
    if (file.path == "-") {
      if (auto failure = write_standard_output(file.bytes)) return failure;
    } else if (is_device(file.path)) {
      error = write_device(file.path, file.bytes);
      if (error) return reason(file.path, error);
    }
  }
  for (size_t i = 0; i < done.size(); ++i) {
    error = done[i].take_name();
    if (error) return reason(names[i]->path, error);
  }
  return std::nullopt;
}

std::optional<std::string> create_file(const std::string& path, std::string_view bytes) {
  if (path == "-" || is_device(path)) return write_files({{path, std::string(bytes)}});
  int error = 0;
  auto file = written_beside(path, bytes, &error);
  if (file) error = file->take_name(true);
  if (error == EEXIST) return path + " already exists and was not overwritten";
  return error ? std::optional(reason(path, error)) : std::nullopt;
}

std::optional<std::string> write_standard_output(std::string_view bytes) {
  const int error = write_all(STDOUT_FILENO, bytes);
  if (!error) return std::nullopt;
  return reason("standard output", error);
}

}  // namespace irplan
