#include "runtime/sampler.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "runtime/random.h"

namespace irplan {
namespace {

constexpr int kWholeBits = 40;                     // a weight of 1
constexpr int64_t kMostTokens = int64_t{1} << 23;  // whose weights add up in 64 bits
constexpr double kMostWhole = 9007199254740992.0;  // 2^53: as JSON has whole numbers
constexpr float kNone = -std::numeric_limits<float>::infinity(), kHighest = std::numeric_limits<float>::max();

struct Field {
  double least, most;
  bool open_below;  // `least` itself is none
  bool whole;
  double usual;
  const char* takes;
};
// By SamplingWords::kNames.
enum : size_t { kTemperature, kTopK, kTopP, kMinP, kSeed };
constexpr Field kFields[] = {
    {0, 1e30, false, false, 1, "a number from 0; 0 takes the largest logit"},
    {0, kMostWhole, false, true, 0, "a whole number from 0; 0 keeps all tokens"},
    {0, 1, true, false, 1, "a number above 0 and up to 1; 1 keeps all tokens"},
    {0, 1, false, false, 0, "a number from 0 to 1; 0 keeps all tokens"},
    {0, kMostWhole, false, true, 0, "a whole number from 0 to 2^53"},
};
static_assert(std::size(kFields) == std::size(SamplingWords::kNames));

// The high 64 bits of a product.
uint64_t high_product(uint64_t a, uint64_t b) {
  const uint64_t low = (a & 0xffffffff) * (b & 0xffffffff), one = (a >> 32) * (b & 0xffffffff),
                 two = (a & 0xffffffff) * (b >> 32), high = (a >> 32) * (b >> 32);
  const uint64_t middle = (low >> 32) + (one & 0xffffffff) + (two & 0xffffffff);
  return high + (one >> 32) + (two >> 32) + (middle >> 32);
}

constexpr int64_t kLanes = 16;

// The largest of a run of logits; none where one is no number. In lanes, as vectors have them.
std::optional<float> largest_in(const float* logits, int64_t count) {
  float most[kLanes];
  uint32_t bad[kLanes] = {};
  std::fill_n(most, kLanes, kNone);
  const auto look = [&](int64_t i, int64_t lane) {
    const float x = logits[i];
    most[lane] = x > most[lane] ? x : most[lane];
    bad[lane] |= x <= kHighest ? 0U : 1U;
  };
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) look(i + lane, lane);
  }
  for (; i < count; ++i) look(i, 0);
  if (std::any_of(bad, bad + kLanes, [](uint32_t b) { return b != 0; })) return std::nullopt;
  return *std::max_element(most, most + kLanes);
}

// The place of the first of the largest; none where one is no number, or all are -inf. A vocabulary is long:
// it is looked at once, and then the part that has the largest.
std::optional<int64_t> largest_of(const float* logits, int64_t count) {
  constexpr int64_t kPart = 1024;
  float largest = kNone;
  int64_t part = 0;
  for (int64_t begin = 0; begin < count; begin += kPart) {
    const auto most = largest_in(logits + begin, std::min(kPart, count - begin));
    if (!most) return std::nullopt;
    if (*most <= largest) continue;
    largest = *most;
    part = begin;
  }
  if (largest == kNone) return std::nullopt;
  return std::find(logits + part, logits + count, largest) - logits;
}

std::string what_is_no_logit(const float* logits, int64_t count) {
  const float* at = std::find_if(logits, logits + count, [](float x) { return !(x <= kHighest); });
  if (at == logits + count) return "all logits are -inf";
  return std::isnan(*at) ? "logits hold NaN" : "logits hold +inf";
}

}  // namespace

std::optional<std::string> SamplingWords::set(std::string_view name, double number) {
  const auto at =
      static_cast<size_t>(std::find(std::begin(kNames), std::end(kNames), name) - std::begin(kNames));
  const Field& field = kFields[at];
  const bool good = number >= field.least && number <= field.most &&
                    (!field.open_below || number > field.least) &&
                    (!field.whole || number == std::floor(number));
  if (!good) return std::string("takes ") + field.takes;
  given_[at] = number;
  return std::nullopt;
}

bool SamplingWords::any() const {
  return std::any_of(std::begin(given_), std::end(given_),
                     [](const auto& number) { return number.has_value(); });
}

