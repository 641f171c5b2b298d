// Sampling against a computation of its own: probabilities in long double, sorted as a whole.
#include "runtime/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>

#include "catch.h"

namespace irplan {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Sampling with(double temperature, int64_t top_k = 0, double top_p = 1, double min_p = 0, uint64_t seed = 0) {
  return {temperature, top_k, top_p, min_p, seed};
}

Result<int64_t> next_of(const Sampling& how, const std::vector<float>& logits) {
  return Sampler(how).next(logits.data(), static_cast<int64_t>(logits.size()));
}

int64_t first(const Sampling& how, const std::vector<float>& logits) {
  const auto next = next_of(how, logits);
  return next ? *next : -1;
}

// Of each token its probability after the filters.
std::vector<long double> probabilities(const Sampling& how, const std::vector<float>& logits) {
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  if (how.top_k > 0 && static_cast<size_t>(how.top_k) < order.size())
    order.resize(static_cast<size_t>(how.top_k));
  std::vector<long double> p(logits.size(), 0);
  long double all = 0;
  for (const size_t i : order)
    all += p[i] = expl((static_cast<long double>(logits[i]) - logits[order[0]]) / how.temperature);
  long double sum = 0;
  for (size_t k = 0; k < order.size(); ++k) {
    if (k > 0 && how.top_p < 1 && sum >= how.top_p * all) order.resize(k);
    if (k < order.size()) sum += p[order[k]];
  }
  std::vector<long double> kept(logits.size(), 0);
  for (const size_t i : order) {
    if (p[i] >= how.min_p * p[order[0]]) kept[i] = p[i];
  }
  const long double total = std::accumulate(kept.begin(), kept.end(), 0.0L);
  for (long double& x : kept) x /= total;
  return kept;
}

int64_t drawn(const std::vector<long double>& p, uint64_t bits) {
  const long double u = std::ldexp(static_cast<long double>(bits), -64);
  long double sum = 0;
  int64_t last = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (p[i] > 0) last = static_cast<int64_t>(i);
    if ((sum += p[i]) > u) return last;
  }
  return last;
}

TEST_CASE("sampler: the generator is SplitMix64, and weights are powers of e") {
  // The published numbers of the seed 1234567.
  const uint64_t known[] = {6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                            4593380528125082431U, 16408922859458223821U};
  for (uint64_t i = 0; i < std::size(known); ++i) CHECK(split_mix(1234567, i) == known[i]);
  CHECK(sampling_weight(0) == uint64_t{1} << 40);
  CHECK(sampling_weight(-1e30) == 0);
  CHECK(sampling_weight(-static_cast<double>(kInfinity)) == 0);
  uint64_t before = uint64_t{1} << 40;
  for (double z = 0; z > -27; z -= 0.001) {
    const uint64_t weight = sampling_weight(z);
    REQUIRE(weight <= before);
    REQUIRE(std::fabs(static_cast<double>(weight) - std::ldexp(std::exp(z), 40)) <=
            2 + 4e-9 * std::ldexp(std::exp(z), 40));
    before = weight;
  }
}

TEST_CASE("sampler: ids are those of a computation in long double") {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> logit(-8, 8);
  const double temperatures[] = {0.3, 1, 1.7}, shares[] = {1, 0.95, 0.5, 0.01}, least[] = {0, 0.02, 0.4, 1};
  const int64_t counts[] = {0, 1, 5, 40, 1000};
  int cases = 0;
  for (const double t : temperatures) {
    for (const int64_t k : counts) {
      for (const double p : shares) {
        for (const double m : least) {
          std::vector<float> logits(1 + random() % 90);
          for (float& x : logits) x = logit(random);
          // Some are equal, and some have no chance.
          for (size_t i = 0; i + 3 < logits.size(); i += 7)
            logits[i + 2] = logits[i], logits[i + 3] = -kInfinity;
          const Sampling how = with(t, k, p, m, random());
          const auto expected = probabilities(how, logits);
          Sampler sampler(how);
          for (uint64_t i = 0; i < 12; ++i, ++cases) {
            const auto id = sampler.next(logits.data(), static_cast<int64_t>(logits.size()));
            REQUIRE(id);
            REQUIRE(*id == drawn(expected, split_mix(how.seed, i)));
          }
        }
      }
    }
  }
  CHECK(cases > 2000);
}

