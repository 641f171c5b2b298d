#include "ops/rope_table.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace irplan {
namespace {

constexpr double kPi = 3.14159265358979323846;

const Attr* number_of(const AttrRecord& record, std::string_view key) {
  const Attr* value = find(record, key);
  return value && (value->get<int64_t>() || value->get<double>()) ? value : nullptr;
}

double number_or(const AttrRecord& record, std::string_view key, double otherwise) {
  const Attr* value = number_of(record, key);
  return value ? value->number() : otherwise;
}

// "default" where neither key is there; empty where it is no word.
std::string type_of(const AttrRecord& record) {
  const Attr* type = find(record, "rope_type");
  if (!type) type = find(record, "type");
  return type ? type->word() : "default";
}

double clamp01(double x) { return std::min(1.0, std::max(0.0, x)); }

// The list that serves `length` tokens: the short one up to the length that the model was trained for.
const AttrList* longrope_factors(const AttrRecord& record) {
  const bool longer =
      number_or(record, "length", 0) > number_or(record, "original_max_position_embeddings", 0);
  const Attr* factors = find(record, longer ? "long_factor" : "short_factor");
  return factors ? &factors->list() : nullptr;
}

void llama3(const AttrRecord& record, std::vector<double>& f) {
  const double factor = number_or(record, "factor", 1),
               n = number_or(record, "original_max_position_embeddings", 1);
  const double low = number_or(record, "low_freq_factor", 1), high = number_or(record, "high_freq_factor", 4);
  for (double& x : f) {
    const double a = clamp01((n * x / (2 * kPi) - low) / (high - low));
    x *= a + (1 - a) / factor;
  }
}

double yarn_m(const AttrRecord& record, double factor) {
  const auto g = [&](double k) { return factor <= 1 ? 1.0 : 0.1 * k * std::log(factor) + 1.0; };
  if (const Attr* m = number_of(record, "attention_factor")) return m->number();
  const double mscale = number_or(record, "mscale", 0), all = number_or(record, "mscale_all_dim", 0);
  return mscale != 0 && all != 0 ? g(mscale) / g(all) : g(1);
}

double yarn(const AttrRecord& record, double base, int64_t dim, std::vector<double>& f) {
  const double factor = number_or(record, "factor", 1),
               n = number_or(record, "original_max_position_embeddings", 1);
  // The pair whose wavelength turns beta times within n tokens.
  const auto pair_of = [&](double beta) {
    return static_cast<double>(dim) * std::log(n / (beta * 2 * kPi)) / (2 * std::log(base));
  };
  double lo = pair_of(number_or(record, "beta_fast", 32)), hi = pair_of(number_or(record, "beta_slow", 1));
  const Attr* truncate = find(record, "truncate");
  if (!truncate || truncate->boolean()) lo = std::floor(lo), hi = std::ceil(hi);
  lo = std::max(lo, 0.0);
  hi = std::min(hi, static_cast<double>(dim) - 1);
  if (lo == hi) hi += 0.001;
  for (size_t i = 0; i < f.size(); ++i) {
    const double r = clamp01((static_cast<double>(i) - lo) / (hi - lo));
    f[i] *= (1 - r) + r / factor;
  }
  return yarn_m(record, factor);
}

double longrope(const AttrRecord& record, std::vector<double>& f) {
  const AttrList& factors = *longrope_factors(record);
  for (size_t i = 0; i < f.size(); ++i) f[i] /= factors[i].number();
  if (const Attr* m = number_of(record, "attention_factor")) return m->number();
  const double factor = number_or(record, "factor", 1),
               n = number_or(record, "original_max_position_embeddings", 1);
  return factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(n));
}

std::optional<RopeFault> need_numbers(const AttrRecord& record, const std::string& type,
                                      std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const Attr* value = find(record, key);
    if (!value) return RopeFault{RopeFault::Kind::Key, type, key};
    if (!number_of(record, key) || !(value->number() > 0))
      return RopeFault{RopeFault::Kind::Value, type, key};
  }
  return std::nullopt;
}

std::optional<RopeFault> check_lists(const AttrRecord& record, const std::string& type) {
  for (const char* key : {"short_factor", "long_factor"}) {
    const Attr* value = find(record, key);
    if (!value) return RopeFault{RopeFault::Kind::Key, type, key};
    const bool list = value->get<std::shared_ptr<const AttrList>>() != nullptr;
    for (const Attr& item : value->list()) {
      if (!(item.number() > 0)) return RopeFault{RopeFault::Kind::Value, type, key};
    }
    if (!list || value->list().empty()) return RopeFault{RopeFault::Kind::Value, type, key};
  }
  const int64_t length = static_cast<int64_t>(find(record, "short_factor")->list().size());
  const int64_t other = static_cast<int64_t>(find(record, "long_factor")->list().size());
  if (length != other) return RopeFault{RopeFault::Kind::Length, type, "long_factor", other};
  return std::nullopt;
}

}  // namespace

std::optional<RopeFault> check_rope_scaling(const AttrRecord* scaling) {
  if (!scaling) return std::nullopt;
  const AttrRecord& record = *scaling;
  const std::string type = type_of(record);
  if (type == "default") return std::nullopt;
  if (type == "linear") return need_numbers(record, type, {"factor"});
  if (type == "llama3") {
    return need_numbers(
        record, type, {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"});
  }
  if (type == "yarn") return need_numbers(record, type, {"factor", "original_max_position_embeddings"});
  if (type == "longrope" || type == "su") {
    auto fault = need_numbers(record, type, {"original_max_position_embeddings", "length"});
    if (!fault && !number_of(record, "attention_factor")) fault = need_numbers(record, type, {"factor"});
    return fault ? fault : check_lists(record, type);
  }
  return RopeFault{RopeFault::Kind::Type, type, "", 0};
}

std::optional<int64_t> rope_list_length(const AttrRecord* scaling) {
  if (!scaling) return std::nullopt;
  const std::string type = type_of(*scaling);
  if (type != "longrope" && type != "su") return std::nullopt;
  return static_cast<int64_t>(longrope_factors(*scaling)->size());
}

RopeTable rope_table(double base, int64_t dim, const AttrRecord* scaling) {
  std::vector<double> f(static_cast<size_t>(dim / 2));
  for (size_t i = 0; i < f.size(); ++i)
    f[i] = std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(dim));
  double m = 1;
  if (scaling) {
    const std::string type = type_of(*scaling);
    if (type == "linear") {
      for (double& x : f) x /= number_or(*scaling, "factor", 1);
    } else if (type == "llama3") {
      llama3(*scaling, f);
    } else if (type == "yarn") {
      m = yarn(*scaling, base, dim, f);
    } else if (type == "longrope" || type == "su") {
      m = longrope(*scaling, f);
    }
  }
  RopeTable table;
  table.g.assign(f.begin(), f.end());
  table.m = static_cast<float>(m);
  return table;
}

}  // namespace irplan
