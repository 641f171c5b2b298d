#include "runtime/open_weights.h"

#include <filesystem>
#include <set>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "files/mapped_file.h"
#include "files/paths.h"
#include "files/read.h"

namespace irplan {
namespace {

// "; name one of a.safetensors, …", or what other form of weights a folder holds.
std::string others(const std::string& folder) {
  constexpr size_t kMost = 4;
  std::set<std::string> named, foreign;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string(), end = entry.path().extension().string();
    if (end == ".safetensors") named.insert(name);
    if (end == ".bin" || end == ".pt" || end == ".pth" || end == ".gguf") foreign.insert(name);
  }
  std::string out;
  size_t count = 0;
  for (const std::string& name : named.empty() ? foreign : named) {
    if (count++ < kMost) out += (count > 1 ? ", " : "") + name;
  }
  if (count > kMost) out += " and " + std::to_string(count - kMost) + " more";
  if (!named.empty()) return "; it holds " + out + ": name one of them";
  return foreign.empty() ? "" : "; it holds " + out + ", and only safetensors files are read";
}

Result<Safetensors> open_file(const std::string& path, std::vector<MappedFile>* files) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  auto tensors = Safetensors::read(file->bytes());
  if (!tensors) return Error{path + ": " + tensors.message()};
  files->push_back(std::move(*file));
  return tensors;
}

Result<Checkpoint> open_shards(const std::string& folder, const std::string& index_path,
                               std::vector<MappedFile>* files) {
  const auto text = read_text(index_path, CheckpointIndex::kMaxBytes);
  if (!text) return text.error();
  const auto index = CheckpointIndex::read(*text);
  if (!index) return Error{index_path + ": " + index.message()};
  std::vector<Safetensors> shards;
  for (const std::string& shard : index->shards) {
    const std::string path = folder + "/" + shard;
    // One that is named on a command line is meant; this one may never end.
    if (is_device(path))
      return Error{index_path + ": weight_map names " + shard + ", which is a pipe or a device, not a file"};
    auto tensors = open_file(path, files);
    if (!tensors) return tensors.error();
    shards.push_back(std::move(*tensors));
  }
  std::vector<NamedTensor> all;
  all.reserve(index->tensors.size());
  for (const auto& [name, shard] : index->tensors) {
    const StoredTensor* tensor = shards[shard].find(name);
    if (!tensor) {
      return Error{index_path + ": " + index->shards[shard] + " lacks " + name.substr(0, 200) +
                   ", which weight_map places there"};
    }
    all.push_back({name, *tensor});
  }
  return Checkpoint(folder, std::move(all));
}

Result<Checkpoint> open_checkpoint(const std::string& path, std::vector<MappedFile>* files) {
  std::string single = path;
  if (is_folder(path)) {
    const std::string index = path + "/model.safetensors.index.json";
    if (is_file(index)) return open_shards(path, index, files);
    single = path + "/model.safetensors";
    if (!is_file(single)) {
      return Error{path + " holds neither model.safetensors.index.json nor model.safetensors" + others(path)};
    }
  }
  const auto tensors = open_file(single, files);
  if (!tensors) return tensors.error();
  return Checkpoint(path, tensors->tensors());
}

class MappedFiles final : public TensorBytes {
 public:
  std::vector<MappedFile> files;

  Failure changed() const override {
    for (const MappedFile& file : files) {
      if (file.changed()) return file.path() + " changed while it was read; run again when it is whole";
    }
    return std::nullopt;
  }
  void let_go(std::span<const std::byte> part) const override {
    for (const MappedFile& file : files) file.let_go(part);
  }
};

}  // namespace

Result<WeightSource> open_weights(const std::string& text) {
  WeightSource source;
  constexpr std::string_view kRandom = "random:";
  if (text.compare(0, kRandom.size(), kRandom) == 0) {
    const std::string digits = text.substr(kRandom.size());
    const bool number =
        !digits.empty() && digits.size() < 19 && digits.find_first_not_of("0123456789") == std::string::npos;
    if (!number) return Error{"--weights " + text + ": the seed is not a whole number"};
    source.seed = std::stoull(digits);
    return source;
  }
  const auto mapped = std::make_shared<MappedFiles>();
  auto checkpoint = open_checkpoint(text, &mapped->files);
  if (!checkpoint) return Error{"weights: " + checkpoint.message()};
  source.checkpoint = *std::move(checkpoint);
  source.bytes = mapped;
  return source;
}

}  // namespace irplan
