#include "report/timeline.h"

#include <algorithm>
#include <iterator>

#include "base/sort.h"
#include "report/columns.h"

namespace irplan::report {
namespace {

constexpr size_t kRows = 14;        // of the map, and more where the peak's buffers need one each,
constexpr size_t kMostRows = 28;    // up to so many
constexpr size_t kMargin = 12;      // columns left of the map, for the addresses
constexpr size_t kWidestStep = 12;  // columns of one step

// A column of the map: a step, or the gap that stands for identical layers.
struct StepColumn {
  uint32_t step = kAbsent;
  const Section* section = nullptr;
  bool first = false;  // of its section
};

std::vector<StepColumn> columns_of(const PhaseReport& phase) {
  std::vector<StepColumn> out;
  for (const Section& s : phase.sections) {
    for (uint32_t i = s.begin; i < s.end; ++i) out.push_back({i, &s, i == s.begin});
    if (s.count > 1) out.push_back({kAbsent, &s, false});
  }
  return out;
}

// Fewer columns than steps: of each run of neighbours the step with the highest live address is kept.
std::vector<StepColumn> thinned(const PhaseReport& phase, std::vector<StepColumn> all, size_t most) {
  if (all.size() <= most) return all;
  const auto top = [&](const StepColumn& c) {
    int64_t high = -1;
    for (const Rectangle& r : phase.arena) {
      if (r.begin <= c.step && c.step < r.end) high = std::max(high, r.offset + r.bytes);
    }
    return high;
  };
  std::vector<StepColumn> out;
  for (size_t i = 0; i < most; ++i) {
    const size_t begin = i * all.size() / most, end = std::max(begin + 1, (i + 1) * all.size() / most);
    StepColumn best = all[begin];
    int64_t high = -2;
    bool first = false;
    for (size_t k = begin; k < end; ++k) {
      first |= all[k].first;
      if (all[k].step == kAbsent || all[k].step == phase.peak_step) {
        best = all[k];
        break;
      }
      const int64_t h = top(all[k]);
      if (h > high) high = h, best = all[k];
    }
    best.first = first && best.step != kAbsent;
    out.push_back(best);
  }
  return out;
}

char at(const PhaseReport& phase, const Letters& letters, uint32_t step, int64_t address) {
  for (const Rectangle& r : phase.arena) {
    if (r.begin <= step && step < r.end && r.offset <= address && address < r.offset + r.bytes) {
      return letters.at(r.buffer);
    }
  }
  return ' ';
}

// Each run of one letter on a background of its own.
std::string painted(const std::string& line) {
  constexpr int kBackgrounds[] = {44, 42, 45, 46, 41, 43, 100, 104};
  std::string out;
  for (size_t i = 0; i < line.size();) {
    const size_t end = std::min(line.find_first_not_of(line[i], i), line.size());
    const bool plain = line[i] == ' ' || line[i] == '.';
    if (!plain)
      out += "\x1b[30;" +
             std::to_string(kBackgrounds[static_cast<size_t>(line[i]) % std::size(kBackgrounds)]) + "m";
    out.append(line, i, end - i);
    if (!plain) out += "\x1b[0m";
    i = end;
  }
  return out;
}

std::string rule(size_t width) {
  std::string out;
  for (size_t i = 0; i < width; ++i) out += "─";
  return out;
}

std::string section_label(const Section& s) {
  if (s.count > 1) return s.scope + " ×" + std::to_string(s.count);
  return s.scope;
}

// The line of section names under the axis.
std::string labels(const std::vector<StepColumn>& columns, size_t step_width) {
  std::string out;
  size_t used = 0;
  for (size_t i = 0; i < columns.size(); ++i) {
    const size_t x = i * step_width;
    if (!columns[i].first || columns[i].section->scope.empty() || x < used) continue;
    const std::string text = section_label(*columns[i].section);
    out += std::string(x - used, ' ') + text + " ";
    used = x + shown_width(text) + 1;
  }
  return out;
}

// A row of the map: the address that it shows, and the one that stands beside it.
struct Row {
  int64_t address = 0;
  std::string label;
};

// Addresses from the top down. Rows stand for equally many bytes, but every buffer at the peak and every gap
// between them has one at least: a thin one is what an engineer looks for.
std::vector<Row> rows_of(const PhaseReport& phase) {
  const int64_t height = std::max<int64_t>(1, phase.phase->peak_bytes);
  std::vector<std::pair<int64_t, int64_t>> parts;  // from the bottom up: begin, end
  std::vector<Rectangle> stack =
      phase.peak_step == kAbsent ? std::vector<Rectangle>() : alive(phase, phase.peak_step);
  sort_range(stack.begin(), stack.end(),
             [](const Rectangle& a, const Rectangle& b) { return a.offset < b.offset; });
  int64_t end = 0;
  for (const Rectangle& r : stack) {
    if (r.bytes == 0) continue;
    if (r.offset - end > height / static_cast<int64_t>(kRows)) parts.emplace_back(end, r.offset);
    parts.emplace_back(r.offset, r.offset + r.bytes);
    end = r.offset + r.bytes;
  }
  if (end < height) parts.emplace_back(end, height);
  const auto smaller = [](const auto& a, const auto& b) { return a.second - a.first < b.second - b.first; };
  while (parts.size() > kMostRows) parts.erase(std::min_element(parts.begin(), parts.end(), smaller));
  std::vector<Row> rows;
  for (const auto& [begin, top] : parts) {
    const double share = static_cast<double>(top - begin) / static_cast<double>(height) * kRows;
    const auto count = std::max<int64_t>(1, static_cast<int64_t>(share + 0.5));
    for (int64_t k = 0; k < count; ++k) {
      const int64_t address =
          begin + static_cast<int64_t>((static_cast<double>(k) + 0.5) / static_cast<double>(count) *
                                       static_cast<double>(top - begin));
      rows.push_back({address, k > 0 ? "" : begin == 0 ? "0" : bytes_text(begin)});
    }
  }
  rows.back().label = bytes_text(height);
  std::reverse(rows.begin(), rows.end());
  return rows;
}

}  // namespace

Letters letters_of(const PhaseReport& phase) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  Letters out;
  size_t next = 0;
  for (const Section& s : phase.sections) {
    for (const Rectangle& r : phase.arena) {
      const bool shown = r.begin < s.end && s.begin < r.end;
      if (shown && !out.contains(r.buffer)) out[r.buffer] = kAlphabet[next++ % kAlphabet.size()];
    }
  }
  return out;
}

