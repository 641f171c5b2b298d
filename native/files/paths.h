// Where paths lead.
#pragma once

#include <string>

namespace irplan {

bool exists(const std::string& path);
bool is_folder(const std::string& path);
bool is_file(const std::string& path);
// A device, a pipe or a socket: it takes bytes, and cannot be replaced.
bool is_device(const std::string& path);

// The config.json of a folder; any other path as it is.
std::string config_file(const std::string& path);

// "a/b" of "a/b/c", "." of "c"
std::string folder_of(const std::string& path);

// Where writing to a path ends: links are followed, the last of them also to a file that is not there yet.
std::string link_target(const std::string& path);

}  // namespace irplan
