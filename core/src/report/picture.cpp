#include "report/picture.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <map>
#include <string_view>

#include "base/sort.h"

// The timeline as SVG: one rectangle a buffer, in light tints with dark outlines, so that a grey print on
// paper reads as well as a screen; no script, no font, a ground of its own, light or dark as the reader's
// screen.
//
//   bytes ^ - - - - - - - - - - - -  lower bound, and what a budget leaves
//         |        +---+
//         |  +-----+ up|--------+
//         |  | h   :add  :add   |    a dotted line: an op writes over the buffer, in place
//         +--+------------------+--> steps

namespace irplan::report {
namespace {

constexpr double kWidth = 960, kHeight = 448;  // of the whole picture
constexpr double kLeft = 86, kRight = 20, kTop = 74, kBottom = 80;
constexpr double kCharWidth = 6.3;       // of the 11 px labels, roughly
constexpr double kLabel = 14;            // px that a line of them takes
constexpr double kRoomAbovePeak = 1.25;  // a budget that leaves more than so many peaks is beyond the scale
constexpr double kFewestSteps = 3;       // of a section that gets a name
constexpr double kBeyond = 50;           // y of what is told of budgets beyond the scale

// Tints that black letters stand on, apart in lightness as well as in hue; every other one is hatched as
// well, so that neighbours differ in a grey print.
constexpr const char* kColors[] = {"#9ecae9", "#fdd49e", "#a1d9b4", "#e7c6e0",
                                   "#fff3b0", "#c6dbef", "#f4a98a", "#e3e3e3"};

constexpr const char* kHatches[] = {"", "M0 6L6 0", "", "M0 0L6 6", "", "M3 0V6", "", "M0 3H6"};

// What a buffer is filled with: the tint, and its hatching.
std::string fills() {
  std::string out = "<defs>";
  for (size_t i = 0; i < std::size(kColors); ++i) {
    out += "<pattern id=\"fill" + std::to_string(i) +
           "\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><path d=\"M0 0H6V6H0z\" fill=\"" +
           kColors[i] + "\"/>";
    if (*kHatches[i])
      out += std::string("<path d=\"") + kHatches[i] +
             "\" stroke=\"#000\" stroke-opacity=\".22\" stroke-width=\".8\"/>";
    out += "</pattern>";
  }
  return out + "</defs>\n";
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string number(double n) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", n);
  return text;
}

std::string text_at(double x, double y, const char* anchor, const std::string& words, const char* kind = "") {
  return "<text" + (*kind ? " class=\"" + std::string(kind) + "\"" : std::string()) + " x=\"" + number(x) +
         "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" + escaped(words) + "</text>\n";
}

std::string line(double x0, double y0, double x1, double y1, const char* kind) {
  return "<line class=\"" + std::string(kind) + "\" x1=\"" + number(x0) + "\" y1=\"" + number(y0) +
         "\" x2=\"" + number(x1) + "\" y2=\"" + number(y1) + "\"/>\n";
}

double width_of(std::string_view text) { return kCharWidth * static_cast<double>(text.size()); }

// Steps as they are drawn: identical layers once.
class Axis {
 public:
  explicit Axis(const PhaseReport& phase) {
    for (const Section& s : phase.sections) {
      spans_.push_back({s.begin, s.end, drawn_});
      drawn_ += s.end - s.begin;
    }
  }
  // Where the part of [begin, end) in section `i` lies on the axis; false where there is none.
  bool part(size_t i, uint32_t begin, uint32_t end, double* x0, double* x1) const {
    const Span& s = spans_[i];
    const uint32_t from = std::max(begin, s.begin), to = std::min(end, s.end);
    if (from >= to) return false;
    *x0 = scale(s.at + (from - s.begin));
    *x1 = scale(s.at + (to - s.begin));
    return true;
  }
  double scale(uint32_t column) const {
    return kLeft + (kWidth - kLeft - kRight) * column / std::max<uint32_t>(1, drawn_);
  }
  double start(size_t i) const { return scale(spans_[i].at); }
  double end(size_t i) const { return scale(spans_[i].at + spans_[i].end - spans_[i].begin); }