Sampling SamplingWords::over(const SamplingWords& otherwise) const {
  double all[std::size(kNames)];
  bool samples = false;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    const auto& given = given_[i] ? given_[i] : otherwise.given_[i];
    all[i] = given.value_or(kFields[i].usual);
    samples = samples || (given && i != kSeed);
  }
  return {samples ? all[kTemperature] : 0, static_cast<int64_t>(all[kTopK]), all[kTopP], all[kMinP],
          static_cast<uint64_t>(all[kSeed])};
}

uint64_t split_mix(uint64_t seed, uint64_t i) { return splitmix64(seed + i * 0x9e3779b97f4a7c15u); }

// e^z = 2^y: the whole part of y shifts, and the rest, in [-1/2, 1/2), is a polynomial in fixed point. In
// floating point only y is computed, by operations of IEEE 754 that round alike everywhere.
uint64_t sampling_weight(double z) {
  constexpr double kLog2E = 1.4426950408889634;
  const double y = z * kLog2E;
  if (!(y > -(kWholeBits + 1))) return 0;
  const auto fixed = static_cast<int64_t>(y * 4294967296.0);  // 32 bits of fraction
  const int64_t whole = (fixed + (int64_t{1} << 31)) >> 32, rest = fixed - (whole << 32);
  // ln(2)^i / i! * 2^31, the highest first.
  constexpr int64_t kTerms[] = {219,      2838,      32755,     330788,     2863360,
                                20654775, 119194166, 515882496, 1488522236, int64_t{1} << 31};
  int64_t sum = 0;
  for (const int64_t term : kTerms) sum = term + ((sum * rest) >> 32);
  const int64_t shift = kWholeBits - 31 + whole;
  return static_cast<uint64_t>(shift >= 0 ? sum << shift : sum >> -shift);
}

void Sampler::keep_top_k() {
  if (how_.top_k == 0 || how_.top_k >= static_cast<int64_t>(candidates_.size())) return;
  const auto before = [](const Candidate& a, const Candidate& b) { return a.before(b); };
  std::nth_element(candidates_.begin(), candidates_.begin() + (how_.top_k - 1), candidates_.end(), before);
  candidates_.resize(static_cast<size_t>(how_.top_k));
}

// From a heap the largest are taken in order, and the rest is never sorted.
void Sampler::keep_top_p() {
  if (how_.top_p == 1) return;
  uint64_t all = 0;
  for (const Candidate& c : candidates_) all += c.weight;
  const double enough = how_.top_p * static_cast<double>(all);
  const auto after = [](const Candidate& a, const Candidate& b) { return b.before(a); };
  std::make_heap(candidates_.begin(), candidates_.end(), after);
  auto end = candidates_.end();
  uint64_t sum = 0;
  while (end != candidates_.begin() && (sum == 0 || static_cast<double>(sum) < enough)) {
    std::pop_heap(candidates_.begin(), end, after);
    sum += (--end)->weight;
  }
  candidates_.erase(candidates_.begin(), end);
}

Result<int64_t> Sampler::next(const float* logits, int64_t count) {
  if (count < 1 || count > kMostTokens) return Error{"there are " + std::to_string(count) + " logits"};
  const auto best = largest_of(logits, count);
  if (!best) return Error{what_is_no_logit(logits, count)};
  const uint64_t turn = taken_++;
  if (how_.greedy()) return *best;
  candidates_.clear();
  const double largest = logits[*best];
  for (int64_t i = 0; i < count; ++i) {
    if (const uint64_t weight = sampling_weight((logits[i] - largest) / how_.temperature))
      candidates_.push_back({logits[i], static_cast<int32_t>(i), weight});
  }
  keep_top_k();
  keep_top_p();
  const double least = how_.min_p * static_cast<double>(uint64_t{1} << kWholeBits);
  std::erase_if(candidates_, [&](const Candidate& c) { return static_cast<double>(c.weight) < least; });
  // By id, so that a draw means the same whatever the filters did to the order.
  const auto by_id = [](const Candidate& a, const Candidate& b) { return a.id < b.id; };
  if (!std::is_sorted(candidates_.begin(), candidates_.end(), by_id))
    std::sort(candidates_.begin(), candidates_.end(), by_id);
  uint64_t sum = 0;
  for (const Candidate& c : candidates_) sum += c.weight;
  uint64_t drawn = high_product(split_mix(how_.seed, turn), sum);
  for (const Candidate& c : candidates_) {
    if (drawn < c.weight) return c.id;
    drawn -= c.weight;
  }
  return *best;
}

}  // namespace irplan
