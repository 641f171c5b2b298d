#include "runtime/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string_view>
#include <unordered_map>

#include "ops/float_formats.h"

namespace irplan {
namespace {

constexpr int64_t kChunk = int64_t{1} << 21;  // elements converted at a time; a multiple of every block
constexpr size_t kMaxNamed = 12;              // tensors that one message names

// Elements [begin, begin + count) of a param, and the tensor that holds them.
struct Piece {
  const StoredTensor* tensor = nullptr;
  const StoredTensor* scales = nullptr;  // of a published mxfp4 pair; then `tensor` holds the blocks
  std::string name;                      // the tensor's
  int64_t begin = 0, count = 0;
};

struct Target {
  const Plan::Value* value;
  std::vector<int64_t> shape;
  int64_t count = 0;
  std::string text() const { return std::string(name(value->dtype)) + irplan::text(shape); }
};

std::optional<Target> target_of(const Plan::Value& value, const Binding& binding) {
  Target target{&value, {}, 0};
  for (const Expr extent : value.shape) target.shape.push_back(evaluate(extent, binding).value_or(-1));
  const auto count = checked_count(target.shape);
  if (!count) return std::nullopt;
  target.count = *count;
  return target;
}

std::string named(const StoredTensor& tensor) { return info(tensor.type).name + irplan::text(tensor.shape); }

// What looking up one param found: its pieces, or names that are missing, or what is wrong.
struct Found {
  std::vector<Piece> pieces;
  std::vector<std::string> missing;
  std::string wrong;
};

class Finder {
 public:
  explicit Finder(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  Found find(const Target& target) {
    Found found;
    const std::string source = target.value->source.empty() ? target.value->id : target.value->source;
    const size_t star = source.find("{*}");
    if (star == std::string::npos) {
      add(source, 0, target.count, target, found);
      return found;
    }
    const int64_t stacked = target.shape.empty() ? 0 : target.shape[0];
    const int64_t each = stacked ? target.count / stacked : 0;
    for (int64_t i = 0; i < stacked && found.wrong.empty(); ++i) {
      std::string name = source;
      name.replace(star, 3, std::to_string(i));
      add(name, i * each, each, target, found);
    }
    return found;
  }

  const std::set<std::string>& read() const { return read_; }

 private:
  const StoredTensor* look(const std::string& name, std::string* stored, std::string* why) {
    const StoredTensor* tensor = checkpoint_.find(name, stored, why);
    if (tensor) read_.insert(*stored);
    return tensor;
  }

  void add(const std::string& name, int64_t begin, int64_t count, const Target& target, Found& found) {
    Piece piece;
    piece.begin = begin;
    piece.count = count;
    std::string why;
    if (target.value->dtype == DType::MXFP4) {
      std::string scales;
      piece.tensor = look(name + "_blocks", &piece.name, &why);
      piece.scales = piece.tensor ? look(name + "_scales", &scales, &why) : nullptr;
      if (piece.scales) {
        check_pair(piece, target, scales, found);
        return found.pieces.push_back(std::move(piece));
      }
      if (piece.tensor && why.empty()) return found.missing.push_back(name + "_scales");
    }
    piece.tensor = look(name, &piece.name, &why);
    if (!piece.tensor) {
      if (!why.empty()) found.wrong = "the name " + why;
      return found.missing.push_back(name);
    }
    const bool floats = is_float(target.value->dtype);
    if (info(piece.tensor->type).floats != floats) {
      found.wrong = piece.name + " is " + named(*piece.tensor) + ", expected " + target.text() +
                    (floats ? ": integers are no weights of it" : ": floats are no integers");
    } else if (piece.tensor->count() != count) {
      found.wrong =
          piece.name + " is " + named(*piece.tensor) + ", expected " + target.text() +
          (count == target.count ? "" : " in stacked parts of " + std::to_string(count) + " elements");
    }
    found.pieces.push_back(std::move(piece));
  }

  static void check_pair(const Piece& piece, const Target& target, const std::string& scales, Found& found) {
    const int64_t blocks = piece.count / 32;
    if (piece.tensor->type != Stored::U8 || piece.tensor->count() != blocks * 16) {
      found.wrong = piece.name + " is " + named(*piece.tensor) + ", expected U8 with the " +
                    std::to_string(blocks * 16) + " bytes of " + target.text();
    } else if ((piece.scales->type != Stored::U8 && piece.scales->type != Stored::F8E8M0) ||
               piece.scales->count() != blocks) {
      found.wrong = scales + " is " + named(*piece.scales) + ", expected U8 with the " +
                    std::to_string(blocks) + " scales of " + target.text();
    }
  }

  const Checkpoint& checkpoint_;
  std::set<std::string> read_;
};

// ------------------------------------------------------------------------------------------------ numbers

// The first element that is NaN or infinite, or -1. Looks at the bits, so that it costs one pass over the
// bytes.
template <class Word>
int64_t first_with(const std::byte* data, int64_t count, Word mask, Word pattern) {
  constexpr int64_t kLot = 4096;
  for (int64_t begin = 0; begin < count; begin += kLot) {
    const int64_t end = std::min(count, begin + kLot);
    bool any = false;
    for (int64_t i = begin; i < end; ++i) {
      Word word;
      std::memcpy(&word, data + i * static_cast<int64_t>(sizeof(Word)), sizeof(Word));
      any |= (word & mask) == pattern;
    }
    for (int64_t i = begin; any && i < end; ++i) {
      Word word;
      std::memcpy(&word, data + i * static_cast<int64_t>(sizeof(Word)), sizeof(Word));
      if ((word & mask) == pattern) return i;
    }
  }
  return -1;
}

int64_t first_not_finite(const StoredTensor& t, int64_t begin, int64_t count) {
  const std::byte* data = t.data + begin * info(t.type).bytes;
  switch (t.type) {
    case Stored::F64: return first_with<uint64_t>(data, count, 0x7ff0000000000000u, 0x7ff0000000000000u);
    case Stored::F32: return first_with<uint32_t>(data, count, 0x7f800000u, 0x7f800000u);
    case Stored::F16: return first_with<uint16_t>(data, count, 0x7c00, 0x7c00);
    case Stored::BF16: return first_with<uint16_t>(data, count, 0x7f80, 0x7f80);
    case Stored::F8E4M3: return first_with<uint8_t>(data, count, 0x7f, 0x7f);
    case Stored::F8E5M2: return first_with<uint8_t>(data, count, 0x7c, 0x7c);
    case Stored::F8E8M0: return first_with<uint8_t>(data, count, 0xff, 0xff);
    default: return -1;
  }
}

// The first element that rounds to infinity in the dtype, or -1.
int64_t first_beyond(DType dtype, const float* values, int64_t count) {
  const float least = dtype == DType::F16 ? 65520.0f : dtype == DType::F8E5M2 ? 61440.0f : 0.0f;
  for (int64_t i = 0; least > 0 && i < count; ++i) {
    if (std::fabs(values[i]) >= least) return i;
  }
  return -1;
}

void store_floats(DType dtype, const float* values, int64_t count, std::byte* out) {
  if (is_block(dtype)) return quantise(dtype, values, count, out);
  if (dtype == DType::F32) {
    std::memcpy(out, values, static_cast<size_t>(count) * 4);
  } else {
    for (int64_t i = 0; i < count; ++i) store_float(dtype, out, i, values[i]);
  }
}

int64_t bytes_of(DType dtype, int64_t elements) {
  return elements / info(dtype).elements * info(dtype).bytes;
}

uint64_t mixed(uint64_t x) {  // the finaliser of splitmix64
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Params that scale what a norm yields, and the number around which they lie: 1, or 0 where the norm adds it.
std::unordered_map<uint32_t, float> norm_weights(const Plan& plan) {
  std::unordered_map<uint32_t, float> out;
  for (const Plan::Op& op : plan.ops) {
    if (!op.row || std::string_view(op.row->name).find("norm") == std::string_view::npos) continue;
    for (size_t i = 0; i < op.in.size() && i < op.row->operands.size(); ++i) {
      const bool weight = std::string_view(op.row->operands[i].name) == "w" && op.in[i] != kAbsent;
      if (weight) out[op.in[i]] = 1.0f - static_cast<float>(op.attrs["offset"].number());
    }
  }
  return out;
}

struct Spread {
  float centre = 0, width = 1;  // uniform in centre ± width
};

void random_floats(uint64_t key, int64_t begin, int64_t count, Spread spread, float* out) {
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t bits = mixed(key + static_cast<uint64_t>(begin + i)) >> 40;  // 24 of them: exact in f32
    out[i] = spread.centre + spread.width * (static_cast<float>(bits) * 0x1p-23f - 1.0f);
  }
}

// ------------------------------------------------------------------------------------------------ loading

class Loader {
 public:
  Loader(const Plan& plan, const PlanMemory& memory, Backend& backend,
         const std::function<void(int64_t)>& progress, WeightReport* report)
      : plan_(plan), memory_(memory), backend_(backend), progress_(progress), report_(report) {}