 private:
  struct Span {
    uint32_t begin, end, at;
  };
  std::vector<Span> spans_;
  uint32_t drawn_ = 0;
};

// "prefill/i.3/q.1/1" -> "q.1/1": what a buffer is called in every layer.
std::string short_id(const Plan& plan, const Rectangle& r) {
  const Plan::Op& op = plan.ops[r.begin];
  const std::string& id = plan.buffers[r.buffer].id;
  const std::string layer = op.scope.empty() ? "" : op.scope.substr(0, op.scope.find('/')) + "/";
  const size_t at = layer.empty() ? std::string::npos : id.find(layer);
  if (at != std::string::npos) return id.substr(at + layer.size());
  return id.rfind(op.phase + "/", 0) == 0 ? id.substr(op.phase.size() + 1) : id;
}

// The same colour for the same buffer of every layer, another for its neighbours.
class Colors {
 public:
  std::string of(const std::string& id) {
    const auto [at, fresh] = given_.try_emplace(id, given_.size());
    return "url(#fill" + std::to_string(at->second % std::size(kColors)) + ")";
  }

 private:
  std::map<std::string, size_t> given_;
};

// What a budget leaves for the arena at the plan's sizes; none where it does not limit it.
struct Room {
  std::string budget;
  int64_t bytes = 0;
};

std::vector<Room> rooms(const Plan& plan, const std::string& phase) {
  const Plan::Segments& s = plan.memory.segments;
  std::vector<Room> out;
  for (const Plan::Budget& b : plan.budget) {
    if (!b.limit_bytes || b.counts.arena == 0 || (!b.phase.empty() && b.phase != phase)) continue;
    const int64_t others =
        b.counts.weights * s.weights + b.counts.state * s.state + b.counts.inputs * s.inputs;
    out.push_back({b.expr, (*b.limit_bytes - others) / b.counts.arena});
  }
  return out;
}

class Picture {
 public:
  Picture(const Report& report, const PhaseReport& phase)
      : plan_(*report.plan), phase_(phase), axis_(phase), rooms_(rooms(plan_, phase.phase->name)) {
    peak_ = std::max<int64_t>(1, phase.phase->peak_bytes);
    top_ = peak_;
    const auto most = static_cast<int64_t>(static_cast<double>(peak_) * kRoomAbovePeak);
    for (const Room& room : rooms_) {
      if (room.bytes <= most) top_ = std::max(top_, room.bytes);
    }
    writers();
  }

  std::string draw() {
    head();
    ticks();
    for (size_t i = 0; i < phase_.sections.size(); ++i) section(i);
    limits();
    key();
    foot();
    return out_ + "</svg>\n";
  }

 private:
  double y(int64_t address) const {
    return kHeight - kBottom -
           (kHeight - kTop - kBottom) * static_cast<double>(address) / static_cast<double>(top_);
  }

  // The ops that write into a buffer after the first one: over what they read, or beside it.
  void writers() {
    for (uint32_t i = phase_.phase->ops_begin; i < phase_.phase->ops_end; ++i) {
      for (const uint32_t v : plan_.ops[i].out) {
        const Plan::Value& value = plan_.values[v];
        if (value.of.empty() && value.buffer < plan_.buffers.size()) writers_[value.buffer].push_back(i);
      }
    }
  }

