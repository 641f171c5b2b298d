// Known GPUs and their memory: the one table of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace irplan {

struct Gpu {
  const char* name;   // "h200", as --gpu takes it
  const char* title;  // "NVIDIA H200"
  const char* arch;   // "sm_90"
  int64_t mebibytes;  // of memory, as nvidia-smi shows it
};

const std::vector<Gpu>& gpus();  // the smaller memory first

// By name, as people write it: case, blanks and hyphens do not count, nor "nvidia" and "geforce" before it.
// Null where none has it; `nearby` is then the nearest name, or empty.
const Gpu* find_gpu(std::string_view name, std::string* nearby);

// What a program may take of it. Driver and context keep a part that depends on their versions: here 512 MiB
// and a hundredth, which is a little more than published figures of several cards show.
int64_t left_bytes(const Gpu& gpu);
std::string left_text(const Gpu& gpu);  // how it is reckoned

}  // namespace irplan
