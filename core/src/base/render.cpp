#include <algorithm>
#include <string>
#include <vector>

#include "base/printable.h"
#include "irplan/diagnostic.h"

namespace irplan {
namespace {

constexpr uint32_t kExcerptColumns = 120;  // of a source line; longer lines are cut around what is marked
constexpr uint32_t kTabColumns = 4;

struct Palette {
  const char* error = "";
  const char* warning = "";
  const char* gutter = "";
  const char* bold = "";
  const char* end = "";
};

Palette palette(bool color) {
  if (!color) return {};
  return {"\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"};
}

// A source line as it is shown: tabs expanded, cut around the marked bytes, with the columns of any byte of
// it.
class Excerpt {
 public:
  Excerpt(std::string_view line, uint32_t keep_from) {
    // Bytes before the shown part; one column takes at most 4 bytes, so that a line of megabytes costs
    // nothing.
    size_t begin = keep_from > kExcerptColumns / 2 ? keep_from - kExcerptColumns / 2 : 0;
    if (line.size() <= kExcerptColumns) begin = 0;
    while (begin > 0 && begin < line.size() && (static_cast<unsigned char>(line[begin]) & 0xC0) == 0x80)
      --begin;
    first_ = begin;
    if (begin > 0) add("…");
    size_t i = begin;
    while (i < line.size() && columns_ < kExcerptColumns) {
      const size_t length = std::max<size_t>(1, printable_length(line, i));
      for (size_t k = 0; k < length; ++k) column_of_.push_back(columns_);
      if (line[i] == '\t') {
        const uint32_t spaces = kTabColumns - columns_ % kTabColumns;
        text_.append(spaces, ' ');
        columns_ += spaces;
      } else {
        add(printable(line.substr(i, length)));
      }
      i += length;
    }
    column_of_.push_back(columns_);
    if (i < line.size()) text_ += "…";
  }

  const std::string& text() const { return text_; }
  // Column, from 0, of a byte of the line; of one that is not shown, the end on its side.
  uint32_t column(size_t byte) const {
    if (byte < first_) return 0;
    return column_of_[std::min(byte - first_, column_of_.size() - 1)];
  }

 private:
  void add(std::string_view shown) {
    text_ += shown;
    ++columns_;
  }

  size_t first_ = 0;
  std::string text_;
  uint32_t columns_ = 0;
  std::vector<uint32_t> column_of_;
};

struct Mark {
  const SourceText* source;
  Span span;
  const std::string* label;
  bool primary;
  uint32_t line;
};

class Renderer {
 public:
  Renderer(const Diagnostic& diagnostic, const SourceText& source, bool color)
      : diagnostic_(diagnostic),
        program_(source),
        source_(diagnostic.elsewhere ? *diagnostic.elsewhere : source),
        palette_(palette(color)) {}

  std::string text() {
    collect();
    head();
    if (placed()) {
      gutter();
      out_ += '\n';
      marks();
    }
    notes();
    return std::move(out_);
  }

 private:
  // A remark about the command line, or about the text as a whole, has no line to show.
  bool placed() const {
    return diagnostic_.span.end > 0 || !diagnostic_.label.empty() || !diagnostic_.labels.empty();
  }

  void collect() {
    const auto add = [&](const SourceText& source, Span span, const std::string& label, bool primary) {
      marks_.push_back({&source, span, &label, primary, source.locate(span.begin).line});
    };
    add(source_, diagnostic_.span, diagnostic_.label, true);
    for (const Label& l : diagnostic_.labels)
      add(l.in_program ? program_ : source_, l.span, l.message, false);
    uint32_t last = 1;
    if (placed()) {
      for (const Mark& m : marks_) last = std::max(last, m.line);
    }
    width_ = std::to_string(last).size();
  }

  void head() {
    const bool error = diagnostic_.severity == Severity::Error;
    out_ += error ? palette_.error : palette_.warning;
    out_ += error ? "error[" : "warning[";
    out_ += std::string(info(diagnostic_.code).name) + "]" + palette_.end + palette_.bold + ": " +
            printable(diagnostic_.message) + palette_.end + "\n";
    place("-->", source_, placed() ? &diagnostic_.span : nullptr);
  }