  Failure load(const Target& target, const std::vector<Piece>& pieces) {
    begin(target);
    for (const Piece& piece : pieces) {
      for (int64_t at = 0; at < piece.count; at += kChunk) {
        if (auto failure = chunk(target, piece, at, std::min(kChunk, piece.count - at))) return failure;
      }
    }
    if (is_block(target.value->dtype) && square_ > 0)
      report_->quantised.push_back({target.value->id, std::sqrt(lost_ / square_)});
    return std::nullopt;
  }

  Failure fill(const Target& target, uint64_t key, Spread spread) {
    begin(target);
    const DType dtype = target.value->dtype;
    for (int64_t at = 0; at < target.count; at += kChunk) {
      const int64_t count = std::min(kChunk, target.count - at);
      bytes_.assign(static_cast<size_t>(bytes_of(dtype, count)), std::byte{0});
      if (is_float(dtype)) {
        floats_.resize(static_cast<size_t>(count));
        random_floats(key, at, count, spread, floats_.data());
        store_floats(dtype, floats_.data(), count, bytes_.data());
      }
      if (auto failure = put(dtype, at, bytes_.data(), count)) return failure;
    }
    return std::nullopt;
  }

 private:
  void begin(const Target& target) {
    const Plan::Value& value = *target.value;
    const int64_t offset = value.offset ? evaluate(*value.offset, {}).value_or(0) : 0;
    to_ = memory_.buffers[value.buffer] + offset;
    lost_ = square_ = 0;
  }

