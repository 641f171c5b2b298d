// Results in files: whole, or not there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace irplan {

struct FileToWrite {
  std::string path;  // "-" is stdout
  std::string bytes;
};

// Why a file could not be written to this path, as far as that shows before the work begins.
std::optional<std::string> cannot_write(const std::string& path);

// Each through a new file beside its target, which takes the name once all are complete: either all are there
// afterwards, or none is touched and nothing is left behind. Devices and pipes take the bytes directly. The
// reason names the file.
std::optional<std::string> write_files(const std::vector<FileToWrite>& files);
// A file that has the name already, or gets it meanwhile, is kept: that is a reason, too.
std::optional<std::string> create_file(const std::string& path, std::string_view bytes);

// To stdout; the reason where it is closed or full.
std::optional<std::string> write_standard_output(std::string_view bytes);

}  // namespace irplan
