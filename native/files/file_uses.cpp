#include "files/file_uses.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "files/paths.h"

namespace irplan {
namespace {

// What makes two paths one file: the file itself where it is there, else its name in its folder.
struct Identity {
  dev_t device = 0;
  ino_t number = 0;
  std::string name;
  bool operator==(const Identity& other) const = default;
};

std::optional<Identity> identity(const struct stat& status) {
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return Identity{status.st_dev, status.st_ino, ""};
}

std::optional<Identity> identity(const std::string& path, int standard) {
  struct stat status {};
  if (path == "-") return ::fstat(standard, &status) == 0 ? identity(status) : std::nullopt;
  if (::stat(path.c_str(), &status) == 0) return identity(status);
  const std::string target = link_target(path);
  if (::stat(folder_of(target).c_str(), &status) != 0) return Identity{0, 0, target};
  return Identity{status.st_dev, status.st_ino, target.substr(target.rfind('/') + 1)};
}

bool is_part_of_a_checkpoint(const std::filesystem::path& path) {
  return path.extension() == ".safetensors" || path.extension() == ".json";
}

std::string shown(const std::string& path, const char* standard) { return path == "-" ? standard : path; }

}  // namespace

void FileUses::reads(const std::string& as, const std::string& path) {
  if (!is_folder(path)) {
    read_.push_back({as, path});
    return;
  }
  std::error_code ignored;
  for (std::filesystem::directory_iterator at(path, ignored), end; at != end; at.increment(ignored)) {
    if (is_part_of_a_checkpoint(at->path())) read_.push_back({as, at->path().string()});
  }
}

void FileUses::writes(const std::string& as, const std::string& path) { written_.push_back({as, path}); }

std::optional<std::string> FileUses::conflict() const {
  for (size_t i = 0; i < written_.size(); ++i) {
    const Use& output = written_[i];
    const std::string to = shown(output.path, "standard output");
    const auto file = identity(output.path, STDOUT_FILENO);
    for (size_t k = 0; k < i; ++k) {
      const bool both_standard = output.path == "-" && written_[k].path == "-";
      if (!both_standard && (!file || identity(written_[k].path, STDOUT_FILENO) != file)) continue;
      return written_[k].as + " and " + output.as + " both write " + shown(written_[k].path, to.c_str()) +
             ": give each a file of its own";
    }
    for (const Use& input : read_) {
      if (!file || identity(input.path, STDIN_FILENO) != file) continue;
      const std::string from = shown(input.path, "standard input");
      return output.as + " would write over " + to + ", which is read as " + input.as +
             (from == to ? "" : " (" + from + ")") + ": write to another file";
    }
  }
  return std::nullopt;
}

}  // namespace irplan