  Failure put(DType dtype, int64_t element, const std::byte* from, int64_t count) {
    const int64_t bytes = bytes_of(dtype, count);
    report_->bytes += bytes;
    if (progress_) progress_(report_->bytes);
    return backend_.upload(to_ + bytes_of(dtype, element), from, static_cast<size_t>(bytes));
  }

  static std::string at(const Piece& piece, int64_t element) {
    return "weights: " + piece.name + " at element " + std::to_string(element) + " ";
  }

  Failure chunk(const Target& target, const Piece& piece, int64_t at_element, int64_t count) {
    const DType dtype = target.value->dtype;
    if (piece.scales) return pair(piece, at_element, count);
    const StoredTensor& tensor = *piece.tensor;
    const int64_t bad = first_not_finite(tensor, at_element, count);
    if (bad >= 0) {
      float value = 0;
      read_floats(tensor, at_element + bad, 1, &value);
      return at(piece, at_element + bad) + (std::isnan(value) ? "is NaN" : "is infinite");
    }
    if (stored_as(dtype) == tensor.type)
      return put(dtype, piece.begin + at_element, tensor.data + at_element * info(tensor.type).bytes, count);
    bytes_.resize(static_cast<size_t>(bytes_of(dtype, count)));
    if (!is_float(dtype)) {
      if (auto failure = integers(target, piece, at_element, count)) return failure;
      return put(dtype, piece.begin + at_element, bytes_.data(), count);
    }
    floats_.resize(static_cast<size_t>(count));
    read_floats(tensor, at_element, count, floats_.data());
    const int64_t beyond = first_beyond(dtype, floats_.data(), count);
    if (beyond >= 0) {
      return at(piece, at_element + beyond) + "is " + std::to_string(floats_[static_cast<size_t>(beyond)]) +
             ", beyond what " + name(dtype) + " can hold";
    }
    store_floats(dtype, floats_.data(), count, bytes_.data());
    if (is_block(dtype)) measure(dtype, count);
    return put(dtype, piece.begin + at_element, bytes_.data(), count);
  }

  // The published pair's blocks and scales, interleaved.
  Failure pair(const Piece& piece, int64_t at_element, int64_t count) {
    const int64_t first = at_element / 32, blocks = count / 32;
    bytes_.resize(static_cast<size_t>(blocks) * 17);
    for (int64_t i = 0; i < blocks; ++i) {
      const std::byte scale = piece.scales->data[first + i];
      if (scale == std::byte{0xff}) return at(piece, at_element + i * 32) + "has the scale 255, which is NaN";
      bytes_[static_cast<size_t>(i) * 17] = scale;
      std::memcpy(bytes_.data() + i * 17 + 1, piece.tensor->data + (first + i) * 16, 16);
    }
    return put(DType::MXFP4, piece.begin + at_element, bytes_.data(), count);
  }

  Failure integers(const Target& target, const Piece& piece, int64_t at_element, int64_t count) {
    const DType dtype = target.value->dtype;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t n = read_int(*piece.tensor, at_element + i);
      store_int(dtype, bytes_.data(), i, n);
      if (load_int(dtype, bytes_.data(), i) != n)
        return at(piece, at_element + i) + "is " + std::to_string(n) + ", beyond what " + name(dtype) +
               " can hold";
    }
    return std::nullopt;
  }

