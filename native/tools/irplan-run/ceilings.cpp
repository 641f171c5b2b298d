#include "tools/irplan-run/ceilings.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/bounded_json.h"
#include "files/paths.h"
#include "files/read.h"
#include "runtime/machine.h"

namespace irplan::run {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr size_t kMostBytes = 1 << 20;

}  // namespace

Ceilings Ceilings::of(int threads) const {
  Ceilings out = *this;
  const auto wanted = static_cast<size_t>(threads);
  if (wanted >= read.size()) return out;
  out.read.resize(wanted);
  const double part = static_cast<double>(wanted) / static_cast<double>(read.size());
  out.fma_f32 *= part;
  out.product_bf16 *= part;
  if (wanted == 1) out.loop = 0;
  return out;
}

double Ceilings::bytes() const { return read.empty() ? 0 : *std::max_element(read.begin(), read.end()); }
double Ceilings::flops() const { return std::max(fma_f32, product_bf16); }

double least_seconds(const Ceilings& ceilings, double bytes, double flops) {
  return std::max(bytes / ceilings.bytes(), flops / ceilings.flops()) + ceilings.loop;
}

std::string ceilings_json(const Ceilings& ceilings) {
  return Json({{"version", kVersion},
               {"processor", ceilings.processor},
               {"kernels", ceilings.kernels},
               {"read_bytes_a_second_by_threads", ceilings.read},
               {"fma_f32_flops", ceilings.fma_f32},
               {"product_bf16_flops", ceilings.product_bf16},
               {"loop_seconds", ceilings.loop}})
             .dump(2) +
         "\n";
}

std::optional<Ceilings> read_ceilings(const std::string& text) {
  const Json json = parse_json<Json>(text);
  if (!json.is_object() || json.value("version", Json()) != kVersion) return std::nullopt;
  Ceilings out;
  const auto word = [&](const char* key, std::string* to) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() && (*to = found->get<std::string>(), true);
  };
  const auto number = [](const Json& value, double* to) {
    return value.is_number() && (*to = value.get<double>(), *to > 0);
  };
  const auto read = json.find("read_bytes_a_second_by_threads");
  if (read == json.end() || !read->is_array() || read->empty()) return std::nullopt;
  for (const Json& one : *read) {
    if (!number(one, &out.read.emplace_back())) return std::nullopt;
  }
  const bool good = word("processor", &out.processor) && word("kernels", &out.kernels) &&
                    number(json.value("fma_f32_flops", Json()), &out.fma_f32) &&
                    number(json.value("product_bf16_flops", Json()), &out.product_bf16) &&
                    number(json.value("loop_seconds", Json()), &out.loop);
  return good ? std::optional(out) : std::nullopt;
}

std::string ceilings_file() {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  std::string folder;
  if (cache && *cache == '/')  // as the specification has it: others are ignored
    folder = cache;
  else if (home && *home)
    folder = std::string(home) + "/.cache";
  return folder.empty() ? "" : folder + "/irplan/machine.json";
}

std::string kernels_of_device(const std::string& device) {
  const size_t comma = device.find(", ");
  return comma == std::string::npos ? device : device.substr(comma + 2);
}

Result<Ceilings> known_ceilings(const std::string& device, int threads) {
  const std::string kernels = kernels_of_device(device);
  const std::string path = ceilings_file(), then = "; `irplan-run --calibrate` measures it, in some seconds";
  const Error unknown{"what this machine can do is not known" + then};
  if (path.empty() || !is_file(path)) return unknown;
  const auto text = read_text(path, kMostBytes);
  if (!text) return unknown;
  auto found = read_ceilings(*text);
  if (!found) return Error{path + " is not what --calibrate writes" + then};
  if (found->processor != processor_name() || found->kernels != kernels ||
      found->read.size() < static_cast<size_t>(threads))
    return Error{path + " is of another machine, " + found->processor + " with " + found->kernels + then};
  return found->of(threads);
}

}  // namespace irplan::run
