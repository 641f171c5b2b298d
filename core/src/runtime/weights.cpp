#include "runtime/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "irplan/diagnostic.h"
#include "runtime/convert.h"
#include "runtime/find_weights.h"
#include "runtime/parallel.h"
#include "runtime/random.h"

namespace irplan {
namespace {

constexpr int64_t kChunk = int64_t{1} << 21;   // elements converted at a time; a multiple of every block
constexpr int64_t kRandom = int64_t{1} << 15;  // elements that one thread makes at a time; likewise
constexpr size_t kMaxNamed = 20;               // tensors that one message names

// Params that scale what a norm yields, and the number around which they lie: 1, or 0 where the norm adds it.
std::unordered_map<uint32_t, float> norm_weights(const Plan& plan) {
  std::unordered_map<uint32_t, float> out;
  for (const Plan::Op& op : plan.ops) {
    if (!op.row || op.row->norm_weight < 0) continue;
    const auto weight = static_cast<size_t>(op.row->norm_weight);
    if (weight < op.in.size() && op.in[weight] != kAbsent)
      out[op.in[weight]] = 1.0f - static_cast<float>(op.attrs["offset"].number());
  }
  return out;
}

struct Spread {
  float centre = 0, width = 1;  // uniform in centre ± width
};

void random_floats(uint64_t key, int64_t begin, int64_t count, Spread spread, float* out) {
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t bits =
        splitmix64(key + static_cast<uint64_t>(begin + i)) >> 40;  // 24 of them: exact in f32
    out[i] = spread.centre + spread.width * (static_cast<float>(bits) * 0x1p-23f - 1.0f);
  }
}

// ------------------------------------------------------------------------------------------------ reasons

// "lacks a f16[2], b f16[3] and 7 more; the nearest name there is …"
std::string lacks(const Checkpoint& checkpoint, const FoundParam& found) {
  std::string out = "lacks ";
  for (size_t i = 0; i < found.missing.size() && i < kMaxNamed; ++i)
    out += (i ? ", " : "") + found.missing[i] + " (" + found.expected[i] + ")";
  if (found.missing.size() > kMaxNamed)
    out += " and " + std::to_string(found.missing.size() - kMaxNamed) + " more";
  const std::string near = nearest(found.missing[0], checkpoint.names());
  if (!near.empty()) out += "; the nearest name there is " + near;
  return out;
}

Failure listed(const Checkpoint& checkpoint, const std::vector<std::string>& wrong,
               const FoundParam& missing) {
  std::vector<std::string> lines(wrong.begin(), wrong.begin() + std::min(wrong.size(), kMaxNamed));
  if (wrong.size() > kMaxNamed)
    lines.push_back("and " + std::to_string(wrong.size() - kMaxNamed) + " more that do not fit");
  if (!missing.missing.empty()) lines.push_back(lacks(checkpoint, missing));
  if (lines.empty()) return std::nullopt;
  const std::string path = "weights: " + checkpoint.path();
  if (lines.size() == 1) return path + (wrong.empty() ? " " : ": ") + lines[0];
  std::string out = path + " does not fit the plan:";
  for (const std::string& line : lines) out += "\n  " + line;
  return out;
}

}  // namespace

// ------------------------------------------------------------------------------------------------ loading

class WeightLoader::Pieces {
 public:
  Pieces(PlanMemory memory, Backend& backend, const WeightSource& source, const LoadProgress& progress,
         WeightReport* report)
      : memory_(std::move(memory)),
        backend_(backend),
        source_(source),
        progress_(progress),
        report_(report) {}

  void expect(int64_t bytes) { expected_ = bytes; }

  // Elements [first, last) of the target.
  Failure load(const BoundParam& target, const std::vector<ParamPiece>& pieces, int64_t first, int64_t last) {
    begin(target, first);
    for (const ParamPiece& piece : pieces) {
      const int64_t end = std::min(piece.count, last - piece.begin);
      int64_t at = std::max<int64_t>(0, first - piece.begin);
      if (at >= end) continue;
      for (; at < end; at += kChunk) {
        Conversion sums;
        const int64_t count = std::min(kChunk, end - at);
        if (auto failure = chunk(target, piece, at, count, sums)) return failure;
        square_of_one_ += sums.square;
        lost_of_one_ += sums.lost;
        let_go(*piece.tensor, at, count);
      }
      if (piece.turned && end == piece.count) {
        report_->turned.push_back(piece.name + " is " + text(*piece.tensor) + ", and loads row by row as " +
                                  target.text());
      }
    }
    if (last < target.count) return std::nullopt;
    const double square = std::exchange(square_of_one_, 0), lost = std::exchange(lost_of_one_, 0);
    if (square == 0) return std::nullopt;
    square_ += square;
    lost_ += lost;
    report_->error = std::sqrt(lost_ / square_);
    report_->quantised.push_back(
        {target.value->id, info(pieces[0].tensor->type).name, target.value->dtype, std::sqrt(lost / square)});
    return std::nullopt;
  }