  void head() {
    out_ =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) + " " + number(kHeight) +
        "\" role=\"img\" font-family=\"ui-sans-serif, system-ui, sans-serif\" font-size=\"11\">\n"
        "<style>text{fill:#24292f}.in{fill:#000}.title{font-size:13px;font-weight:600}.small{font-size:10px}"
        ".grid{stroke:#888;stroke-opacity:.3}.axis{stroke:#555}.cut{stroke:#777;stroke-dasharray:2 3}"
        ".write{stroke:#111;stroke-dasharray:1.5 2}.bound{stroke:#c00000;stroke-width:1.5;stroke-dasharray:7 "
        "3}"
        ".room{stroke:#0050b0;stroke-width:1.5;stroke-dasharray:2 2}.page{fill:#fff}"
        ".mark{font-size:10px;stroke:#fff;stroke-width:3px;paint-order:stroke}"
        "@media screen and "
        "(prefers-color-scheme:dark){.mark{stroke:#0d1117}text{fill:#d0d7de}.in{fill:#000}.axis{stroke:#aaa}."
        "page{fill:#"
        "0d1117}"
        ".bound{stroke:#ff7b72}.room{stroke:#79c0ff}}</style>\n"
        "<path class=\"page\" d=\"M0 0H" +
        number(kWidth) + "V" + number(kHeight) + "H0z\"/>\n" + fills();
    std::string title = plan_.source_file + ", phase " + phase_.phase->name;
    for (size_t i = 0; i < plan_.dims.size() && i < phase_.binding.size(); ++i)
      title +=
          std::string(i ? ", " : " at ") + plan_.dims[i].name + " = " + std::to_string(phase_.binding[i]);
    out_ += "<title>" + escaped(title) + "</title>\n" + text_at(kLeft, 18, "start", title, "title");
    std::string numbers =
        "arena " + bytes_text(phase_.phase->peak_bytes) + "; lower bound " + bytes_text(phase_.bound_bytes);
    numbers +=
        phase_.phase->peak_bytes <= std::max(phase_.bound_bytes, phase_.live_bytes) ? ", met" : ", not met";
    for (const Room& room : rooms_)
      numbers += "; " + room.budget + " leaves " + bytes_text(std::max<int64_t>(0, room.bytes));
    out_ += text_at(kLeft, 35, "start", numbers);
  }

  // Round addresses, and the peak.
  void ticks() {
    int64_t step = 1;
    while (top_ / step > 6) step *= 2;
    for (int64_t address = 0; address <= top_; address += step) {
      out_ += line(kLeft, y(address), kWidth - kRight, y(address), address ? "grid" : "axis");
      if (address == 0 || y(address) - y(peak_) >= kLabel || y(peak_) - y(address) >= kLabel)
        out_ += text_at(kLeft - 6, y(address) + 4, "end", address ? bytes_text(address) : "0");
    }
    out_ += text_at(kLeft - 6, y(peak_) + 4, "end", bytes_text(peak_)) +
            line(kLeft, kTop, kLeft, kHeight - kBottom, "axis");
  }

  void section(size_t i) {
    const Section& s = phase_.sections[i];
    for (const Rectangle& r : phase_.arena) {
      double x0 = 0, x1 = 0;
      if (axis_.part(i, r.begin, r.end, &x0, &x1)) box(i, r, x0, x1);
    }
    const double x = axis_.start(i);
    if (s.count > 1 || i > 0) out_ += line(x, kTop - 6, x, kHeight - kBottom + 4, "cut");
    if (x >= numbered_) {
      const std::string step = std::to_string(s.begin);
      out_ += text_at(x, kHeight - kBottom + 14, "middle", step, "small");
      numbered_ = x + width_of(step) + 8;
    }
    const double end = axis_.end(i);
    if (i + 1 == phase_.sections.size() && end - x > kLeft / 2)
      out_ += text_at(end, kHeight - kBottom + 14, "end", std::to_string(s.end), "small");
    if (s.scope.empty() || x < labelled_ || s.end - s.begin < kFewestSteps) return;
    const std::string label = s.scope + (s.count > 1 ? " ×" + std::to_string(s.count) : "");
    out_ += text_at(x + 3, kTop - 10, "start", label);
    labelled_ = x + 10 + width_of(label);
  }

