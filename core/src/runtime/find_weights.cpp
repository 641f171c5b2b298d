#include "runtime/find_weights.h"

#include <algorithm>

namespace irplan {
namespace {

// The part's extents: all of the param's, or those behind the axis on which parts are stacked.
std::vector<int64_t> extents(const ParamPiece& piece, const BoundParam& target) {
  const bool whole = piece.count == target.count;
  return {target.shape.begin() + (whole ? 0 : 1), target.shape.end()};
}

bool same_in_another_order(std::vector<int64_t> a, std::vector<int64_t> b) {
  std::erase(a, 1);
  std::erase(b, 1);
  if (a == b) return false;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

std::string expected(const ParamPiece& piece, const BoundParam& target) {
  return name(target.value->dtype) + text(extents(piece, target));
}

std::string unlike(const ParamPiece& piece, const BoundParam& target) {
  const std::string both =
      piece.name + " is " + text(*piece.tensor) + ", expected " + expected(piece, target);
  const bool floats = is_float(target.value->dtype);
  if (info(piece.tensor->type).floats != floats)
    return both + (floats ? ": its weights cannot be integers" : ": floats are not integers");
  if (piece.tensor->count() == piece.count) return "";
  return both + (piece.count == target.count ? "" : ", a part of " + target.text());
}

std::string unlike_pair(const ParamPiece& piece, const std::string& scales, const BoundParam& target) {
  const int64_t blocks = piece.count / 32;
  if (piece.tensor->type != Stored::U8 || piece.tensor->count() != blocks * 16) {
    return piece.name + " is " + text(*piece.tensor) + ", expected U8 with the " +
           std::to_string(blocks * 16) + " bytes of " + target.text();
  }
  const bool bytes = piece.scales->type == Stored::U8 || piece.scales->type == Stored::F8E8M0;
  if (bytes && piece.scales->count() == blocks) return "";
  return scales + " is " + text(*piece.scales) + ", expected U8 with the " + std::to_string(blocks) +
         " scales of " + target.text();
}

}  // namespace

std::string BoundParam::text() const { return name(value->dtype) + irplan::text(shape); }

std::optional<BoundParam> bound_param(const Plan::Value& value, const Binding& binding) {
  BoundParam target{&value, {}, 0};
  for (const Expr extent : value.shape) target.shape.push_back(evaluate(extent, binding).value_or(-1));
  const auto count = checked_count(target.shape);
  if (!count) return std::nullopt;
  target.count = *count;
  return target;
}

std::string text(const StoredTensor& tensor) { return info(tensor.type).name + text(tensor.shape); }

FoundParam ParamFinder::find(const BoundParam& target) {
  FoundParam found;
  const std::string& source = target.value->source.empty() ? target.value->id : target.value->source;
  const size_t star = source.find("{*}");
  ParamPiece part;
  part.count = target.count;
  if (star == std::string::npos) {
    add(source, part, target, found);
    return found;
  }
  const int64_t stacked = target.shape.empty() ? 0 : target.shape[0];
  const auto held = static_cast<int64_t>(checkpoint_.size());
  if (stacked > held) {
    found.wrong = source + " is " + std::to_string(stacked) + " tensors, and there are " +
                  std::to_string(held) + " in all";
    return found;
  }
  part.count = stacked ? target.count / stacked : 0;
  for (int64_t i = 0; i < stacked && found.wrong.empty(); ++i, part.begin += part.count)
    add(std::string(source).replace(star, 3, std::to_string(i)), part, target, found);
  return found;
}

ParamFinder::ParamFinder(const Checkpoint& checkpoint, const Plan& plan) : checkpoint_(checkpoint) {
  for (const Plan::Value& value : plan.values) {
    if (value.kind != Plan::Kind::Param) continue;
    std::string name = value.source.empty() ? value.id : value.source;
    if (const size_t star = name.find("{*}"); star != std::string::npos) name.replace(star, 3, "0");
    const size_t dot = name.find('.');
    // A name of one part is too little to go by once its first is taken away.
    if (dot != std::string::npos && name.find('.', dot + 1) != std::string::npos)
      wanted_[name.substr(0, dot)].insert(name.substr(dot + 1));
  }
}

// What stands in the checkpoint where the plan's names begin with `first`; null where nothing does, or two
// prefixes hold as many of its tensors.
const std::string* ParamFinder::prefix_for(const std::string& first) {
  const auto wanted = wanted_.find(first);
  if (wanted == wanted_.end()) return nullptr;
  const auto [known, fresh] = prefixes_.try_emplace(first);
  std::optional<std::string>& prefix = known->second;
  if (!fresh) return prefix ? &*prefix : nullptr;
  std::map<std::string, size_t> held;
  for (const std::string& name : checkpoint_.names()) {
    if (wanted->second.contains(name)) ++held[""];
    for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
      if (wanted->second.contains(name.substr(dot + 1))) ++held[name.substr(0, dot + 1)];
    }
  }
  const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto best = std::max_element(held.begin(), held.end(), fewer);
  const auto as_many = [&](const auto& other) { return other.second == best->second; };
  if (best == held.end() || std::count_if(held.begin(), held.end(), as_many) > 1) return nullptr;
  prefix = best->first;
  return &*prefix;
}

Result<const NamedTensor*> ParamFinder::look(const std::string& name) {
  auto tensor = checkpoint_.find(name);
  if (!tensor || !*tensor) {
    const size_t dot = std::min(name.find('.'), name.size());
    if (const std::string* prefix = prefix_for(name.substr(0, dot))) {
      const std::string other = *prefix + name.substr(dot + 1);
      // By its whole name alone: a suffix might be another part's.
      const auto found = checkpoint_.find(other);
      if (!found || (*found && (*found)->name == other)) tensor = found;
    }
  }
  if (tensor && *tensor) read_.insert((*tensor)->name);
  return tensor;
}

void ParamFinder::add(const std::string& name, const ParamPiece& part, const BoundParam& target,
                      FoundParam& found) {
  ParamPiece piece = part;
  if (target.value->dtype == DType::MXFP4 && add_pair(name, piece, target, found)) return;
  const auto stored = look(name);
  if (!stored) {
    found.wrong = "the name " + stored.message();
  } else if (!*stored) {
    found.missing.push_back(name);
    found.expected.push_back(expected(piece, target));
  } else {
    piece.name = (*stored)->name;
    piece.tensor = &(*stored)->tensor;
    found.wrong = unlike(piece, target);
    piece.turned = same_in_another_order(piece.tensor->shape, extents(piece, target));
    found.pieces.push_back(std::move(piece));
  }
}

// False where there are no published blocks of that name.
bool ParamFinder::add_pair(const std::string& name, ParamPiece& piece, const BoundParam& target,
                           FoundParam& found) {
  const auto wrong = [&](const Error& error) { return found.wrong = "the name " + error.message, true; };
  const auto blocks = look(name + "_blocks");
  if (!blocks) return wrong(blocks.error());
  if (!*blocks) return false;
  const auto scales = look(name + "_scales");
  if (!scales) return wrong(scales.error());
  piece.name = (*blocks)->name;
  piece.tensor = &(*blocks)->tensor;
  if (*scales) {
    piece.scales = &(*scales)->tensor;
    found.wrong = unlike_pair(piece, (*scales)->name, target);
    found.pieces.push_back(std::move(piece));
  } else {
    found.missing.push_back(name + "_scales");
    found.expected.push_back("U8 with the " + std::to_string(piece.count / 32) + " scales of " +
                             target.text());
  }
  return true;
}

}  // namespace irplan
