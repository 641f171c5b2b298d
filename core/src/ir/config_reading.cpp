// What a program reads of its config, and what it does not: keys that are missing, misspelt or left out.
#include <algorithm>
#include <set>

#include "ir/config_keys.h"
#include "ir/elaborator.h"
#include "ir/quantisation.h"
#include "ir/words.h"

namespace irplan {
namespace {

constexpr size_t kMostTold = 8;   // keys that one warning names
constexpr size_t kMostKeys = 16;  // of a record that are listed where it lacks one

// Other spellings of a key in transformers 4, in 5, and in older families.
constexpr std::pair<const char*, const char*> kSpellings[] = {{"torch_dtype", "dtype"},
                                                              {"rope_scaling", "rope_parameters"},
                                                              {"n_embd", "hidden_size"},
                                                              {"n_layer", "num_hidden_layers"},
                                                              {"n_head", "num_attention_heads"},
                                                              {"n_positions", "max_position_embeddings"},
                                                              {"n_inner", "intermediate_size"},
                                                              {"layer_norm_epsilon", "rms_norm_eps"},
                                                              {"layer_norm_epsilon", "layer_norm_eps"},
                                                              {"layer_norm_eps", "rms_norm_eps"},
                                                              {"norm_eps", "rms_norm_eps"},
                                                              {"hidden_act", "hidden_activation"},
                                                              {"hidden_act", "activation_function"},
                                                              {"num_experts", "num_local_experts"},
                                                              {"num_experts", "n_routed_experts"},
                                                              {"num_local_experts", "n_routed_experts"},
                                                              {"num_experts_per_tok", "experts_per_token"},
                                                              {"rope_local_base_freq", "rope_theta"}};
constexpr size_t kMostElsewhere = 2;  // places that are told

bool means(std::string_view key, std::string_view wanted) {
  if (key == wanted) return true;
  return std::any_of(std::begin(kSpellings), std::end(kSpellings), [&](const auto& both) {
    return (key == both.first && wanted == both.second) || (key == both.second && wanted == both.first);
  });
}

void search_config(const ConfigNode& root, const ConfigNode& node, const ConfigNode* lacking,
                   std::string_view key, std::vector<const ConfigNode*>& found) {
  for (const auto& [name, entry] : node.entries) {
    if (found.size() == kMostElsewhere) return;
    const bool half = name.size() > 7 && name.compare(name.size() - 7, 7, "_config") == 0 &&
                      (&node != &root || entry != &text_part(root));
    if (half) continue;  // of another part of the model
    if (means(name, key) && !(&node == lacking && name == key) && entry->kind != ConfigNode::Kind::Null)
      found.push_back(entry);
    search_config(root, *entry, lacking, key, found);
  }
}

// Where the config has a key that one of its records lacks: in another record, or spelt as another version
// does. Of `record.key` without a record, what has the key's name.
std::vector<const ConfigNode*> elsewhere_in(const ConfigNode& root, const ConfigNode& lacking,
                                            std::string_view key, std::string_view written) {
  std::vector<const ConfigNode*> found;
  search_config(root, root, &lacking, key, found);
  const std::string_view leaf = written.substr(written.rfind('.') + 1);
  if (found.empty() && leaf != key) search_config(root, root, nullptr, leaf, found);
  return found;
}

// Of a record inside the config that has few.
std::string keys_of(const ConfigNode& record) {
  if (!record.parent || record.entries.size() > kMostKeys) return "";
  std::vector<std::string> names;
  for (const auto& [name, entry] : record.entries) names.push_back(name);
  return joined(names, ", ");
}

}  // namespace

using ast::ExprKind;

std::string Elaborator::key_of(const Missing& missing) {
  const ast::Expr& at = *missing.at;
  if (at.kind == ExprKind::Field) return text(at.name);
  if (at.kind != ExprKind::Index) return "";
  const Datum index = constant(*at.b);
  return index.get<std::string>() ? *index.get<std::string>() : show(index);
}

void Elaborator::tell_missing(const Missing& missing) {
  const ast::Expr& at = *missing.at;
  const std::string key = key_of(missing);
  const Span key_span = at.kind == ExprKind::Field ? at.name.span : Span{};
  if (missing.record) {
    lacking_.push_back({missing.record, key, missing.whole->span, key_span, elsewhere_});
    return;
  }
  const std::string whole = slice(missing.whole->span);
  const Datum base = raw(*at.a, {});
  const auto* node = base.get<const ConfigNode*>();
  size_t values = 0;
  if (const auto* list = base.get<std::shared_ptr<const DatumList>>()) values = (*list)->size();
  if (node) values = (*node)->items.size();
  const bool of_list = values > 0 || (node && (*node)->kind == ConfigNode::Kind::List);
  const std::string path = node ? (*node)->path() + "[" + key + "]" : whole;
  Diagnostic& d = report(Code::NoSuchKey, missing.whole->span, {of_list ? path : whole});
  if (of_list) {
    d.note(values == 0 ? "the list is empty"
                       : "the list has " + std::to_string(values) + (values == 1 ? " value" : " values") +
                             ", the last at " + std::to_string(values - 1));
    if (path != whole) d.at("index " + key);
    d.help("a default for where it is absent: " + whole + " ?? …");
    return;
  }
  std::vector<std::string> keys;
  if (const auto* record = base.get<std::shared_ptr<const DatumRecord>>()) {
    for (const auto& [name, entry] : **record) keys.push_back(name);
  }
  if (base.is_none()) d.note("`" + slice(at.a->span) + "` is none");
  if (at.kind == ExprKind::Index && at.b->kind != ExprKind::String) {
    d.at("no key \"" + key + "\"");
    blame(d, constant(*at.b));
  }
  if (!keys.empty()) d.note("its keys: " + joined(keys, ", "));
  suggest(d, nearest(key, keys), "", key_span, whole);
}

// What may have been meant by a key, and how to do without it.
void Elaborator::suggest(Diagnostic& d, const std::string& near, const std::string& path, Span key,
                         const std::string& whole) {
  if (!near.empty() && key.end > 0) d.fix("did you mean `" + path + near + "`", key, near);
  if (!near.empty() && key.end == 0) d.help("did you mean `" + path + near + "`");
  d.help("a default for where it is absent: " + whole + " ?? …");
}

// Keys that the config lacks. What nobody reads may be what was meant; that a config which the program
// refuses lacks others is no news.
void Elaborator::tell_lacking() {
  for (const Lacking& lacking : lacking_) {
    std::vector<std::string> keys;
    for (const auto& [name, node] : lacking.record->entries) {
      if (diagnostics_.full()) break;
      const size_t lengths[] = {name.size(), lacking.key.size()};
      const bool other = refused_ && (lengths[0] > lengths[1] + 1 || lengths[1] > lengths[0] + 1);
      if (!node->read && !other) keys.push_back(name);
    }
    const std::string near = nearest(lacking.key, keys), path = lacking.record->path() + ".";
    if (refused_ && near.empty()) continue;
    const SourceText& source = lacking.elsewhere ? *lacking.elsewhere : source_;
    const std::string written(source.slice(lacking.span));
    const auto others = elsewhere_in(*options_.config->root(), *lacking.record, lacking.key, written);
    Diagnostic& d =
        diagnostics_.report(Code::NoSuchKey, lacking.span, {path + lacking.key}, lacking.elsewhere);
    if (const std::string all = keys_of(*lacking.record); !all.empty()) d.note("its keys: " + all);
    if (!others.empty()) {
      for (const ConfigNode* other : others)
        d.help("the config has it as `" + other->path() + "`: " + other->path() + " ?? " + written);
      continue;
    }
    suggest(d, near, path, lacking.key_span, written);
  }
}

// A key of the config that the program does without. Of --let's texts nothing is told.
void Elaborator::note_absent(const Missing& missing) {
  if (!missing.record || elsewhere_) return;
  std::string key = key_of(missing);
  if (!known_absent_.emplace(missing.record, key).second) return;
  const Span key_span = missing.at->kind == ExprKind::Field ? missing.at->name.span : Span{};
  absent_.push_back({missing.record, std::move(key), missing.whole->span, key_span, nullptr});
}

// Keys that nobody reads and that are spelt nearly as one that `??` answered for: its default is taken.
void Elaborator::tell_misspelt() {
  if (refused_ || stopped_) return;  // what was not read may be read further down
  for (const Lacking& absent : absent_) {
    for (const auto& [name, node] : absent.record->entries) {
      if (diagnostics_.full()) return;
      if (!unread(*node) || !differ_by_slip(name, absent.key) || !told_misspelt_.insert(node).second)
        continue;
      diagnostics_.report(Code::MisspeltName, absent.span, {node->path(), absent.key})
          .at("its default is taken")
          .help("write `" + absent.key + "` in the config, where that is meant");
    }
  }
}

// Keys that nothing reads and that the program does not know of: it may compute another model than the config
// describes. Told where the program reads the most of what there is; of a quantiser, told to every program.
void Elaborator::tell_ignored() {
  if (!options_.config || refused_ || stopped_) return;
  std::set<std::string> known;
  for (ast::Symbol symbol = 0; symbol < tree_.symbol_count(); ++symbol) known.insert(text(symbol));
  const ModelKeys keys = model_keys(*options_.config, known);
  std::string shown;
  size_t count = 0;
  const ConfigNode* quantised = nullptr;
  for (const ConfigNode* node : keys.ignored) {
    if (is_quantisation(*node)) quantised = quantised ? quantised : node;
    if (told_misspelt_.contains(node) || (keys.read < keys.ignored.size() && !is_quantisation(*node)))
      continue;
    if (++count <= kMostTold) shown += (count > 1 ? ", `" : "`") + node->path() + "`";
  }
  if (count == 0 || (quantised && count == 1 && params_.empty())) return;
  if (count > kMostTold) shown += " and " + std::to_string(count - kMostTold) + " more";
  Diagnostic& d = diagnostics_.report(Code::UnusedMayChangeModel, {}, {shown});
  if (quantised) {
    const Quantisation stored = read_quantisation(*quantised);
    d.note(stored.text()).help(stored.help());
  }
  const std::string path = keys.ignored.front()->path();
  if (!quantised || count > 1)
    d.help("read it, or say what the program serves: require (" + path + " ?? none) == none, \"…\"");
}

}  // namespace irplan
