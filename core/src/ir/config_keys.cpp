#include "ir/config_keys.h"

#include <algorithm>
#include <string_view>

#include "ir/datum.h"

namespace irplan {
namespace {

using Kind = ConfigNode::Kind;

bool begins(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }
bool ends(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && text.substr(text.size() - with.size()) == with;
}

const ConfigNode* method_of(const ConfigNode& record) {
  for (const char* key : {"quant_method", "quant_algo", "quant_type", "format"}) {
    const ConfigNode* found = record.find(key);
    if (found && found->kind == Kind::String) return found;
  }
  for (const char* key : {"quantization", "quant_type", "weights"}) {  // one level further down
    const ConfigNode* inner = record.find(key);
    if (!inner || inner->kind != Kind::Record) continue;
    if (const ConfigNode* found = method_of(*inner)) return found;
  }
  return nullptr;
}

// The key of bitsandbytes that says so where no `quant_method` does.
const ConfigNode* loads_in(const ConfigNode& record) {
  for (const char* key : {"load_in_4bit", "load_in_8bit", "_load_in_4bit", "_load_in_8bit"}) {
    const ConfigNode* found = record.find(key);
    if (found && found->kind == Kind::Bool && found->boolean) return found;
  }
  return nullptr;
}

int64_t bits_of(const ConfigNode& record) {
  for (const char* key : {"bits", "w_bit", "nbits", "num_bits"}) {
    const ConfigNode* found = record.find(key);
    if (found && found->kind == Kind::Int) return found->integer;
  }
  const ConfigNode* loads = loads_in(record);
  return loads && loads->key.find('8') != std::string::npos ? 8 : 4;
}

// Values that commonly mean that something is off or as always.
bool is_neutral(const ConfigNode& node) {
  switch (node.kind) {
    case Kind::Null: return true;
    case Kind::Bool: return !node.boolean;
    case Kind::Int: return node.integer == 0 || (node.integer == 1 && !begins(node.key, "n"));
    case Kind::Float: return node.number == 0 || node.number == 1;
    case Kind::String: return node.string.empty();
    case Kind::List:
      return std::all_of(node.items.begin(), node.items.end(), [](auto* n) { return is_neutral(*n); });
    case Kind::Record:
      return std::all_of(node.entries.begin(), node.entries.end(),
                         [](auto& e) { return is_neutral(*e.second); });
  }
  return false;
}

bool any_read(const ConfigNode& node) { return !unread(node); }

void collect(const ConfigNode& record, const std::set<std::string>& known, ModelKeys& out) {
  for (const auto& [key, node] : record.entries) {
    if (is_bookkeeping(key)) continue;
    const bool read = any_read(*node);
    if (read && node->kind == Kind::Record) {
      collect(*node, known, out);
    } else if (read) {
      ++out.read;
    } else if (!known.contains(key) && !is_neutral(*node)) {
      out.ignored.push_back(node);
    }
  }
}

}  // namespace

bool is_bookkeeping(const std::string& key) {
  static const std::set<std::string_view> kKeys = {"_attn_implementation",
                                                   "_name_or_path",
                                                   "architectures",
                                                   "attn_implementation",
                                                   "auto_map",
                                                   "aux_loss_alpha",
                                                   "cache_implementation",
                                                   "chunk_size_feed_forward",
                                                   "dtype",
                                                   "ep_size",
                                                   "id2label",
                                                   "initial_context_length",
                                                   "initializer_range",
                                                   "is_decoder",
                                                   "is_encoder_decoder",
                                                   "label2id",
                                                   "model_type",
                                                   "modules_to_not_convert",
                                                   "n_ctx",
                                                   "num_nextn_predict_layers",
                                                   "output_attentions",
                                                   "output_hidden_states",
                                                   "output_router_logits",
                                                   "pretraining_tp",
                                                   "problem_type",
                                                   "return_dict",
                                                   "router_aux_loss_coef",
                                                   "router_jitter_noise",
                                                   "scale_fmt",
                                                   "seq_aux",
                                                   "sliding_window_size",
                                                   "task_specific_params",
                                                   "tokenizer_class",
                                                   "torch_dtype",
                                                   "torchscript",
                                                   "transformers_version",
                                                   "unsloth_fixed",
                                                   "unsloth_version",
                                                   "use_cache",
                                                   "use_parallel_embedding"};
  const std::string_view name = std::string_view(key).substr(key.rfind('.') + 1);  // npos + 1 is 0
  return kKeys.contains(name) || ends(name, "token_id") || ends(name, "token_ids") || ends(name, "dropout") ||
         ends(name, "_pdrop") || ends(name, "_token_index") || begins(name, "summary_") ||
         ends(name, "loss_coef") || name.find("token_id[") != std::string_view::npos;
}

bool is_quantisation(const ConfigNode& node) {
  return node.kind == Kind::Record &&
         (begins(node.key, "quantiz") || begins(node.key, "quantis") || node.key == "compression_config");
}

std::string quantisation_text(const ConfigNode& record) {
  std::string out = "the weights are stored ";
  if (const ConfigNode* method = method_of(record)) {
    out += "as " + show(*method) + " does (`" + method->path() + "`)";
  } else if (const ConfigNode* loads = loads_in(record)) {
    out += "as bitsandbytes does (`" + loads->path() + "`)";
  } else {
    const bool mlx = record.key == "quantization" && record.find("group_size");
    out +=
        std::string(mlx ? "as MLX does" : "by a quantiser that is not named") + " (`" + record.path() + "`)";
  }
  std::string details;
  for (const char* key :
       {"bits", "w_bit", "nbits", "group_size", "weight_block_size", "activation_scheme", "fmt"}) {
    const ConfigNode* found = record.find(key);
    if (!found || found->kind == Kind::Record) continue;
    details += (details.empty() ? "" : ", ") + std::string(key) + " " + show(*found);
  }
  return out + (details.empty() ? "" : ": " + details);
}

std::string quantisation_help(const ConfigNode& record) {
  const ConfigNode* method = method_of(record);
  const bool f8 = method && (method->string.find("fp8") != std::string::npos ||
                             method->string.find("FP8") != std::string::npos);
  const std::string dtype = f8 ? "f8e4m3" : bits_of(record) == 8 ? "q8_0" : "q4_0";
  return "to plan only the cache and the activations, leave `" + record.key +
         "` out of a copy of the config; `--retype weights=" + dtype + "` then counts such weights";
}

ModelKeys model_keys(const Config& config, const std::set<std::string>& known) {
  const ConfigNode& root = *config.root();
  const ConfigNode* text = root.find("text_config");
  ModelKeys out;
  if (!text || text->kind != Kind::Record || !any_read(*text)) {
    collect(root, known, out);
    return out;
  }
  collect(*text, known, out);
  for (const auto& [key, node] : root.entries) {
    if (is_quantisation(*node) && unread(*node) && !known.contains(key)) out.ignored.push_back(node);
  }
  return out;
}

}  // namespace irplan
