// The timeline as SVG: one rectangle a buffer, coloured by what wrote it; no script, no font, legible on
// light and dark pages.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>

#include "cli/timeline.h"

namespace irplan::cli {
namespace {

constexpr double kWidth = 960, kHeight = 380;  // of the whole picture
constexpr double kLeft = 86, kRight = 16, kTop = 46, kBottom = 46;
constexpr double kCharWidth = 6.2;  // of the 11 px labels, roughly

// Colours that differ in lightness as well as in hue (Okabe and Ito's set, for readers who see few colours).
constexpr const char* kColors[] = {"#56b4e9", "#e69f00", "#009e73", "#cc79a7",
                                   "#f0e442", "#0072b2", "#d55e00", "#999999"};

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

std::string text_at(double x, double y, const char* anchor, const std::string& words) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" +
         escaped(words) + "</text>\n";
}

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
  const size_t scope = op.scope.find('/');
  const std::string layer = scope == std::string::npos ? "" : op.scope.substr(0, scope + 1);
  const size_t at = layer.empty() ? std::string::npos : id.find(layer);
  if (at != std::string::npos) return id.substr(at + layer.size());
  return id.rfind(op.phase + "/", 0) == 0 ? id.substr(op.phase.size() + 1) : id;
}

// The same colour for the same buffer of every layer, another for its neighbours.
class Colors {
 public:
  const char* of(const std::string& id) {
    const auto [at, fresh] = given_.try_emplace(id, given_.size());
    return kColors[at->second % std::size(kColors)];
  }

 private:
  std::map<std::string, size_t> given_;
};

std::string box(const Plan& plan, const Rectangle& r, Colors& colors, double x0, double x1, double y0,
                double y1) {
  const Plan::Op& op = plan.ops[r.begin];
  const Plan::Buffer& buffer = plan.buffers[r.buffer];
  const std::string id = short_id(plan, r);
  std::string out = "<g><title>" + escaped(buffer.id) + ": " + bytes_text(r.bytes) + " = " +
                    escaped(buffer.bytes.text()) + ", " + op.row->name + ", line " + std::to_string(op.line) +
                    "</title><rect x=\"" + number(x0) + "\" y=\"" + number(y1) + "\" width=\"" +
                    number(std::max(0.5, x1 - x0)) + "\" height=\"" + number(std::max(0.5, y0 - y1)) +
                    "\" fill=\"" + colors.of(id) + "\" stroke=\"#fff\" stroke-width=\"0.6\"/></g>\n";
  const auto room = static_cast<size_t>(std::max(0.0, (x1 - x0 - 6) / kCharWidth));
  const std::string full = std::string(op.row->name) + " " + id;
  const std::string label = room >= full.size()                             ? full
                            : room >= std::string_view(op.row->name).size() ? op.row->name
                                                                            : "";
  if (y0 - y1 >= 14 && !label.empty()) {
    out += "<text class=\"in\" x=\"" + number(x0 + 4) + "\" y=\"" + number((y0 + y1) / 2 + 4) + "\">" +
           escaped(label) + "</text>\n";
  }
  return out;
}

}  // namespace

std::string svg_timeline(const Report& report, const PhaseReport& phase) {
  const Plan& plan = *report.plan;
  const Axis axis(phase);
  const auto height = static_cast<double>(std::max<int64_t>(1, phase.phase->peak_bytes));
  const auto y = [&](int64_t address) {
    return kHeight - kBottom - (kHeight - kTop - kBottom) * static_cast<double>(address) / height;
  };
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kWidth) + " " +
                    number(kHeight) +
                    "\" role=\"img\" font-family=\"ui-sans-serif, system-ui, sans-serif\" font-size=\"11\">\n"
                    "<style>text{fill:#24292f}.in{fill:#000}@media(prefers-color-scheme:dark){text{fill:#"
                    "d0d7de}.in{fill:#000}}</style>\n";
  std::string title =
      plan.source_file + ", phase " + phase.phase->name + ": peak " + bytes_text(phase.phase->peak_bytes);
  for (size_t i = 0; i < plan.dims.size() && i < phase.binding.size(); ++i) {
    title += std::string(i ? ", " : " at ") + plan.dims[i].name + " = " + std::to_string(phase.binding[i]);
  }
  out += "<title>" + escaped(title) + "</title>\n" + text_at(kLeft, 20, "start", title);
  for (int tick = 0; tick <= 4; ++tick) {
    const int64_t address = phase.phase->peak_bytes / 4 * tick;
    out += "<line x1=\"" + number(kLeft) + "\" x2=\"" + number(kWidth - kRight) + "\" y1=\"" +
           number(y(address)) + "\" y2=\"" + number(y(address)) + "\" stroke=\"#8884\"/>\n" +
           text_at(kLeft - 6, y(address) + 4, "end", tick ? bytes_text(address) : "0");
  }
  Colors colors;
  double labelled = 0;
  for (size_t i = 0; i < phase.sections.size(); ++i) {
    const Section& s = phase.sections[i];
    for (const Rectangle& r : phase.arena) {
      double x0 = 0, x1 = 0;
      if (axis.part(i, r.begin, r.end, &x0, &x1))
        out += box(plan, r, colors, x0, x1, y(r.offset), y(r.offset + r.bytes));
    }
    const double x = axis.start(i);
    if (s.count > 1 || i > 0) {
      out += "<line x1=\"" + number(x) + "\" x2=\"" + number(x) + "\" y1=\"" + number(kTop - 6) + "\" y2=\"" +
             number(kHeight - kBottom + 6) + "\" stroke=\"#888\" stroke-dasharray=\"2 3\"/>\n";
    }
    constexpr uint32_t kFewSteps = 3;  // too narrow for a name
    if (s.scope.empty() || x < labelled || s.end - s.begin < kFewSteps) continue;
    const std::string label = s.scope + (s.count > 1 ? " ×" + std::to_string(s.count) : "");
    out += text_at(x + 3, kTop - 10, "start", label);
    labelled = x + 10 + kCharWidth * static_cast<double>(label.size());
  }
  out += text_at((kLeft + kWidth - kRight) / 2, kHeight - 14, "middle",
                 "steps in execution order; height is the address in the arena" +
                     std::string(phase.sections.size() > 1 ? "; identical layers drawn once" : ""));
  return out + "</svg>\n";
}

}  // namespace irplan::cli