  Failure fill(const BoundParam& target, uint64_t key, Spread spread, int64_t first, int64_t last) {
    begin(target, first);
    const DType dtype = target.value->dtype;
    for (int64_t at = first; at < last; at += kChunk) {
      const int64_t count = std::min(kChunk, last - at);
      bytes_.assign(static_cast<size_t>(stored_bytes(dtype, count)), std::byte{0});
      const int64_t lots = is_float(dtype) ? (count + kRandom - 1) / kRandom : 0;
      parallel(lots, 1, [&](int64_t begin, int64_t end) {
        std::vector<float> floats(kRandom);
        for (int64_t lot = begin; lot < end; ++lot) {
          const int64_t from = lot * kRandom, n = std::min(kRandom, count - from);
          random_floats(key, at + from, n, spread, floats.data());
          store_floats(dtype, floats.data(), n, bytes_.data() + stored_bytes(dtype, from));
        }
      });
      if (auto failure = put(dtype, at, bytes_.data(), count)) return failure;
    }
    return std::nullopt;
  }

 private:
  void begin(const BoundParam& target, int64_t first) {
    first_ = first;
    const Plan::Value& value = *target.value;
    const int64_t offset = value.offset ? evaluate(*value.offset, {}).value_or(0) : 0;
    to_ = memory_.buffers[value.buffer] + offset;
  }

  // Of a published pair too much is told by this, which costs nothing but a page that comes back.
  void let_go(const StoredTensor& tensor, int64_t from, int64_t count) const {
    if (!source_.bytes) return;
    const auto each = static_cast<size_t>(info(tensor.type).bytes);
    const size_t begin = std::min(tensor.bytes, static_cast<size_t>(from) * each);
    source_.bytes->let_go(
        {tensor.data + begin, std::min(tensor.bytes - begin, static_cast<size_t>(count) * each)});
  }

  Failure put(DType dtype, int64_t element, const std::byte* from, int64_t count) {
    const int64_t bytes = stored_bytes(dtype, count);
    report_->bytes += bytes;
    if (progress_) progress_(report_->bytes, expected_);
    return backend_.upload(to_ + stored_bytes(dtype, element - first_), from, static_cast<size_t>(bytes));
  }

  // "w at element 9 is NaN (at [1, 1] of F32[8, 8])", with the file.
  std::string wrong(const ParamPiece& piece, int64_t element, const std::string& what) const {
    std::string place;
    const auto& shape = piece.tensor->shape;
    int64_t rest = element;
    for (size_t i = shape.size(); i-- > 0 && !piece.scales; rest /= shape[i])
      place.insert(0, std::to_string(rest % shape[i]) + (place.empty() ? "" : ", "));
    return "weights: " + source_.checkpoint->path() + ": " + piece.name + " at element " +
           std::to_string(element) + " " + what +
           (place.empty() ? "" : " (at [" + place + "] of " + text(*piece.tensor) + ")");
  }

  Failure chunk(const BoundParam& target, const ParamPiece& piece, int64_t from, int64_t count,
                Conversion& sums) {
    const DType dtype = target.value->dtype;
    if (piece.scales) return pair(piece, from, count);
    const StoredTensor& tensor = *piece.tensor;
    const int64_t bad = first_not_finite(tensor, from, count);
    if (bad >= 0) {
      float value = 0;
      read_floats(tensor, from + bad, 1, &value);
      return wrong(piece, from + bad, std::isnan(value) ? "is NaN" : "is infinite");
    }
    if (stored_as(dtype) == tensor.type)
      return put(dtype, piece.begin + from, tensor.data + from * info(tensor.type).bytes, count);
    bytes_.resize(static_cast<size_t>(stored_bytes(dtype, count)));
    const bool floats = is_float(dtype);
    if (floats) sums = convert(tensor, from, count, dtype, bytes_.data());
    const int64_t beyond = floats ? sums.beyond : convert_integers(tensor, from, count, dtype, bytes_.data());
    if (beyond < 0) return put(dtype, piece.begin + from, bytes_.data(), count);
    return wrong(piece, from + beyond,
                 "is " + number_text(tensor, from + beyond) + ", beyond what " + name(dtype) + " can hold");
  }

