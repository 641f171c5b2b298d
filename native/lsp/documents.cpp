#include "lsp/documents.h"

#include <sys/stat.h>

#include <utility>

#include "files/paths.h"
#include "files/read.h"

namespace irplan::lsp {
namespace {

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::optional<std::string> path_of(const std::string& uri) {
  constexpr std::string_view kScheme = "file://";
  if (uri.compare(0, kScheme.size(), kScheme) != 0) return std::nullopt;
  const size_t slash = uri.find('/', kScheme.size());
  if (slash == std::string::npos) return std::nullopt;
  std::string out;
  for (size_t i = slash; i < uri.size(); ++i) {
    const bool escaped = uri[i] == '%' && i + 2 < uri.size() && hex(uri[i + 1]) >= 0 && hex(uri[i + 2]) >= 0;
    out += escaped ? static_cast<char>(hex(uri[i + 1]) * 16 + hex(uri[i + 2])) : uri[i];
    if (escaped) i += 2;
  }
  if (out.find('\0') != std::string::npos) return std::nullopt;
  return out;
}

std::string uri_of(const std::string& path) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string out = "file://";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') ||
                       std::string_view("/-._~").find(c) != std::string_view::npos;
    if (plain)
      out += c;
    else
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

std::optional<std::string> Documents::read(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    files_.erase(path);
    return std::nullopt;
  }
  File& file = files_[path];
  const int64_t seconds = status.st_mtim.tv_sec, nanoseconds = status.st_mtim.tv_nsec, size = status.st_size;
  if (file.seconds == seconds && file.nanoseconds == nanoseconds && file.size == size) return file.text;
  auto text = read_text(path, Config::kMaxBytes * 2);
  file = {seconds, nanoseconds, size, text ? std::optional(*std::move(text)) : std::nullopt};
  return file.text;
}

bool Documents::find_config(const std::string& uri, OpenText& text) {
  const auto program = path_of(uri);
  std::string path = config_setting;
  if (path.empty() && program) path = folder_of(*program) + "/config.json";
  const std::string base = !root.empty() ? root : program ? folder_of(*program) : "";
  if (!path.empty() && path[0] != '/') path = base.empty() ? "" : base + "/" + path;
  const auto before = text.document->config_text();
  std::optional<std::string> found;
  text.config_uri.clear();
  if (!path.empty()) {
    // One that is open is meant as it stands in the editor.
    for (const auto& [other, one] : open) {
      if (!one.program && path_of(other) == path)
        found = one.document->source().text(), text.config_uri = other;
    }
    if (!found) found = read(path);
    if (found && text.config_uri.empty()) text.config_uri = uri_of(path);
  }
  const bool changed = found != before;
  text.document->set_config(path.empty() ? "config.json" : SourceText(path, "").name(), std::move(found));
  return changed;
}

}  // namespace irplan::lsp