  void box(size_t section, const Rectangle& r, double x0, double x1) {
    const Plan::Op& op = plan_.ops[r.begin];
    const Plan::Buffer& buffer = plan_.buffers[r.buffer];
    const std::string id = short_id(plan_, r);
    const double bottom = y(r.offset), ceiling = y(r.offset + r.bytes);
    std::string told = buffer.id + ": " + bytes_text(r.bytes) + " = " + buffer.bytes.text() + ", at " +
                       bytes_text(r.offset) + "; " + op.row->name + ", line " + std::to_string(op.line);
    // In this section: where its part begins, and each later op that writes into it.
    std::vector<std::pair<double, std::string>> parts{{x0, op.row->name}};
    for (const uint32_t step : writers_[r.buffer]) {
      double at = 0, end = 0;
      if (step <= r.begin || step >= r.end) continue;
      const Plan::Op& later = plan_.ops[step];
      if (step < phase_.sections[section].begin) parts[0].second = later.row->name;  // what it holds here
      if (!axis_.part(section, step, step + 1, &at, &end)) continue;
      told += std::string("; in place: ") + later.row->name + ", line " + std::to_string(later.line);
      if (at <= parts.back().first)
        parts.back().second = later.row->name;
      else
        parts.emplace_back(at, later.row->name);
    }
    out_ += "<g><title>" + escaped(told) + "</title><rect x=\"" + number(x0) + "\" y=\"" + number(ceiling) +
            "\" width=\"" + number(std::max(0.5, x1 - x0)) + "\" height=\"" +
            number(std::max(0.5, bottom - ceiling)) + "\" fill=\"" + colors_.of(id) +
            "\" stroke=\"#333\" stroke-width=\"0.7\"/></g>\n";
    for (size_t i = 0; i < parts.size(); ++i) {
      const double begin = parts[i].first, end = i + 1 < parts.size() ? parts[i + 1].first : x1;
      if (i > 0) out_ += line(begin, bottom, begin, ceiling, "write");
      label(i == 0 ? id : "", parts[i].second, begin, end, bottom, ceiling);
    }
  }

  // The op's name and the buffer's: along the step, else upright, as much as there is room for.
  void label(const std::string& id, const std::string& op, double x0, double x1, double bottom,
             double ceiling) {
    const std::string full = id.empty() ? op : op + " " + id;
    const auto fitting = [&](double room) {
      return width_of(full) <= room ? full : width_of(op) <= room ? op : "";
    };
    const std::string flat = bottom - ceiling >= kLabel ? fitting(x1 - x0 - 6) : "";
    if (!flat.empty()) {
      out_ += text_at(x0 + 4, (bottom + ceiling) / 2 + 4, "start", flat, "in");
      return;
    }
    const std::string upright = x1 - x0 >= kLabel ? fitting(bottom - ceiling - 6) : "";
    if (upright.empty()) return;
    const double x = (x0 + x1) / 2 + 4, from = bottom - 4;
    out_ += "<text class=\"in\" transform=\"rotate(-90 " + number(x) + " " + number(from) + ")\" x=\"" +
            number(x) + "\" y=\"" + number(from) + "\">" + escaped(upright) + "</text>\n";
  }

  // Lines over everything, named at their right end; what is beyond the scale is told above it.
  void limits() {
    std::vector<Limit> lines{{y(phase_.bound_bytes), "lower bound", "bound"}};
    std::string beyond;
    for (const Room& room : rooms_) {
      if (room.bytes >= 0 && room.bytes <= top_)
        lines.push_back({y(room.bytes), room.budget, "room"});
      else
        beyond += (beyond.empty() ? "" : ", ") + (room.bytes < 0
                                                      ? "no room: " + room.budget
                                                      : "↑ " + room.budget + " at " + bytes_text(room.bytes));
    }
    for (const Limit& l : lines) out_ += line(kLeft, l.height, kWidth - kRight, l.height, l.kind);
    for (const Limit& l : lines) name(l, lines);
    if (!beyond.empty()) out_ += text_at(kWidth - kRight, kBeyond, "end", beyond, "mark");
  }