std::string terminal_timeline(const Report& report, const PhaseReport& phase, const Letters& letters,
                              size_t width, bool color) {
  const Plan& plan = *report.plan;
  const size_t room = std::max<size_t>(20, width - kMargin - 2);
  const auto columns = thinned(phase, columns_of(phase), room);
  if (columns.empty() || phase.arena.empty()) return "";
  const size_t step_width = std::clamp<size_t>(room / columns.size(), 1, kWidestStep);
  std::string out;
  for (const Row& row : rows_of(phase)) {
    out += right(row.label, kMargin) + " │";
    std::string line;
    for (const StepColumn& c : columns)
      line.append(step_width, c.step == kAbsent ? '.' : at(phase, letters, c.step, row.address));
    line.erase(line.find_last_not_of(' ') + 1);
    out += (color ? painted(line) : line) + "\n";
  }
  out += std::string(kMargin, ' ') + " └" + rule(columns.size() * step_width) + "\n";
  const std::string sections = labels(columns, step_width);
  if (!sections.empty()) out += std::string(kMargin + 2, ' ') + sections + "\n";
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].step != phase.peak_step) continue;
    const std::string text = "peak at " + plan.ops[phase.peak_step].id;
    const size_t x = i * step_width;
    out += std::string(kMargin + 2, ' ');
    if (x > text.size() + 2)
      out += std::string(x - text.size() - 1, ' ') + text + " ▲\n";
    else
      out += std::string(x, ' ') + "▲ " + text + "\n";
    break;
  }
  const bool repeats =
      std::any_of(columns.begin(), columns.end(), [](const StepColumn& c) { return c.step == kAbsent; });
  return out + std::string(kMargin + 2, ' ') +
         "across: steps; up: bytes from the arena's start; a letter: a buffer, named above and below" +
         (repeats ? "; dots: identical layers" : "") + "\n";
}

}  // namespace irplan::report