TEST_CASE("sampler: tokens come as often as their probabilities say") {
  const std::vector<float> logits = {0, 1, 2, -1, 2, -kInfinity};
  const Sampling how = with(1.3, 0, 1, 0, 11);
  const auto p = probabilities(how, logits);
  std::map<int64_t, int> count;
  Sampler sampler(how);
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) ++count[*sampler.next(logits.data(), 6)];
  for (size_t i = 0; i < logits.size(); ++i) {
    const double want = static_cast<double>(p[i]) * kDraws;
    CHECK(std::fabs(count[static_cast<int64_t>(i)] - want) <= 4 * std::sqrt(want) + 1e-9);
  }
}

TEST_CASE("sampler: a seed gives these ids on every machine") {
  std::vector<float> logits;
  for (int i = 0; i < 50; ++i) logits.push_back(static_cast<float>((i * 37) % 50) * 0.125f);
  Sampler sampler(with(0.8, 30, 0.9, 0.01, 42));
  std::vector<int64_t> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(*sampler.next(logits.data(), 50));
  CHECK(ids == std::vector<int64_t>{31, 4, 8, 12, 4, 39, 8, 35, 12, 27});
}

TEST_CASE("sampler: the largest logit, and the lowest id of equal ones") {
  const std::vector<float> logits = {1, 3, -2, 3, 3, -kInfinity};
  CHECK(first({}, logits) == 1);
  CHECK(first(with(0, 3, 0.5, 0.1, 9), logits) == 1);
  CHECK(first(with(1e-300), {1, 3, -2}) == 1);
  for (uint64_t seed = 0; seed < 50; ++seed) {
    CHECK(first(with(2, 1, 1, 0, seed), logits) == 1);
    CHECK(first(with(2, 0, 1e-9, 0, seed), logits) == 1);
    const auto two = first(with(2, 2, 1, 0, seed), logits);
    CHECK((two == 1 || two == 3));
    const auto equal = first(with(2, 0, 1, 1, seed), logits);
    CHECK((equal == 1 || equal == 3 || equal == 4));
  }
  std::vector<float> many(1000, -1);
  many[700] = many[999] = many[996] = 2;
  CHECK(first({}, many) == 700);
  CHECK(first({}, {-kInfinity, -5}) == 1);
  CHECK(first({}, {-3e38f}) == 0);
}

TEST_CASE("sampler: what is no logit is an error that names the token") {
  for (const Sampling& how : {Sampling(), with(1)}) {
    for (const size_t place : {0, 1, 16, 17, 39}) {
      std::vector<float> logits(40, 1);
      logits[place] = std::nanf("");
      CHECK(next_of(how, logits).message() == "logits hold NaN");
      logits[place] = kInfinity;
      CHECK(next_of(how, logits).message() == "logits hold +inf");
    }
    CHECK(next_of(how, {-kInfinity, -kInfinity}).message() == "all logits are -inf");
    CHECK_FALSE(next_of(how, {}));
  }
}

TEST_CASE("sampler: words that are given, and what they take") {
  SamplingWords words;
  CHECK_FALSE(words.any());
  CHECK(words.over({}).greedy());
  CHECK_FALSE(words.set("seed", 7));
  CHECK(words.over({}).greedy());
  CHECK_FALSE(words.set("top_k", 5));
  CHECK(words.over({}).temperature == 1);
  SamplingWords usual;
  CHECK_FALSE(usual.set("temperature", 0.5));
  CHECK_FALSE(usual.set("top_k", 9));
  const Sampling both = words.over(usual);
  CHECK(both.temperature == 0.5);
  CHECK(both.top_k == 5);
  CHECK(both.seed == 7);
  CHECK_FALSE(words.set("temperature", 0));
  CHECK(words.over(usual).greedy());
  const std::pair<const char*, double> bad[] = {
      {"temperature", -1}, {"temperature", NAN}, {"temperature", INFINITY},
      {"top_k", -1},       {"top_k", 1.5},       {"top_p", 0},
      {"top_p", 1.01},     {"top_p", NAN},       {"min_p", -0.1},
      {"min_p", 2},        {"seed", -1},         {"seed", 1e18}};
  for (const auto& [name, number] : bad) {
    const auto why = words.set(name, number);
    REQUIRE(why);
    CHECK(why->rfind("takes a ", 0) == 0);
  }
}

}  // namespace
}  // namespace irplan
