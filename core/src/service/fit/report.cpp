// A Fit for people, and as JSON.
#include <algorithm>
#include <cstdlib>

#include "base/text_writer.h"
#include "irplan/fit.h"
#include "passes/measure.h"

namespace irplan {
namespace {

std::string left(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string right(const std::string& text, size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string counted(int64_t n, const std::string& one) {
  return std::to_string(n) + " " + one + (n == 1 ? "" : "s");
}

// "prefill B=1 S=2048 P=6144"
std::string step_text(const FitStep& step) {
  std::string out = step.phase;
  for (const auto& [name, size] : step.dims) out += " " + name + "=" + std::to_string(size);
  return out;
}

const FitStep* largest_step(const Fit& fit) {
  const auto less = [](const FitStep& a, const FitStep& b) { return a.arena < b.arena; };
  const auto found = std::max_element(fit.point.steps.begin(), fit.point.steps.end(), less);
  return found == fit.point.steps.end() ? nullptr : &*found;
}

std::string verdict(const Fit& fit) {
  const std::string sizes =
      counted(fit.point.batch, "sequence") + " of " + counted(fit.point.context, "token");
  const int64_t total = fit.point.bytes.total();
  const std::string beyond =
      fit.beyond_published() ? "; the model is made for " + counted(*fit.published, "token") : "";
  std::string out = fit.config_name + " (" + fit.example + "), " + sizes + ": " + bytes_text(total);
  if (!fit.memory && fit.budgets.empty()) return out + beyond + "\n";
  out += fit.point.fits ? " fits" : " does not fit";
  if (fit.memory) {
    const int64_t room = *fit.memory - total;
    out += " into " + bytes_text(*fit.memory);
    if (room < 0) out += ": " + bytes_text(-room) + " too much";
    if (room >= 0 && fit.point.fits) out += ", " + bytes_text(room) + " left";
  }
  if (fit.broken && (!fit.memory || total <= *fit.memory)) out += ": over the budget " + *fit.broken;
  return out + beyond + "\n";
}

std::string parts(const Fit& fit) {
  const FitBytes& bytes = fit.point.bytes;
  std::string stored;
  for (const auto& [dtype, n] : fit.stored)
    stored += (stored.empty() ? "" : ", ") + (fit.stored.size() > 1 ? bytes_text(n) + " " : "") + dtype;
  std::string state;
  if (fit.state_per_token > 0) state = bytes_text(fit.state_per_token) + " a token";
  if (fit.state_per_sequence > 0)
    state += (state.empty() ? "" : " and ") + bytes_text(fit.state_per_sequence) + " a sequence";
  const FitStep* step = largest_step(fit);
  const auto line = [](const char* name, int64_t n, const std::string& what) {
    return "  " + left(name, 9) + right(bytes_text(n), 11) + right(std::to_string(n), 16) + " B" +
           (what.empty() ? "" : "  " + what) + "\n";
  };
  return line("weights", bytes.weights, stored) + line("state", bytes.state, state) +
         line("inputs", bytes.inputs, "") +
         line("arena", bytes.arena, step ? "of a step " + step_text(*step) : "") +
         line("all", bytes.total(), "");
}

std::string limits(const Fit& fit) {
  if (!fit.memory && fit.budgets.empty()) return "";
  std::string out = "\n  context  ";
  if (fit.most_context == 0) {
    out += "no token with " + counted(fit.point.batch, "sequence");
  } else {
    out += "at most " + counted(fit.most_context, "token") + " with " + counted(fit.point.batch, "sequence");
    const bool as_asked = fit.beyond_published() && fit.most_context == fit.point.context;
    if (as_asked) out += ", as asked";
    if (fit.published && fit.most_context > *fit.published)
      out += "; the config's limit is " + std::to_string(*fit.published);
    if (fit.published && fit.most_context == *fit.published) out += ", the limit of the config";
  }
  out += "\n  batch    ";
  out += fit.most_batch == 0 ? "no sequence" : "at most " + counted(fit.most_batch, "sequence");
  out += " of " + counted(fit.point.context, "token") + "\n";
  if (fit.frontier.size() < 2) return out;
  std::string first = "  with     batch  ", second = "  up to  context  ";
  for (const auto& [batch, context] : fit.frontier) {
    const size_t width = std::max(std::to_string(batch).size(), std::to_string(context).size());
    first += "  " + right(std::to_string(batch), width);
    second += "  " + right(std::to_string(context), width);
  }
  return out + "\n" + first + "\n" + second + "\n";
}

std::string changes(const Fit& fit) {
  if (fit.point.fits || (!fit.memory && fit.budgets.empty())) return "";
  size_t width = 0;
  for (const FitChange& change : fit.changes) width = std::max(width, change.change.size());
  std::string good, bad;
  for (const FitChange& change : fit.changes)
    (change.fits ? good : bad) +=
        "  " + left(change.change, width) + right(bytes_text(change.bytes), 12) + "  " + change.what + "\n";
  if (good.empty())
    return "\nno single change makes it fit; what lowers it\n" + (bad.empty() ? "  nothing\n" : bad);
  return "\nwhat would make it fit, least loss first\n" + good;
}

std::string list(const char* title, const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += "\n" + left(out.empty() ? title : "", 9) + line;
  return out.empty() ? "" : out + "\n";
}

// ---- JSON

class JsonWriter {
 public:
  void key(const char* name) { comma(), out_.quote(name), out_ += ": ", fresh_ = true; }
  void text(std::string_view value) { comma(), out_.quote(value); }
  void number(int64_t value) { comma(), out_ += std::to_string(value); }
  void flag(bool value) { comma(), out_ += value ? "true" : "false"; }
  void null() { comma(), out_ += "null"; }
  void open(char bracket) { comma(), out_ += bracket, fresh_ = true; }
  void close(char bracket) { out_ += bracket, fresh_ = false; }
  template <class Write>
  void record(Write write) {
    open('{'), write(), close('}');
  }
  template <class Items, class Write>
  void array(const Items& items, Write write) {
    open('[');
    for (const auto& item : items) write(item);
    close(']');
  }
  void entry(const char* name, int64_t value) { key(name), number(value); }
  void entry(const char* name, std::string_view value) { key(name), text(value); }
  void entry(const char* name, const std::optional<int64_t>& value) {
    key(name);
    value ? number(*value) : null();
  }
  std::string take() { return (out_ += '\n', out_.take()); }

 private:
  void comma() {
    if (!fresh_) out_ += ", ";
    fresh_ = false;
  }
  TextWriter out_{4096};
  bool fresh_ = true;
};

void write_point(JsonWriter& json, const FitPoint& point) {
  json.entry("context", point.context);
  json.entry("batch", point.batch);
  json.key("bytes");
  json.record([&] {
    json.entry("weights", point.bytes.weights);
    json.entry("state", point.bytes.state);
    json.entry("inputs", point.bytes.inputs);
    json.entry("arena", point.bytes.arena);
    json.entry("total", point.bytes.total());
  });
  json.key("steps");
  json.array(point.steps, [&](const FitStep& step) {
    json.record([&] {
      json.entry("phase", std::string_view(step.phase));
      json.key("dims");
      json.record([&] {
        for (const auto& [name, size] : step.dims) json.entry(name.c_str(), size);
      });
      json.entry("arena", step.arena);
    });
  });
}

}  // namespace

std::string fit_text(const Fit& fit) {
  return verdict(fit) + "\n" + parts(fit) + limits(fit) + changes(fit) + list("assumed", fit.assumptions) +
         list("note", fit.notes) + list("next", fit.broken ? std::vector<std::string>() : fit.commands);
}

std::string fit_json(const Fit& fit) {
  JsonWriter json;
  const bool limited = fit.memory || !fit.budgets.empty();
  const auto of_limit = [&](int64_t n) { return limited ? std::optional(n) : std::nullopt; };
  json.record([&] {
    json.entry("config", std::string_view(fit.config_name));
    json.entry("example", std::string_view(fit.example));
    json.key("fits");
    limited ? json.flag(fit.point.fits) : json.null();
    json.entry("memory", fit.memory);
    json.key("broken");
    fit.broken ? json.text(*fit.broken) : json.null();
    write_point(json, fit.point);
    json.key("weights_by_dtype");
    json.record([&] {
      for (const auto& [dtype, bytes] : fit.stored) json.entry(dtype.c_str(), bytes);
    });
    json.entry("state_bytes_per_token", fit.state_per_token);
    json.entry("state_bytes_per_sequence", fit.state_per_sequence);
    json.entry("published_context", fit.published);
    json.key("beyond_published_context");
    json.flag(fit.beyond_published());
    json.entry("max_context", of_limit(fit.most_context));
    json.entry("max_batch", of_limit(fit.most_batch));
    json.key("frontier");
    json.array(fit.frontier, [&](const auto& point) {
      json.record([&] { json.entry("batch", point.first), json.entry("context", point.second); });
    });
    json.key("changes");
    json.array(fit.changes, [&](const FitChange& change) {
      json.record([&] {
        json.entry("change", std::string_view(change.change));
        json.entry("what", std::string_view(change.what));
        json.entry("bytes", change.bytes);
        json.key("fits");
        json.flag(change.fits);
      });
    });
    for (const auto& [name, lines] : {std::pair("assumptions", &fit.assumptions),
                                      std::pair("notes", &fit.notes), std::pair("commands", &fit.commands)}) {
      json.key(name);
      json.array(*lines, [&](const std::string& line) { json.text(line); });
    }
  });
  return json.take();
}

// ---- sizes as people write them

namespace {

// The digits of a number with a fraction, as an integer and a power of ten; false where it is none.
bool take_number(std::string_view& text, unsigned __int128* n, int* scale) {
  size_t i = 0, digits = 0;
  *n = 0, *scale = 0;
  for (bool fraction = false; i < text.size(); ++i) {
    if (text[i] == '.' && !fraction && i > 0) {
      fraction = true;
      continue;
    }
    if (text[i] == '_' && i > 0) continue;
    if (text[i] < '0' || text[i] > '9') break;
    if (++digits > 18) return false;
    *n = *n * 10 + static_cast<unsigned>(text[i] - '0');
    *scale += fraction ? 1 : 0;
  }
  text.remove_prefix(i);
  while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  return digits > 0;
}

std::optional<int64_t> scaled(unsigned __int128 n, int scale, int64_t unit) {
  n *= static_cast<unsigned __int128>(unit);
  for (; scale > 0; --scale) n /= 10;
  if (n > static_cast<unsigned __int128>(INT64_MAX)) return std::nullopt;
  return static_cast<int64_t>(n);
}

}  // namespace

std::optional<int64_t> read_bytes(std::string_view text) {
  struct Unit {
    std::string_view name;
    int64_t bytes;
  };
  constexpr Unit kUnits[] = {{"", 1},
                             {"B", 1},
                             {"KB", 1000},
                             {"KiB", 1 << 10},
                             {"MB", 1000000},
                             {"MiB", 1 << 20},
                             {"GB", 1000000000},
                             {"GiB", 1 << 30},
                             {"TB", 1000000000000},
                             {"TiB", int64_t{1} << 40}};
  unsigned __int128 n = 0;
  int scale = 0;
  if (!take_number(text, &n, &scale)) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (text == unit.name) return scaled(n, scale, unit.bytes);
  }
  return std::nullopt;
}

std::optional<int64_t> read_tokens(std::string_view text) {
  unsigned __int128 n = 0;
  int scale = 0;
  if (!take_number(text, &n, &scale) || scale > 0) return std::nullopt;
  if (text.empty()) return scaled(n, 0, 1);
  if (text == "K" || text == "k") return scaled(n, 0, 1024);
  if (text == "M") return scaled(n, 0, 1024 * 1024);
  return std::nullopt;
}

}  // namespace irplan