  // The published pair's blocks and scales, interleaved.
  Failure pair(const ParamPiece& piece, int64_t from, int64_t count) {
    const int64_t first = from / 32, blocks = count / 32;
    bytes_.resize(static_cast<size_t>(blocks) * 17);
    for (int64_t i = 0; i < blocks; ++i) {
      const std::byte scale = piece.scales->data[first + i];
      if (scale == std::byte{0xff}) return wrong(piece, from + i * 32, "has the scale 255, which is NaN");
      bytes_[static_cast<size_t>(i) * 17] = scale;
      std::memcpy(bytes_.data() + i * 17 + 1, piece.tensor->data + (first + i) * 16, 16);
    }
    return put(DType::MXFP4, piece.begin + from, bytes_.data(), count);
  }

  const PlanMemory memory_;
  Backend& backend_;
  const WeightSource& source_;
  const LoadProgress& progress_;
  WeightReport* report_;
  std::byte* to_ = nullptr;
  int64_t first_ = 0;  // element of the target that lies there
  std::vector<std::byte> bytes_;
  int64_t expected_ = 0;          // bytes of all params
  double lost_ = 0, square_ = 0;  // over all that were quantised
  double lost_of_one_ = 0, square_of_one_ = 0;
};

WeightLoader::WeightLoader(const Plan& plan, const Binding& binding, const WeightSource& source,
                           PlanMemory memory, Backend& backend, const LoadProgress& progress,
                           WeightReport* report)
    : plan_(plan),
      binding_(binding),
      source_(source),
      pieces_(std::make_unique<Pieces>(std::move(memory), backend, source, progress, report)),
      norms_(norm_weights(plan)),
      report_(report) {
  if (source.checkpoint) finder_.emplace(*source.checkpoint, plan);
  int64_t bytes = 0;
  for (const Plan::Value& value : plan.values) {
    const auto target = value.kind == Plan::Kind::Param ? bound_param(value, binding) : std::nullopt;
    if (target) bytes += stored_bytes(value.dtype, target->count);
  }
  pieces_->expect(bytes);
}

WeightLoader::~WeightLoader() = default;

Failure WeightLoader::load(uint32_t value) {
  const auto target = bound_param(plan_.values[value], binding_);
  if (!target) return "weights: " + plan_.values[value].id + " has no size here";
  return load(value, 0, target->count);
}

Failure WeightLoader::load(uint32_t value, int64_t first, int64_t count) {
  const auto target = bound_param(plan_.values[value], binding_);
  if (!target) return "weights: " + plan_.values[value].id + " has no size here";
  return finder_ ? load_stored(*target, first, count) : load_random(value, *target, first, count);
}

Failure WeightLoader::load_stored(const BoundParam& target, int64_t first, int64_t count) {
  const FoundParam found = finder_->find(target);
  if (!found.wrong.empty() || !found.missing.empty())
    return "weights: " + source_.checkpoint->path() + " does not fit " + target.value->id;
  return pieces_->load(target, found.pieces, first, first + count);
}

Failure WeightLoader::load_random(uint32_t value, const BoundParam& target, int64_t first, int64_t count) {
  const uint64_t key = random_key(source_.seed, target.value->id);
  const double axis =
      target.shape.empty() ? 1.0 : static_cast<double>(std::max<int64_t>(1, target.shape.back()));
  Spread spread{0, static_cast<float>(std::sqrt(3.0 / axis))};  // of a standard deviation of 1 / sqrt(axis)
  const auto norm = norms_.find(value);
  if (norm != norms_.end()) spread = {norm->second, 0.1f};
  return pieces_->fill(target, key, spread, first, first + count);
}

Failure WeightLoader::finish() {
  for (const std::string& name : finder_ ? source_.checkpoint->names() : std::vector<std::string>{}) {
    if (!finder_->read().contains(name)) report_->unread.push_back(name);
  }
  const auto other = source_.bytes ? source_.bytes->changed() : std::nullopt;
  return other ? Failure("weights: " + *other) : std::nullopt;
}

// ------------------------------------------------------------------------------------------------ checking

Failure check_weights(const Plan& plan, const Binding& binding, const WeightSource& source) {
  if (!source.checkpoint) return std::nullopt;
  ParamFinder finder(*source.checkpoint, plan);
  std::vector<std::string> wrong;
  FoundParam missing;
  for (const Plan::Value& value : plan.values) {
    if (value.kind != Plan::Kind::Param) continue;
    const auto target = bound_param(value, binding);
    if (!target) return "weights: " + value.id + " has no size here";
    const FoundParam found = finder.find(*target);
    if (!found.wrong.empty()) wrong.push_back(found.wrong);
    missing.missing.insert(missing.missing.end(), found.missing.begin(), found.missing.end());
    missing.expected.insert(missing.expected.end(), found.expected.begin(), found.expected.end());
  }
  return listed(*source.checkpoint, wrong, missing);
}

}  // namespace irplan