  void measure(DType dtype, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const double value = floats_[static_cast<size_t>(i)],
                   lost = value - load_float(dtype, bytes_.data(), i);
      square_ += value * value;
      lost_ += lost * lost;
    }
  }

  const Plan& plan_;
  const PlanMemory& memory_;
  Backend& backend_;
  const std::function<void(int64_t)>& progress_;
  WeightReport* report_;
  std::byte* to_ = nullptr;
  std::vector<float> floats_;
  std::vector<std::byte> bytes_;
  double lost_ = 0, square_ = 0;
};

std::string first_few(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < kMaxNamed; ++i) out += (i ? ", " : "") + names[i];
  if (names.size() > kMaxNamed) out += " and " + std::to_string(names.size() - kMaxNamed) + " more";
  return out;
}

std::string lacks(const Checkpoint& checkpoint, const std::vector<std::string>& missing) {
  std::string out = "weights: " + checkpoint.path() + " lacks " + first_few(missing);
  const std::string near = nearest(missing[0], checkpoint.names());
  if (!near.empty()) out += "; the nearest name there is " + near;
  return out;
}

}  // namespace

std::optional<WeightSource> open_weights(const std::string& text, std::string* why) {
  WeightSource source;
  constexpr std::string_view kRandom = "random:";
  if (text.compare(0, kRandom.size(), kRandom) == 0) {
    const std::string digits = text.substr(kRandom.size());
    const bool number =
        !digits.empty() && digits.size() < 19 && digits.find_first_not_of("0123456789") == std::string::npos;
    if (!number) return *why = "--weights " + text + ": the seed is no whole number", std::nullopt;
    source.seed = std::stoull(digits);
    return source;
  }
  source.checkpoint = Checkpoint::open(text, why);
  if (!source.checkpoint) return *why = "weights: " + *why, std::nullopt;
  return source;
}

Failure check_weights(const Plan& plan, const Binding& binding, const WeightSource& source) {
  if (!source.checkpoint) return std::nullopt;
  Finder finder(*source.checkpoint);
  std::vector<std::string> missing;
  std::string wrong;
  for (const Plan::Value& value : plan.values) {
    if (value.kind != Plan::Kind::Param) continue;
    const auto target = target_of(value, binding);
    if (!target) return "weights: " + value.id + " has no size here";
    const Found found = finder.find(*target);
    missing.insert(missing.end(), found.missing.begin(), found.missing.end());
    if (wrong.empty()) wrong = found.wrong;
  }
  if (!wrong.empty()) return "weights: " + source.checkpoint->path() + ": " + wrong;
  if (!missing.empty()) return lacks(*source.checkpoint, missing);
  return std::nullopt;
}

Failure load_weights(const Plan& plan, const Binding& binding, const WeightSource& source,
                     const PlanMemory& memory, Backend& backend, const std::function<void(int64_t)>& progress,
                     WeightReport* report) {
  Loader loader(plan, memory, backend, progress, report);
  std::optional<Finder> finder;
  if (source.checkpoint) finder.emplace(*source.checkpoint);
  const auto norms = norm_weights(plan);
  for (uint32_t i = 0; i < plan.values.size(); ++i) {
    const Plan::Value& value = plan.values[i];
    if (value.kind != Plan::Kind::Param) continue;
    const auto target = target_of(value, binding);
    if (!target) return "weights: " + value.id + " has no size here";
    Failure failure;
    if (finder) {
      const Found found = finder->find(*target);
      if (!found.wrong.empty()) return "weights: " + found.wrong;
      if (!found.missing.empty()) return lacks(*source.checkpoint, found.missing);
      failure = loader.load(*target, found.pieces);
    } else {
      uint64_t key = mixed(source.seed);
      for (const char c : value.id) key = mixed(key ^ static_cast<uint8_t>(c));
      const double axis =
          target->shape.empty() ? 1.0 : static_cast<double>(std::max<int64_t>(1, target->shape.back()));
      Spread spread{0,
                    static_cast<float>(std::sqrt(3.0 / axis))};  // of a standard deviation of 1 / sqrt(axis)
      const auto norm = norms.find(i);
      if (norm != norms.end()) spread = {norm->second, 0.1f};
      failure = loader.fill(*target, key, spread);
    }
    if (failure) return failure;
  }
  if (finder) {
    for (const std::string& name : source.checkpoint->names()) {
      if (!finder->read().count(name)) report->unread.push_back(name);
    }
  }
  return std::nullopt;
}

}  // namespace irplan
