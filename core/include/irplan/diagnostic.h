// What the compiler has to say about a program: one record, rendered to a terminal or to JSON for an editor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "irplan/source.h"

namespace irplan {

enum class Severity { Error, Warning };

// Every diagnostic that exists, by name; names, the codes that are shown, severities and message templates
// stand in irplan/diagnostics.def alone.
enum class Code : uint16_t {
#define IRPLAN_DIAGNOSTIC(code, name, severity, text) name, code = name,
#include "irplan/diagnostics.def"
#undef IRPLAN_DIAGNOSTIC
};

// How many arguments a message takes: one more than the largest place {0}, {1}, … in it.
constexpr size_t arguments_of(Code code) {
  constexpr const char* kTexts[] = {
#define IRPLAN_DIAGNOSTIC(code, name, severity, text) text,
#include "irplan/diagnostics.def"
#undef IRPLAN_DIAGNOSTIC
  };
  size_t most = 0;
  for (const char* at = kTexts[static_cast<size_t>(code)]; *at; ++at) {
    if (at[0] != '{' || at[1] < '0' || at[1] > '9' || at[2] != '}') continue;
    const auto place = static_cast<size_t>(at[1] - '0') + 1;
    if (place > most) most = place;
  }
  return most;
}

void this_message_takes_another_number_of_arguments();  // never defined

// A code whose message takes N arguments. The compiler refuses any other.
template <size_t N>
struct Taking {
  Code code;
  consteval Taking(Code c) : code(c) {
    if (arguments_of(c) != N) this_message_takes_another_number_of_arguments();
  }
};

struct CodeInfo {
  Code code;
  const char* name;  // "E0301"
  Severity severity;
  const char* text;  // message template: {0}, {1} stand for arguments
};

const std::vector<CodeInfo>& all_codes();
const CodeInfo& info(Code code);
const CodeInfo* find_code(std::string_view name);  // "E0301"; null where there is none

// A second place that belongs to the story, with what is there.
struct Label {
  Span span;
  std::string message;
  bool in_program = false;  // the label is in the program though the diagnostic is in another text
};

struct Edit {
  Span span;
  std::string text;
};

// A change that an editor can apply; without edits it is advice.
struct Fix {
  std::string message;
  std::vector<Edit> edits;
};

struct Diagnostic {
  Code code;
  Severity severity;
  std::string message;
  Span span;
  std::string label;  // what stands at `span`; may be empty
  std::vector<Label> labels;
  std::vector<std::string> notes;  // "rule: …" and other facts
  std::vector<Fix> fixes;
  // The text that it stands in, where that is not the program: a config, an option of the command line.
  std::shared_ptr<const SourceText> elsewhere;

  // Chainable, so that a report reads as one sentence.
  Diagnostic& at(std::string text) { return label = std::move(text), *this; }
  Diagnostic& in(SourceText text) {
    return elsewhere = std::make_shared<const SourceText>(std::move(text)), *this;
  }
  Diagnostic& also(Span place, std::string text) { return labels.push_back({place, std::move(text)}), *this; }
  Diagnostic& also_in_program(Span place, std::string text) {
    return labels.push_back({place, std::move(text), true}), *this;
  }
  Diagnostic& note(std::string text) { return notes.push_back(std::move(text)), *this; }
  Diagnostic& rule(std::string_view text) { return note("rule: " + std::string(text)); }
  Diagnostic& help(std::string text) { return fixes.push_back({std::move(text), {}}), *this; }
  Diagnostic& fix(std::string text, Span place, std::string replacement) {
    return fixes.push_back({std::move(text), {{place, std::move(replacement)}}}), *this;
  }
};

// Collects diagnostics. One cause is told once: the same code at the same place is kept only the first time.
class Diagnostics {
 public:
  static constexpr size_t kMaxKept = 100;  // beyond it only the count grows

  template <size_t N>
  Diagnostic& report(std::type_identity_t<Taking<N>> code, Span span, const std::string_view (&arguments)[N],
                     std::shared_ptr<const SourceText> elsewhere = nullptr) {
    return add(code.code, span, arguments, std::move(elsewhere));
  }
  Diagnostic& report(Taking<0> code, Span span) { return add(code.code, span, {}); }
  // Of a code that is known only when it runs: that the arguments fit is the caller's to know.
  Diagnostic& add(Code code, Span span, std::span<const std::string_view> arguments,
                  std::shared_ptr<const SourceText> elsewhere = nullptr);

  bool has_errors() const { return errors_ > 0; }
  size_t errors() const { return errors_; }
  size_t dropped() const { return dropped_; }
  bool full() const { return list_.size() >= kMaxKept; }  // what else is told of a diagnostic is for nobody
  const std::vector<Diagnostic>& list() const { return list_; }
  Diagnostic* find(Code code, Span span);  // to add to it; null where there is none
  // What stands in other texts, then by position, errors before warnings at one place; call once when
  // compiling is done.
  void sort();
  void warnings_are_errors();
  // Warnings of the one list are left out, of the other errors. Codes that are no warning's change nothing.
  void judge(const std::vector<std::string>& allowed, const std::vector<std::string>& denied);

 private:
  std::vector<Diagnostic> list_;
  Diagnostic spare_{};  // takes what is beyond the cap or told already
  size_t errors_ = 0;
  size_t dropped_ = 0;
};

// The text for a terminal: excerpt, labels, notes, help. `color` adds ANSI colours.
std::string render(const Diagnostic& diagnostic, const SourceText& source, bool color);
// The closing line, "2 errors, 1 warning", and all before it.
std::string render(const Diagnostics& diagnostics, const SourceText& source, bool color);
// One JSON object:
// {"code","severity","message","file","line","column","end_line","end_column","labels","notes","fixes"}.
std::string to_json(const Diagnostic& diagnostic, const SourceText& source);
// A JSON list of them, one a line.
std::string to_json(const std::vector<Diagnostic>& diagnostics, const SourceText& source);

// The candidate nearest to a misspelt word, or an empty string where none is near (edit distance with
// transpositions).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
// Whether two names of six letters or more differ by a slip alone: one edit, or two from eight letters on.
bool differ_by_slip(std::string_view a, std::string_view b);

}  // namespace irplan