  struct Limit {
    double height;  // y
    std::string name;
    const char* kind;
  };

  // Above its line, or below where another line is close above; left of names that are already there.
  void name(const Limit& limit, const std::vector<Limit>& lines) {
    const bool below = std::any_of(lines.begin(), lines.end(), [&](const Limit& l) {
      return l.height < limit.height && limit.height - l.height < kLabel;
    });
    const double at = limit.height + (below ? 11 : -4);
    double end = kWidth - kRight;
    for (const auto& [height, begin] : named_) {
      if (std::abs(height - at) < kLabel) end = std::min(end, begin - 12);
    }
    named_.emplace_back(at, end - width_of(limit.name));
    out_ += text_at(end, at, "end", limit.name, "mark");
  }

  // What the fills stand for: the buffers at the peak, the largest first, as many as a line takes.
  void key() {
    if (phase_.peak_step == kAbsent) return;
    constexpr double kSwatch = 10;
    std::vector<Rectangle> stack = alive(phase_, phase_.peak_step);
    sort_range(stack.begin(), stack.end(),
               [](const Rectangle& a, const Rectangle& b) { return a.bytes > b.bytes; });
    double x = kLeft;
    const double base = kHeight - 27;
    out_ += text_at(x, base, "start", "at the peak:");
    x += width_of("at the peak:") + 8;
    for (const Rectangle& r : stack) {
      const std::string id = short_id(plan_, r), words = id + " " + bytes_text(r.bytes);
      if (x + kSwatch + 4 + width_of(words) > kWidth - kRight) break;
      out_ += "<rect x=\"" + number(x) + "\" y=\"" + number(base - 9) + "\" width=\"" + number(kSwatch) +
              "\" height=\"" + number(kSwatch) + "\" fill=\"" + colors_.of(id) +
              "\" stroke=\"#333\" stroke-width=\"0.7\"/>\n" + text_at(x + kSwatch + 4, base, "start", words);
      x += kSwatch + 4 + width_of(words) + 12;
    }
  }

  void foot() {
    double at = 0, x1 = 0;
    for (size_t i = 0; i < phase_.sections.size() && phase_.peak_step != kAbsent; ++i) {
      if (!axis_.part(i, phase_.peak_step, phase_.peak_step + 1, &at, &x1)) continue;
      const std::string words =
          "▲ peak at step " + std::to_string(phase_.peak_step) + ": " + plan_.ops[phase_.peak_step].id;
      const bool late = at + width_of(words) > kWidth - kRight;
      out_ += text_at((at + x1) / 2 + (late ? 5 : -5), kHeight - kBottom + 28, late ? "end" : "start",
                      late ? words.substr(std::string_view("▲ ").size()) + " ▲" : words);
      break;
    }
    out_ += text_at(kLeft, kHeight - 10, "start",
                    "across: steps in execution order" +
                        std::string(phase_.sections.size() > 1 ? ", identical layers once" : "") +
                        "; up: bytes from the arena's start; dotted: an op writes over the buffer, in place");
  }

  const Plan& plan_;
  const PhaseReport& phase_;
  Axis axis_;
  std::vector<Room> rooms_;
  int64_t peak_ = 1, top_ = 1;
  std::map<uint32_t, std::vector<uint32_t>> writers_;  // ops by buffer
  Colors colors_;
  std::vector<std::pair<double, double>> named_;  // names of lines: their height, and where they begin
  double labelled_ = 0, numbered_ = 0;            // where the last name above and number below end
  std::string out_;
};

}  // namespace

std::string svg_timeline(const Report& report, const PhaseReport& phase) {
  return Picture(report, phase).draw();
}

}  // namespace irplan::report
