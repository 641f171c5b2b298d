#include "ir/datum.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/decimal.h"

namespace irplan {
namespace {

constexpr size_t kShownBytes = 60;  // of a value in a message

std::string cut(std::string text) {
  if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "…";
  return text;
}

std::string show_float(double x) {
  char buffer[40];
  for (int precision = 6; precision <= 17; ++precision) {
    std::snprintf(buffer, sizeof buffer, "%.*g", precision, x);
    if (read_decimal(buffer).number == x) break;
  }
  std::string text = buffer;
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";  // or it would look whole
  return text;
}

}  // namespace

std::string show(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::Null: return "none";
    case ConfigNode::Kind::Bool: return node.boolean ? "true" : "false";
    case ConfigNode::Kind::Int: return std::to_string(node.integer);
    case ConfigNode::Kind::Float: return node.string.empty() ? show_float(node.number) : cut(node.string);
    case ConfigNode::Kind::String: return cut("\"" + node.string + "\"");
    case ConfigNode::Kind::List: return "a list of " + std::to_string(node.items.size());
    case ConfigNode::Kind::Record: return "a record of " + std::to_string(node.entries.size());
  }
  return "";
}

const char* kind_name(const Datum& datum) {
  if (const auto* node = datum.get<const ConfigNode*>()) {
    return (*node)->kind == ConfigNode::Kind::List ? "a list" : "a record";
  }
  constexpr const char* kNames[] = {"an error", "none",     "missing", "a bool", "an integer",
                                    "a float",  "a string", "a dtype", "a dim",  "config",
                                    "a list",   "a record", "a tensor"};
  return kNames[datum.value.index()];
}

std::string show(const Datum& datum) {
  if (const auto* b = datum.get<bool>()) return *b ? "true" : "false";
  if (const auto* i = datum.get<int64_t>()) return std::to_string(*i);
  if (const auto* d = datum.get<double>()) return show_float(*d);
  if (const auto* s = datum.get<std::string>()) return cut("\"" + *s + "\"");
  if (const auto* t = datum.get<DType>()) return name(*t);
  if (const auto* e = datum.get<Expr>()) return cut(e->text());
  if (const auto* node = datum.get<const ConfigNode*>()) return show(**node);
  if (const auto* list = datum.get<std::shared_ptr<const DatumList>>()) {
    std::string out = "[";
    for (const Datum& item : **list) {
      if (out.size() > kShownBytes) break;
      out += (out.size() > 1 ? ", " : "") + show(item);
    }
    return cut(out + "]");
  }
  return kind_name(datum);
}

std::optional<DType> as_dtype(const Datum& datum) {
  if (const auto* dtype = datum.get<DType>()) return *dtype;
  if (const auto* word = datum.get<std::string>()) {
    if (const auto dtype = find_config_dtype(*word)) return dtype;
    return find_dtype(*word);
  }
  return std::nullopt;
}

int depth_of(const Datum& datum) {
  if (const auto* list = datum.get<std::shared_ptr<const DatumList>>()) return (*list)->depth;
  if (const auto* record = datum.get<std::shared_ptr<const DatumRecord>>()) return (*record)->depth;
  return 0;
}

bool equal(const Datum& a, const Datum& b, size_t& steps, size_t most) {
  if (++steps > most) return false;
  if (a.is_number() && b.is_number()) {
    if (a.is<int64_t>() && b.is<int64_t>()) return *a.get<int64_t>() == *b.get<int64_t>();
    return a.number() == b.number();
  }
  if (a.is<DType>() || b.is<DType>()) {
    const auto x = as_dtype(a), y = as_dtype(b);
    return x && y && *x == *y;
  }
  if (a.value.index() != b.value.index()) return false;
  if (const auto* x = a.get<bool>()) return *x == *b.get<bool>();
  if (const auto* x = a.get<std::string>()) return *x == *b.get<std::string>();
  if (const auto* x = a.get<Expr>()) return *x == *b.get<Expr>();
  if (const auto* x = a.get<const ConfigNode*>()) return *x == *b.get<const ConfigNode*>();
  if (const auto* x = a.get<std::shared_ptr<const DatumList>>()) {
    const DatumList& p = **x;
    const DatumList& q = **b.get<std::shared_ptr<const DatumList>>();
    return std::equal(p.begin(), p.end(), q.begin(), q.end(),
                      [&](const Datum& left, const Datum& right) { return equal(left, right, steps, most); });
  }
  if (const auto* x = a.get<std::shared_ptr<const DatumRecord>>()) {
    const DatumRecord& p = **x;
    const DatumRecord& q = **b.get<std::shared_ptr<const DatumRecord>>();
    const auto has = [&](const std::pair<std::string, Datum>& entry) {  // in whatever order
      const auto same_key = [&](const auto& other) { return ++steps, other.first == entry.first; };
      const auto found = std::find_if(q.begin(), q.end(), same_key);
      return found != q.end() && equal(entry.second, found->second, steps, most);
    };
    return p.size() == q.size() && std::all_of(p.begin(), p.end(), has);
  }
  return a.is_none();
}

double portable_log(double x) {
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)), by its bits; then ln m = 2 artanh((m - 1) / (m + 1)) by its
  // series.
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  int exponent = static_cast<int>((bits >> 52) & 0x7ff) - 1023;
  if (exponent == -1023) {                          // subnormal
    const double scaled = x * 18014398509481984.0;  // 2^54
    std::memcpy(&bits, &scaled, sizeof bits);
    exponent = static_cast<int>((bits >> 52) & 0x7ff) - 1023 - 54;
  }
  bits = (bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL;
  double m;
  std::memcpy(&m, &bits, sizeof m);
  if (m > 1.4142135623730951) {
    m = m / 2;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double square = s * s;
  double sum = 0;
  for (int k = 41; k >= 1; k -= 2) {  // |s| < 0.172: the first term left out is below 2^-200
    const double term = 1.0 / k;
    sum = sum * square;
    sum = sum + term;
  }
  const double fraction = 2 * s * sum;
  const double high = exponent * 0.693147180369123816490;  // ln 2 in two parts, the first exact in 33 bits
  const double low = exponent * 1.90821492927058770002e-10;
  const double rest = fraction + low;
  return high + rest;
}

double round_to(double x, DType dtype) {
  if (dtype == DType::F32) return static_cast<double>(static_cast<float>(x));
  int mantissa = 0, least = 0;  // stored bits of the mantissa; exponent of the smallest normal number
  double most = 0;
  switch (dtype) {
    case DType::F16: mantissa = 10, least = -14, most = 65504; break;
    case DType::BF16: mantissa = 7, least = -126, most = 3.3895313892515355e38; break;
    case DType::F8E4M3: mantissa = 3, least = -6, most = 448; break;
    case DType::F8E5M2: mantissa = 2, least = -14, most = 57344; break;
    default: return x;
  }
  if (x == 0 || !std::isfinite(x)) return x;
  const int exponent = std::max(std::ilogb(x), least);
  const double step = std::scalbn(1.0, exponent - mantissa);
  const double scaled = x / step;  // exact: a power of two
  double whole = std::floor(scaled);
  const double rest = scaled - whole;
  if (rest > 0.5 || (rest == 0.5 && std::fmod(whole, 2) != 0)) whole += 1;
  const double rounded = whole * step;
  if (rounded > most) return dtype == DType::F8E4M3 ? most : HUGE_VAL;
  if (rounded < -most) return dtype == DType::F8E4M3 ? -most : -HUGE_VAL;
  return rounded;
}

}  // namespace irplan
