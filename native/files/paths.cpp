#include "files/paths.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

namespace irplan {
namespace {

constexpr int kMostLinks = 40;  // what Linux follows

mode_t kind(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & S_IFMT : 0;
}

}  // namespace

bool exists(const std::string& path) { return kind(path) != 0; }
bool is_folder(const std::string& path) { return kind(path) == S_IFDIR; }
bool is_file(const std::string& path) { return kind(path) == S_IFREG; }
bool is_device(const std::string& path) {
  const mode_t is = kind(path);
  return is != 0 && is != S_IFREG && is != S_IFDIR;
}

std::string config_file(const std::string& path) {
  return is_folder(path) ? path + (path.ends_with('/') ? "" : "/") + "config.json" : path;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

std::string link_target(const std::string& path) {
  std::string at = path;
  char text[PATH_MAX];
  for (int i = 0; i < kMostLinks; ++i) {
    const ssize_t length = ::readlink(at.c_str(), text, sizeof text);
    if (length <= 0) return at;
    const std::string target(text, static_cast<size_t>(length));
    at = target[0] == '/' ? target : folder_of(at) + "/" + target;
  }
  return path;  // a ring of links: whoever opens it is told so
}

}  // namespace irplan
