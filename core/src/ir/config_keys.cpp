#include "ir/config_keys.h"

#include <algorithm>
#include <string_view>

#include "ir/quantisation.h"

namespace irplan {
namespace {

using Kind = ConfigNode::Kind;

bool ends(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && text.substr(text.size() - with.size()) == with;
}

// Values that commonly mean that something is off or as always.
bool is_neutral(const ConfigNode& node) {
  switch (node.kind) {
    case Kind::Null: return true;
    case Kind::Bool: return !node.boolean;
    case Kind::Int: return node.integer == 0 || (node.integer == 1 && !node.key.starts_with("n"));
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
         ends(name, "_pdrop") || ends(name, "_token_index") || name.starts_with("summary_") ||
         ends(name, "loss_coef") || name.find("token_id[") != std::string_view::npos;
}

const ConfigNode& text_part(const ConfigNode& config) {
  for (const char* key : {"text_config", "llm_config", "language_config"}) {
    const ConfigNode* found = config.kind == Kind::Record ? config.find(key) : nullptr;
    if (found && found->kind == Kind::Record) return *found;
  }
  return config;
}

namespace {

// More is no length that a model is made for: some files have 10^30 for "any".
constexpr int64_t kMostTokens = int64_t{1} << 24;

std::optional<int64_t> tokens_of(const ConfigNode& node) {
  const double n = node.kind == ConfigNode::Kind::Int     ? static_cast<double>(node.integer)
                   : node.kind == ConfigNode::Kind::Float ? node.number
                                                          : 0;
  if (!(n >= 1 && n <= static_cast<double>(kMostTokens))) return std::nullopt;
  return static_cast<int64_t>(n);
}

}  // namespace

std::optional<PublishedContext> published_context(const ConfigNode& config) {
  for (const ConfigNode* part : {&text_part(config), &config}) {
    for (const char* key : {"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"}) {
      const ConfigNode* found = part->kind == ConfigNode::Kind::Record ? part->find(key) : nullptr;
      if (const auto tokens = found ? tokens_of(*found) : std::nullopt)
        return PublishedContext{*tokens, found->path()};
    }
  }
  return std::nullopt;
}

ModelKeys model_keys(const Config& config, const std::set<std::string>& known) {
  const ConfigNode& root = *config.root();
  const ConfigNode& text = text_part(root);
  ModelKeys out;
  if (&text == &root || !any_read(text)) {
    collect(root, known, out);
    return out;
  }
  collect(text, known, out);
  for (const auto& [key, node] : root.entries) {
    if (is_quantisation(*node) && unread(*node) && !known.contains(key)) out.ignored.push_back(node);
  }
  return out;
}

}  // namespace irplan
