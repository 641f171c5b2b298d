// Checkpoints on disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "files/mapped_file.h"
#include "runtime/checkpoint.h"

namespace irplan {

// A safetensors file, the files that a folder's model.safetensors.index.json lists, or its model.safetensors.
// They are put into `files`, which keep the tensors' bytes. None with the reason, which names the file.
std::optional<Checkpoint> open_checkpoint(const std::string& path, std::vector<MappedFile>* files,
                                          std::string* why);

// Which of the files is another since it was opened; none where all are as they were.
std::optional<std::string> changed(const std::vector<MappedFile>& files);

}  // namespace irplan