  void place(const char* arrow, const SourceText& source, const Span* span) {
    out_ +=
        std::string(width_, ' ') + palette_.gutter + arrow + palette_.end + " " + printable(source.name());
    if (span) {
      const LineColumn at = source.locate(span->begin);
      out_ += ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
    }
    out_ += '\n';
  }

  void gutter(const std::string& number = "", char bar = '|') {
    out_ += palette_.gutter + std::string(width_ - number.size(), ' ') + number + " " + bar + palette_.end;
  }

  // Each line once, at its first mark; under it a row for each of its marks. Where the text changes, its
  // name.
  void marks() {
    std::vector<bool> shown(marks_.size());
    const SourceText* source = &source_;
    for (size_t i = 0; i < marks_.size(); ++i) {
      if (shown[i]) continue;
      if (marks_[i].source != source) {
        source = marks_[i].source;
        place(":::", *source, &marks_[i].span);
      }
      const uint32_t line = marks_[i].line;
      const uint32_t start = marks_[i].span.begin - source->locate(marks_[i].span.begin).column + 1;
      const Excerpt excerpt(source->line(line), marks_[i].span.begin - start);
      gutter(std::to_string(line));
      out_ += (excerpt.text().empty() ? "" : " ") + excerpt.text() + "\n";
      for (size_t k = i; k < marks_.size(); ++k) {
        if (marks_[k].line != line || marks_[k].source != source) continue;
        shown[k] = true;
        underline(marks_[k], excerpt, start);
      }
    }
  }

  void underline(const Mark& mark, const Excerpt& excerpt, uint32_t line_start) {
    const uint32_t from = excerpt.column(mark.span.begin - line_start);
    // A span over several lines is marked to the end of its first.
    const uint32_t to = excerpt.column(std::max(mark.span.end, mark.span.begin) - line_start);
    const bool error = diagnostic_.severity == Severity::Error;
    gutter();
    out_ += " " + std::string(from, ' ');
    out_ += mark.primary ? (error ? palette_.error : palette_.warning) : palette_.gutter;
    out_ += std::string(std::max<uint32_t>(1, to > from ? to - from : 0), mark.primary ? '^' : '-');
    if (!mark.label->empty()) out_ += " " + printable(*mark.label);
    out_ += palette_.end;
    out_ += '\n';
  }

  void note(const std::string& text) {
    gutter("", '=');
    out_ += " " + text + "\n";
  }

  void notes() {
    for (const std::string& n : diagnostic_.notes) note(printable(n));
    for (const Fix& fix : diagnostic_.fixes) {
      note(std::string(palette_.bold) + "help" + palette_.end + ": " + printable(fix.message));
    }
  }

  const Diagnostic& diagnostic_;
  const SourceText& program_;
  const SourceText& source_;  // that it stands in
  Palette palette_;
  std::vector<Mark> marks_;
  size_t width_ = 1;
  std::string out_;
};

std::string counted(size_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

}  // namespace

std::string render(const Diagnostic& diagnostic, const SourceText& source, bool color) {
  return Renderer(diagnostic, source, color).text();
}

std::string render(const Diagnostics& diagnostics, const SourceText& source, bool color) {
  std::string out;
  for (const Diagnostic& d : diagnostics.list()) out += render(d, source, color) + "\n";
  const size_t errors = diagnostics.errors();
  const size_t told = diagnostics.list().size() + diagnostics.dropped();
  const size_t warnings = told > errors ? told - errors : 0;
  if (errors > 0) out += counted(errors, "error");
  if (warnings > 0) out += (errors > 0 ? ", " : "") + counted(warnings, "warning");
  if (diagnostics.dropped() > 0) out += "; " + std::to_string(diagnostics.dropped()) + " not shown";
  if (told > 0) out += "\n";
  return out;
}

}  // namespace irplan
