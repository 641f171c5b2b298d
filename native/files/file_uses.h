// The files that a command reads and writes. An output that is an input would destroy it, and of two outputs
// to one file only one would be left: both are told before anything is read.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace irplan {

class FileUses {
 public:
  // `as` is what the file is to the command: "--config". "-" is stdin or stdout. Of a folder, the files in it
  // that a checkpoint consists of are read.
  void reads(const std::string& as, const std::string& path);
  void writes(const std::string& as, const std::string& path);

  // The first output that is another of these files, by whatever path, link or hard link; none where there is
  // none. Devices and pipes are no files.
  std::optional<std::string> conflict() const;

 private:
  struct Use {
    std::string as, path;
  };
  std::vector<Use> read_, written_;
};

}  // namespace irplan
