#include "irplan/gpus.h"

#include <algorithm>

#include "irplan/diagnostic.h"

namespace irplan {
namespace {

constexpr int64_t kMebibyte = 1 << 20;
constexpr int64_t kKept = 512 * kMebibyte;  // by driver and context, beside a hundredth of the memory
constexpr int64_t kKeptPart = 100;

// "GeForce RTX 4090" and "rtx-4090" are "rtx4090".
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '-' || c == '_') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  for (const std::string_view maker : {"nvidia", "geforce", "tesla"}) {
    if (out.rfind(maker, 0) == 0) out.erase(0, maker.size());
  }
  return out;
}

}  // namespace

const std::vector<Gpu>& gpus() {
  static const std::vector<Gpu> kGpus = {
      {"rtx4060", "GeForce RTX 4060", "sm_89", 8188},
      {"rtx3080", "GeForce RTX 3080", "sm_86", 10240},
      {"rtx2080ti", "GeForce RTX 2080 Ti", "sm_75", 11264},
      {"rtx5070", "GeForce RTX 5070", "sm_120", 12227},
      {"rtx4070", "GeForce RTX 4070", "sm_89", 12282},
      {"rtx3060", "GeForce RTX 3060", "sm_86", 12288},
      {"t4", "Tesla T4", "sm_75", 15360},
      {"rtx5070ti", "GeForce RTX 5070 Ti", "sm_120", 16303},
      {"rtx5080", "GeForce RTX 5080", "sm_120", 16303},
      {"rtx4080", "GeForce RTX 4080", "sm_89", 16376},
      {"rtx4060ti-16gb", "GeForce RTX 4060 Ti 16 GB", "sm_89", 16380},
      {"v100-16gb", "Tesla V100 16 GB", "sm_70", 16384},
      {"a10", "NVIDIA A10", "sm_86", 23028},
      {"a10g", "NVIDIA A10G", "sm_86", 23028},
      {"l4", "NVIDIA L4", "sm_89", 23034},
      {"rtx4090", "GeForce RTX 4090", "sm_89", 24564},
      {"rtx3090", "GeForce RTX 3090", "sm_86", 24576},
      {"rtx5090", "GeForce RTX 5090", "sm_120", 32607},
      {"v100-32gb", "Tesla V100 32 GB", "sm_70", 32768},
      {"a100-40gb", "NVIDIA A100 40 GB", "sm_80", 40960},
      {"l40s", "NVIDIA L40S", "sm_89", 46068},
      {"rtxa6000", "NVIDIA RTX A6000", "sm_86", 49140},
      {"rtx6000ada", "NVIDIA RTX 6000 Ada", "sm_89", 49140},
      {"h100", "NVIDIA H100 80 GB", "sm_90", 81559},
      {"a100-80gb", "NVIDIA A100 80 GB", "sm_80", 81920},
      {"h100-nvl", "NVIDIA H100 NVL", "sm_90", 95830},
      {"gh200", "NVIDIA GH200 96 GB", "sm_90", 97871},
      {"rtxpro6000", "NVIDIA RTX PRO 6000 Blackwell", "sm_120", 97887},
      {"h200", "NVIDIA H200", "sm_90", 143771},
      {"b200", "NVIDIA B200", "sm_100", 183359},
  };
  return kGpus;
}

const Gpu* find_gpu(std::string_view name, std::string* nearby) {
  std::vector<std::string> names;
  for (const Gpu& gpu : gpus()) {
    if (plain(gpu.name) == plain(name) || plain(gpu.title) == plain(name)) return &gpu;
    names.emplace_back(gpu.name);
  }
  // "a100" is several cards: the nearest is then one of them.
  const auto begins = std::find_if(names.begin(), names.end(),
                                   [&](const std::string& n) { return plain(n).rfind(plain(name), 0) == 0; });
  if (const auto holds = std::find_if(names.begin(), names.end(),
                                      [&](const std::string& n) {
                                        return plain(name).size() > 1 &&
                                               plain(n).find(plain(name)) != std::string::npos;
                                      });
      begins == names.end() && holds != names.end())
    return *nearby = *holds, nullptr;
  *nearby = begins != names.end() && !plain(name).empty() ? *begins : nearest(plain(name), names);
  return nullptr;
}

int64_t left_bytes(const Gpu& gpu) {
  const int64_t all = gpu.mebibytes * kMebibyte;
  return all - kKept - all / kKeptPart;
}

std::string left_text(const Gpu& gpu) {
  return std::string(gpu.title) + " has " + std::to_string(gpu.mebibytes) +
         " MiB, of which driver and context are taken to keep " + std::to_string(kKept / kMebibyte) +
         " MiB and 1%";
}

}  // namespace irplan
