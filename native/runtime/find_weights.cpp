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
    return both + (floats ? ": integers are no weights of it" : ": floats are no integers");
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

const StoredTensor* ParamFinder::look(const std::string& name, std::string* stored, std::string* why) {
  const StoredTensor* tensor = checkpoint_.find(name, stored, why);
  if (tensor) read_.insert(*stored);
  return tensor;
}

void ParamFinder::add(const std::string& name, const ParamPiece& part, const BoundParam& target,
                      FoundParam& found) {
  ParamPiece piece = part;
  if (target.value->dtype == DType::MXFP4 && add_pair(name, piece, target, found)) return;
  std::string why;
  piece.tensor = look(name, &piece.name, &why);
  if (!why.empty()) {
    found.wrong = "the name " + why;
  } else if (!piece.tensor) {
    found.missing.push_back(name);
    found.expected.push_back(expected(piece, target));
  } else {
    found.wrong = unlike(piece, target);
    piece.turned = same_in_another_order(piece.tensor->shape, extents(piece, target));
    found.pieces.push_back(std::move(piece));
  }
}

// False where there are no published blocks of that name.
bool ParamFinder::add_pair(const std::string& name, ParamPiece& piece, const BoundParam& target,
                           FoundParam& found) {
  std::string scales, why;
  piece.tensor = look(name + "_blocks", &piece.name, &why);
  if (piece.tensor) piece.scales = look(name + "_scales", &scales, &why);
  if (!why.empty()) {
    found.wrong = "the name " + why;
    return true;
  }
  if (!piece.tensor) return false;
  if (piece.scales) {
    found.wrong = unlike_pair(piece, scales, target);
    found.pieces.push_back(std::move(piece));
  } else {
    found.missing.push_back(name + "_scales");
    found.expected.push_back("U8 with the " + std::to_string(piece.count / 32) + " scales of " +
                             target.text());
  }
  return true;
}

}  // namespace irplan
