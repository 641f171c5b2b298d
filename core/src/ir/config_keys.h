// What keys of a Hugging Face config.json are about: which part is the language model's, and names that
// say nothing of what is computed. Of models and their architectures nothing is known here.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/config.h"

namespace irplan {

// Who made the file, which tokens are special, how it was trained: "bos_token_id", "attention_dropout".
bool is_bookkeeping(const std::string& key);

// The language model's part of a config: its `text_config` (`llm_config`, `language_config`), or all of it.
const ConfigNode& text_part(const ConfigNode& config);

// The longest text that the model is made for, as its config has it: an integer, or 131072.0 as some tools
// write it.
struct PublishedContext {
  int64_t tokens = 0;
  std::string key;  // "config.max_position_embeddings"
};
std::optional<PublishedContext> published_context(const ConfigNode& config);

// What may change the model: no bookkeeping, nothing outside of a text part that is read, and no value
// that is commonly off (none, false, 0, an empty list).
struct ModelKeys {
  size_t read = 0;
  std::vector<const ConfigNode*> ignored;  // that nothing reads, and whose name is not in `known`
};
ModelKeys model_keys(const Config& config, const std::set<std::string>& known);

}  // namespace irplan
