// irplan pack: the packer alone, on the published instances' CSV format, and the same as JSON.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "command_line/files.h"
#include "command_line/terminal.h"
#include "irplan/fit.h"
#include "irplan/pack.h"
#include "tools/irplan/commands.h"
#include "tools/irplan/search_progress.h"
#include "tools/limits.h"

namespace irplan::cli {
namespace {

constexpr size_t kMostListed = 32;  // buffers of a conflict, in text

// A cell of the table as a JSON string; the reader of CSV takes any bytes.
std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\', out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      out += code;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string seconds_of(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", seconds);
  return text;
}

std::string as_text(const PackResult& result, std::optional<int64_t> capacity, double seconds) {
  return std::string("verdict ") + name(verdict_of(result, capacity)) + "\nheight " +
         std::to_string(result.height) + "\nbound " + std::to_string(result.bound) + "\n" +
         (result.proven ? "proven: no placement is lower\n"
          : result.height == result.bound
              ? ""
              : "not proven: the bound is not met, a lower placement may exist\n") +
         "strength " + name(result.strength) + "\nnodes " + std::to_string(result.nodes) + "\nseconds " +
         seconds_of(seconds) + "\n";
}

std::string as_json(const PackTable& table, const PackResult& result, std::optional<int64_t> capacity,
                    double seconds, const PackConflict* conflict) {
  std::string out =
      std::string("{\"verdict\": \"") + name(verdict_of(result, capacity)) +
      "\", \"height\": " + std::to_string(result.height) + ", \"bound\": " + std::to_string(result.bound) +
      ", \"proven\": " + (result.proven ? "true" : "false") + ", \"strength\": \"" + name(result.strength) +
      "\", \"nodes\": " + std::to_string(result.nodes) + ", \"seconds\": " + seconds_of(seconds);
  if (conflict) {
    out += ", \"conflict\": [";
    for (const uint32_t i : conflict->buffers) {
      if (out.back() != '[') out += ", ";
      out += json_text(table.ids[i]);
    }
    out += std::string("], \"irreducible\": ") + (conflict->irreducible ? "true" : "false");
  }
  return out + "}\n";
}

// Why the capacity is not met, for a person.
std::string reason(const PackTable& table, int64_t capacity, const PackResult& result,
                   const PackConflict& conflict) {
  std::string out = "the capacity " + std::to_string(capacity) + " is not met: ";
  if (conflict.buffers.empty() && (result.impossible || result.proven))
    return out + "no placement that honours what the buffers need is within it";
  if (conflict.buffers.empty()) {
    return out + "the lowest placement found is " + std::to_string(result.height) +
           ", and a lower one may exist; --strength=exact searches on";
  }
  const bool together = capacity < result.bound;
  if (conflict.buffers.size() == 1)
    out += "one buffer exceeds it by itself";
  else
    out += std::to_string(conflict.buffers.size()) +
           (together ? " buffers alive together exceed it" : " buffers cannot be placed below it in any way");
  if (conflict.irreducible && conflict.buffers.size() > 1)
    out += ", and without any one of them the rest of these fit";
  out += ":";
  for (size_t k = 0; k < conflict.buffers.size() && k < kMostListed; ++k) {
    const PackBuffer& b = table.buffers[conflict.buffers[k]];
    out += "\n  " + table.ids[conflict.buffers[k]] + ": " + std::to_string(b.size) + " bytes, alive in [" +
           std::to_string(b.lower) + ", " + std::to_string(b.upper) + ")";
  }
  if (conflict.buffers.size() > kMostListed) out += "\n  and more: --format=json lists all";
  return out;
}

// Buffers of the largest group whose lifetimes are connected: such groups are packed by themselves.
size_t largest_component(const std::vector<PackBuffer>& buffers) {
  std::vector<std::pair<int64_t, int64_t>> lives;
  for (const PackBuffer& b : buffers) {
    if (b.lower < b.upper && b.size > 0) lives.emplace_back(b.lower, b.upper);
  }
  std::sort(lives.begin(), lives.end());
  size_t most = 0, count = 0;
  int64_t end = 0;
  for (const auto& [lower, upper] : lives) {
    if (count == 0 || lower >= end) count = 0, end = upper;
    end = std::max(end, upper);
    most = std::max(most, ++count);
  }
  return most;
}

// Lifetimes are half-open, so that such a buffer is allowed, takes nothing, and is hardly meant.
std::string never_alive(const PackTable& table) {
  std::string ids;
  size_t count = 0;
  for (size_t i = 0; i < table.buffers.size(); ++i) {
    if (table.buffers[i].lower < table.buffers[i].upper || ++count > kMostListed) continue;
    ids += (ids.empty() ? "" : ", ") + table.ids[i];
  }
  if (count == 0) return "";
  if (count > kMostListed) ids += " and " + std::to_string(count - kMostListed) + " more";
  return "note: never alive, since lower is upper and upper is the step after the last: " + ids;
}

bool is_json(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

// Two buffers that cannot both lie where they must.
std::string clash_text(const PackTable& table, std::pair<uint32_t, uint32_t> clash) {
  const auto placed = [&](uint32_t i) {
    const PackBuffer& b = table.buffers[i];
    return table.ids[i] + " (" + std::to_string(b.size) + " bytes at " +
           std::to_string(*table.needs[i].offset) + ", alive in [" + std::to_string(b.lower) + ", " +
           std::to_string(b.upper) + "))";
  };
  return "infeasible: the fixed offsets of " + placed(clash.first) + " and " + placed(clash.second) +
         " share bytes while both are alive";
}

bool read_options(const Arguments& arguments, PackOptions& options) {
  options.strength = find_strength(arguments.value("--strength")).value_or(Strength::Limited);
  if (!arguments.has("--capacity")) return true;
  options.capacity = read_bytes(arguments.value("--capacity"));
  return options.capacity.has_value();
}

}  // namespace

int run_pack(const Arguments& arguments) {
  PackOptions options;
  if (!read_options(arguments, options)) {
    return fail(kUsage,
                "--capacity takes bytes, 4096 or 23.5MiB, not `" + arguments.value("--capacity") + "`");
  }
  const std::string& path = arguments.positional()[0];
  const auto text = read_file(path, kMaxTableFile);
  if (!text) return kFailed;
  const std::string shown = path == "-" ? "stdin" : path;
  const bool json = is_json(*text);
  auto table = json ? read_pack_json(*text) : read_pack_csv(*text);
  if (!table) return fail(kFailed, shown + ": " + table.message());
  if (const std::string note = never_alive(*table); !note.empty()) command::say(note);
  if (options.capacity) table->capacity = options.capacity;
  options.capacity = table->capacity;

  end_search_on_interrupt();
  options.progress = SearchProgress();
  const auto begin = std::chrono::steady_clock::now();
  const PackResult result = pack(*table, options);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const bool missed = options.capacity && result.height > *options.capacity;
  const PackConflict conflict =
      missed && table->needs.empty()
          ? find_conflict(table->buffers, *options.capacity, result, options.progress)
          : PackConflict{};

  const std::string to = arguments.value("--output");
  if (result.clash) return fail(kDiffers, clash_text(*table, *result.clash));
  const bool as_problem = json || (to.size() > 5 && to.compare(to.size() - 5, 5, ".json") == 0);
  const std::string placed = to.empty()   ? ""
                             : as_problem ? write_pack_json(*table, result)
                                          : write_pack_csv(*table, result);
  if (!to.empty() && !write_file(to, placed)) return kFailed;
  if (to != "-") {
    const std::string said =
        arguments.json() ? as_json(*table, result, options.capacity, seconds, missed ? &conflict : nullptr)
                         : as_text(result, options.capacity, seconds);
    if (!print(said)) return kFailed;
  }
  const size_t component = largest_component(table->buffers);
  if (options.strength == Strength::Exact && component > kMostPackSearched && result.height > result.bound) {
    std::fprintf(
        stderr,
        "note: %zu buffers whose lifetimes are connected were only searched under a limit; the exact "
        "search takes up to %zu\n",
        component, kMostPackSearched);
  }
  if (result.stopped) return fail(kInterrupted, "interrupted; this is the best placement so far");
  return missed ? fail(kDiffers, reason(*table, *options.capacity, result, conflict)) : kDone;
}

}  // namespace irplan::cli
