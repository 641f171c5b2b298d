// What keys of a Hugging Face config.json are about: names that say nothing of what is computed, and records
// that say how a quantiser stored the weights. Of models and their architectures nothing is known here.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "ir/config.h"

namespace irplan {

// Who made the file, which tokens are special, how it was trained: "bos_token_id", "attention_dropout".
bool is_bookkeeping(const std::string& key);

// `quantization_config` and its like, as a record.
bool is_quantisation(const ConfigNode& node);
// "the weights are stored as "gptq" (`config.quantization_config.quant_method`): bits 4, group_size 128"
std::string quantisation_text(const ConfigNode& record);
std::string quantisation_help(const ConfigNode& record);

// What may change the model: no bookkeeping, nothing outside of a `text_config` that is read, and no value
// that is commonly off (none, false, 0, an empty list).
struct ModelKeys {
  size_t read = 0;
  std::vector<const ConfigNode*> ignored;  // that nothing reads, and whose name is not in `known`
};
ModelKeys model_keys(const Config& config, const std::set<std::string>& known);

}  // namespace irplan
